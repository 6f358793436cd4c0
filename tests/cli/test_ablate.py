from tf_unseen_pose.evaluation import ablation


def test_ablate_hands_on_its_options_and_prints_the_table(run, tmp_path, monkeypatch):
    """`tests/evaluation/test_ablation.py` trains."""
    called = {}

    def ablate(data, output, configs, options, reposer):
        called.update(data=data, output=output, configs=configs, options=options)
        (output / "table.md").write_text("| VGG |")
        return output

    monkeypatch.setattr(ablation, "ablate", ablate)
    arguments = ["--data", tmp_path / "data", "-o", tmp_path / "out", "--steps", 7, "--config", "tiny", "--pairs", 3]
    code, out, _ = run("ablate", *arguments, "--set", "train.batch_size=2", "--split", "train", "--no-poses")
    assert code == 0 and out.startswith("| VGG |") and str(tmp_path / "out" / "cases.png") in out
    assert called["data"] == tmp_path / "data" and (tmp_path / "out").is_dir()
    assert {(config.train.steps, config.train.batch_size) for config in called["configs"].values()} == {(7, 2)}
    options = called["options"]
    assert (options.split, options.pairs, options.seed, options.across, options.poses) == ("train", 3, 0, False, False)
    # Stopped by Ctrl-C.
    monkeypatch.setattr(ablation, "ablate", lambda *_: None)
    code, out, _ = run("ablate", *arguments)
    assert code == 130 and "the same command goes on" in out
