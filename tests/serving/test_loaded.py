import gc

import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.serving.loaded import LoadedModel, Spec


@pytest.fixture(scope="module")
def model(made_versions):
    return LoadedModel.load(made_versions / "1")


def test_signatures_are_what_the_file_says(model):
    mix = model.signatures["mix"]
    assert mix.inputs == {"image": Spec(tf.uint8, (None, 4, 4, 3)), "joints": Spec(tf.float32, (None, 14, 3))}
    assert mix.outputs["version"] == Spec(tf.int32, (None,)) and str(mix.inputs["joints"]) == "[?, 14, 3]"
    assert mix.inputs["image"].takes((7, 4, 4, 3)) and not mix.inputs["image"].takes((7, 4, 4))
    assert not mix.inputs["image"].takes((7, 4, 5, 3)) and Spec(tf.int32, None).takes((1, 2))
    assert Spec(tf.int32, None).has_rows and not Spec(tf.int32, ()).has_rows and not Spec(tf.int32, (1,)).has_rows


def test_rows_are_taken_for_granted_where_all_sides_are_free(model, tmp_path):
    by_rows = {name for name, signature in model.signatures.items() if signature.by_rows}
    assert by_rows == {"serving_default", "mix", "sizes", "guarded", "filtered", "crossed", "sequence", "slow"}

    class Fixed(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None]), tf.TensorSpec([])])
        def scaled(self, x, factor):
            return {"y": x * factor}

        @tf.function(input_signature=[tf.TensorSpec([None])])
        def total(self, x):
            return {"sum": tf.reduce_sum(x)}

    fixed = Fixed()
    tf.saved_model.save(fixed, str(tmp_path), signatures={"scaled": fixed.scaled, "total": fixed.total})
    assert not any(signature.by_rows for signature in LoadedModel.load(tmp_path).signatures.values())


def test_outputs_are_computed_as_they_are_asked_for(model, rows, expected):
    inputs = rows(2)
    outputs = model.signatures["mix"].run(inputs, ("image",))
    assert list(outputs) == ["image"] and np.array_equal(outputs["image"], expected(**inputs))
    # NumPy's own strings would lose the zero at the end.
    texts = {"image_bytes": np.array(b"a\0", object), "x": np.float32(3)}
    outputs = model.signatures["sequence"].run(texts, ("length", "y"))
    assert outputs["length"].shape == () and outputs["length"] == 2 and outputs["y"] == 6


def test_a_signature_outlives_its_model(made_versions, rows):
    signature = LoadedModel.load(made_versions / "2").signatures["mix"]
    gc.collect()
    assert signature.run(rows(1), ("version",))["version"] == 2


def test_what_is_no_saved_model_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        LoadedModel.load(tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ValueError, match="no graph for serving"):
        LoadedModel.load(tmp_path)
