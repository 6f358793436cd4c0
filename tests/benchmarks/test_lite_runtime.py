import numpy as np
import pytest
import tensorflow as tf

from benchmarks.lite_runtime import SIGNATURES, open_function, open_generator
from tf_unseen_pose.config import load_config
from tf_unseen_pose.model import build_generator


@pytest.mark.parametrize("preset", ["tiny", "lite"])
def test_tflite_encodes_and_renders_what_tensorflow_does(preset, small_lite, joints):
    generator = build_generator(load_config(preset, small_lite if preset == "lite" else []).model)
    image = np.random.default_rng(0).uniform(-1, 1, (1, 64, 64, 3)).astype(np.float32)
    source = joints(seed=1)
    target = np.concatenate([joints(seed=2), np.zeros((1, 14, 1), np.float32)], axis=2)
    state = generator.encode_source(image, source)
    lite = open_generator(generator)
    stored = lite[SIGNATURES["encode"]](image=image, source_joints=source)
    for name, value in state._asdict().items():
        np.testing.assert_allclose(stored[name], value, atol=1e-4)
    made = lite[SIGNATURES["render"]](**stored, target_joints=target)["image"]
    np.testing.assert_allclose(made, generator.render(state, tf.constant(target)), atol=1e-4)


def test_functions():
    @tf.function(input_signature=[tf.TensorSpec([1, 3], name="x")])
    def twice(x):
        return {"y": 2 * x}

    values = np.float32([[1, -2, 5]])
    np.testing.assert_array_equal(open_function(twice)["serving_default"](x=values)["y"], 2 * values)
