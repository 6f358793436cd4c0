"""The command `evaluate` as users type it."""

import json

import pytest
from small_networks import TINY

from tf_unseen_pose.config import load_config
from tf_unseen_pose.data.plan import Options
from tf_unseen_pose.data.prepare import prepare
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.training.run import Run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two datasets, one of them with clips for validation, an untrained run and a U-Net's of the same canvas."""
    path = tmp_path_factory.mktemp("evaluate")
    for name, validation in (("data", 0.6), ("train", 0.0)):
        options = Options("synthetic", clips=3, frames=5, size=64, seed=2, validation=validation)
        prepare([], path / name, options, progress=False)
    runs = {"run": (), "unet": ("model.network=unet",), "wide": ("model.width=96",)}
    for name, settings in runs.items():
        config = load_config("tiny", [*TINY, *settings])
        Run.create(path / name, config).save_weights(build_generator(config.model))
    Run.create(path / "empty", load_config("tiny"))
    (path / "text.h5").write_text("no")
    return path


def command(folder, output, **changes):
    options = {"--model": folder / "run", "--data": folder / "data", "-o": output} | changes
    return ["evaluate", *(item for pair in options.items() for item in pair), "--no-poses"]


def test_evaluate_writes_the_same_report_twice(folder, run, tmp_path):
    options = {"--also": f"U-Net={folder / 'unet'}", "--pairs": 4, "--seed": 3}
    code, out, err = run(*command(folder, tmp_path / "one", **options), "--across")
    assert code == 0 and "4 pairs" in out and "report.html" in out and "Evaluating" in err
    assert run(*command(folder, tmp_path / "two", **options), "--across")[0] == 0
    one, two = (json.loads((tmp_path / name / "report.json").read_text()) for name in ("one", "two"))
    assert all(value >= 0 for value in one.pop("seconds_per_picture").values()) and two.pop("seconds_per_picture")
    assert one == two
    assert one["models"] == {"model": str(folder / "run"), "U-Net": str(folder / "unet")}
    assert set(one["within"]["all"]["ssim"]) == {"model", "copy", "warp", "U-Net"}
    assert one["within"]["count"] == 4 and one["across"]["count"] > 0 and one["sequences"]["count"] == 2


def test_evaluate_refuses_in_one_sentence(folder, run, tmp_path):
    (tmp_path / "file").write_text("")
    for changes, words in (
        ({"--model": folder / "none"}, "no model folder"),
        ({"--model": folder / "empty"}, "no weights"),
        ({"--data": folder / "none"}, "dataset.json"),
        ({"--data": folder / "train"}, "no clip for validation"),
        ({"--also": "unet"}, "NAME=RUN"),
        ({"--also": f"model={folder / 'unet'}"}, "Two models are called 'model'"),
        ({"--also": f"copy={folder / 'unet'}"}, "'copy' is the name of a built-in column"),
        ({"--also": f"wide={folder / 'wide'}"}, "96 x 64"),
        ({"--features-weights": folder / "none.h5"}, "no weights file"),
        ({"--features-weights": folder / "text.h5"}, "not a readable HDF5"),
        ({"-o": tmp_path / "file"}, "name a folder"),
        ({"-o": tmp_path / "none" / "out"}, "no folder"),
    ):
        code, out, err = run(*command(folder, tmp_path / "out", **changes))
        assert code == 2 and words in err, (changes, err)
        assert err.count("\n") == 1 and "Traceback" not in err and not out
        assert not (tmp_path / "out").exists()


def test_a_pose_model_that_is_none_is_refused(folder, run, tmp_path):
    arguments = command(folder, tmp_path / "out", **{"--pose-model": folder / "text.h5"})
    code, out, err = run(*arguments[:-1])
    assert code == 2 and "pose model" in err.splitlines()[-1] and not out
