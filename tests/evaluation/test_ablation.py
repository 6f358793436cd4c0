import numpy as np
import pytest
from small_networks import CANVAS_32, TINY

from tf_unseen_pose.data.plan import Options as DataOptions
from tf_unseen_pose.data.prepare import prepare
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.evaluation import ablation
from tf_unseen_pose.evaluation.ablation import ablate, variants
from tf_unseen_pose.evaluation.evaluate import Options
from tf_unseen_pose.imaging.photos import load_image
from tf_unseen_pose.inference.reposer import Reposer
from tf_unseen_pose.training import fit
from tf_unseen_pose.training.run import Run


def test_variants_differ_in_what_they_are_named_for():
    found = variants("tiny", ["train.batch_size=2"], 30)
    assert list(found) == ["VGG", "VGG + GAN", "L1", "U-Net"]
    assert {config.train.steps for config in found.values()} == {30}
    assert {config.train.batch_size for config in found.values()} == {2}
    assert {stage.learning_rate for config in found.values() for stage in config.train.stages} == {1e-3}
    first, last = found["VGG + GAN"].train.stages
    assert (first.loss, first.steps, last.loss, last.steps, last.discriminator_first) == ("vgg", 27, "vgg_gan", 3, 5)
    assert found["L1"].train.stages[0].loss == "l1" and found["VGG"].train.stages == found["U-Net"].train.stages
    assert [config.model.network for config in found.values()] == ["modular"] * 3 + ["unet"]
    # The baseline of a preset whose own network is another one.
    assert variants("lite", [], 10)["U-Net"].model.network == "unet"


def test_trains_compares_and_resumes(tmp_path, vgg19_settings, monkeypatch):
    calls = []

    def train(dataset_path, run_path, config):
        calls.append((run_path.name, Run(run_path, config).steps_done, config.train.steps))
        return fit.train(dataset_path, run_path, config)

    monkeypatch.setattr(ablation, "train", train)
    data = tmp_path / "data"
    options = DataOptions("synthetic", clips=4, frames=4, size=64, seed=3, validation=0.5)
    prepare([], data, options, progress=False)
    settings = [*TINY, *CANVAS_32, "train.batch_size=2", *vgg19_settings]
    configs = variants("tiny", settings, 2)
    del configs["L1"]
    chosen = Options(pairs=4, poses=False)
    (tmp_path / "out").mkdir()
    report = ablate(data, tmp_path / "out", configs, chosen, Reposer.of)
    lines = (report / "table.md").read_text().splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:7]] == [
        "VGG", "copying the source", "warp only", "VGG + GAN", "U-Net"
    ]  # fmt: skip
    assert "VGG error inside the person ↓" in lines[0] and "2 steps each; 4 pairs of 2 clips" in lines[-1]
    values = [float(line.split("|")[2].split()[0]) for line in lines[2:7]]
    assert len(set(values)) > 3 and min(values) > 0
    assert load_image(report / "cases.png").std() > 10
    assert (report / "report.html").is_file()
    # VGG + GAN goes on from where VGG was when the discriminator came in.
    assert calls == [("vgg", 0, 1), ("vgg", 1, 2), ("vgg+gan", 1, 2), ("u-net", 0, 2)]
    assert not list((tmp_path / "out" / "runs").glob("*.partial"))
    # Called again it trains nothing and ends alike.
    before = {path: path.read_bytes() for path in (tmp_path / "out" / "runs").glob("*/generator.weights.h5")}
    assert len(before) == 3
    assert ablate(data, tmp_path / "out", configs, chosen, Reposer.of) == report
    assert (report / "table.md").read_text().splitlines() == lines
    for path, content in before.items():
        assert path.read_bytes() == content


def test_stopped_training_gives_no_table(tmp_path, dataset_path, vgg19_settings):
    settings = [*TINY, *CANVAS_32, "train.batch_size=2", *vgg19_settings, "train.max_minutes=0.0001"]
    (tmp_path / "out").mkdir()
    assert (
        ablate(dataset_path, tmp_path / "out", variants("tiny", settings, 500), Options(poses=False), Reposer.of)
        is None
    )
    assert not (tmp_path / "out" / "report").exists()


def test_bad_settings_are_refused():
    with pytest.raises(UserError, match="no preset or file"):
        variants("huge", [], 10)
    assert np.isfinite(variants("tiny", [], 1)["VGG"].train.stages[0].learning_rate)
