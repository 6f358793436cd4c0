import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.config import load_config
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.export.saved_model import export_run
from tf_unseen_pose.images import to_uint8
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.training.run import Run


@pytest.fixture(scope="module")
def exported(tmp_path_factory, small_lite, decided):
    """A run, its first exported version, and the generator that the version's weights file holds."""
    folder = tmp_path_factory.mktemp("export")
    config = load_config("lite", small_lite)
    generator = build_generator(config.model)
    decided(generator)
    run = Run.create(folder / "run", config)
    run.save_weights(generator)
    version = export_run(run, folder / "models")
    return run, version, Run.open(version).load_generator()


def inputs_of(batch, count=3):
    inputs = batch(64, 64, batch=count)
    return {**{name: inputs[name] for name in ("source_joints", "target_joints")}, "image": to_uint8(inputs["image"])}


def test_a_version_is_a_run_as_well(exported, batch):
    run, version, half = exported
    assert version.name == "1" and Run.open(version).config == run.config
    inputs = batch(64, 64)
    difference = np.abs(half(inputs) - run.load_generator()(inputs))
    assert 0 < difference.max() < 0.05 and difference.mean() < 1e-3
    assert (version / "generator.weights.h5").stat().st_size < 0.7 * run.weights.stat().st_size


def test_signatures_give_what_the_generator_gives_for_any_batch(exported, batch):
    _, version, generator = exported
    model = tf.saved_model.load(str(version))
    inputs = inputs_of(batch)
    image = inputs["image"].astype(np.float32) / 127.5 - 1
    expected = to_uint8(generator({**inputs, "image": image}))
    tensors = {name: tf.constant(value) for name, value in inputs.items()}
    whole = model.signatures["synthesize"](**tensors)["image"].numpy()
    state = model.signatures["encode_source"](image=tensors["image"], source_joints=tensors["source_joints"])
    rendered = model.signatures["render"](**state, target_joints=tensors["target_joints"])["image"].numpy()
    assert whole.dtype == np.uint8 and whole.shape == (3, 64, 64, 3)
    # A rounding to 8 bits may fall the other way.
    assert np.abs(whole.astype(int) - expected).max() <= 1 and np.abs(rendered.astype(int) - whole).max() <= 1
    one = model.signatures["synthesize"](**{name: value[1:2] for name, value in tensors.items()})["image"].numpy()
    assert np.abs(one.astype(int) - whole[1:2]).max() <= 1
    assert np.abs(whole.astype(int) - inputs["image"]).mean() > 1


def test_versions_count_up_and_leave_nothing_else(exported):
    run, version, _ = exported
    assert export_run(run, version.parent).name == "2"
    assert sorted(entry.name for entry in version.parent.iterdir()) == ["1", "2"]


def test_a_failed_export_leaves_no_version(exported, tmp_path, monkeypatch):
    run, *_ = exported

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tf_unseen_pose.export.saved_model._write_saved_model", full)
    with pytest.raises(OSError):
        export_run(run, tmp_path / "models")
    assert not list((tmp_path / "models").iterdir())


def test_a_run_is_no_place_for_versions(exported, tmp_path):
    run, *_ = exported
    with pytest.raises(UserError, match="no folder of versions"):
        export_run(run, run.path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="no folder of versions"):
        export_run(run, tmp_path / "file")
