import numpy as np
import pytest
import tensorflow as tf

from benchmarks.lite_runtime import Interpreter, convert_generator
from tf_unseen_pose.config import load_config
from tf_unseen_pose.model import build_generator


@pytest.mark.parametrize("preset", ["tiny", "lite"])
def test_tflite_encodes_and_renders_what_tensorflow_does(preset, small_lite, joints):
    generator = build_generator(load_config(preset, small_lite if preset == "lite" else []).model)
    image = np.random.default_rng(0).uniform(-1, 1, (1, 64, 64, 3)).astype(np.float32)
    source, target = joints(seed=1), joints(seed=2)
    state = generator.encode_source(image, source)
    interpreter = Interpreter(convert_generator(generator, state, ("encode", "render")))
    stored = interpreter["encode"](image=image, source_joints=source)
    for name, value in state._asdict().items():
        np.testing.assert_allclose(stored[name], value, atol=1e-4)
    made = interpreter["render"](**stored, target_joints=target)["image"]
    np.testing.assert_allclose(made, generator.render(state, tf.constant(target)), atol=1e-4)
