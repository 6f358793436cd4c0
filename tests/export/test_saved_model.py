import shutil

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.export import saved_model
from tf_unseen_pose.export.saved_model import export_run
from tf_unseen_pose.imaging.image_files import to_uint8
from tf_unseen_pose.model.weights import save_weights
from tf_unseen_pose.training.run import Run


def inputs_of(batch, count=3):
    inputs = batch(64, 64, batch=count)
    return {**{name: inputs[name] for name in ("source_joints", "target_joints")}, "image": to_uint8(inputs["image"])}


def test_a_version_is_a_run_as_well(exported):
    run, version, half = exported
    assert version.name == "1" and Run.open(version).config == run.config
    for found, weights in zip(half.get_weights(), run.load_generator().get_weights(), strict=True):
        np.testing.assert_array_equal(found, weights.astype(np.float16))
    for half_as_large in ("generator.weights.h5", "variables/variables.data-00000-of-00001"):
        assert (version / half_as_large).stat().st_size < 0.7 * run.weights.stat().st_size


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


def test_what_signatures_have_in_common_is_stored_once(exported):
    _, version, _ = exported
    graph = saved_model_pb2.SavedModel.FromString((version / "saved_model.pb").read_bytes()).meta_graphs[0].graph_def
    counts = [sum("Conv2D" in node.op for node in function.node_def) for function in graph.library.function]
    # The encoder; deciding, alone and rendered on the canvas; and `explain`, which has both. All others call these.
    *parts, explain = sorted(filter(None, counts))
    assert len(parts) == 3 and sum(sorted(set(parts))) == explain > 10


def test_versions_count_up_and_leave_nothing_else(exported, monkeypatch):
    run, version, _ = exported
    monkeypatch.setattr(saved_model, "_write_saved_model", lambda *_: None)
    (version.parent / "7").mkdir()
    assert export_run(run, version.parent, check=False).name == "8"
    assert sorted(entry.name for entry in version.parent.iterdir()) == ["1", "7", "8"]
    assert not (version.parent / "8" / "assets.extra" / "parity.json").exists()


def test_a_failed_export_leaves_no_version(exported, tmp_path, monkeypatch):
    run, *_ = exported

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tf_unseen_pose.export.saved_model._write_saved_model", full)
    with pytest.raises(OSError):
        export_run(run, tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_a_savedmodel_that_computes_something_else_is_not_kept(exported, tmp_path, monkeypatch):
    run, version, _ = exported

    def spoiled(exported_run, name, max_side):
        # What an earlier export wrote, beside other weights.
        for part in ("saved_model.pb", "variables"):
            copy = shutil.copytree if (version / part).is_dir() else shutil.copy
            copy(version / part, exported_run.path / part)
        generator = exported_run.load_generator()
        first = generator.networks[-1].layers[-1].weights[-1]
        first.assign(first.numpy() + 2)
        save_weights(generator, exported_run.weights)

    monkeypatch.setattr(saved_model, "_write_saved_model", spoiled)
    with pytest.raises(UserError, match="'serving_default' differs from the run"):
        export_run(run, tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_a_run_is_no_place_for_versions(exported, tmp_path):
    run, *_ = exported
    with pytest.raises(UserError, match="not a folder of versions"):
        export_run(run, run.path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="not a folder of versions"):
        export_run(run, tmp_path / "file")
