import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.geometry.resampling import resample
from tf_unseen_pose.inference.cutting import cut_out


@pytest.mark.parametrize("step", [0.4, 1.3, 2.2, 3.7])
def test_the_pixels_are_those_of_the_graph(step):
    """Beyond two borders, too; 2.2 and 3.7 reduce the picture first."""
    rng = np.random.default_rng(0)
    photo = np.kron(rng.integers(0, 256, (30, 41, 3)), np.ones((5, 5, 1))).astype(np.uint8)
    crop = np.float32([[step, 0, -7.3], [0, step, 11.9]])
    expected = resample(tf.constant(photo, tf.float32), tf.constant(crop), 52, 60).numpy()
    found = cut_out(photo, crop, 52, 60)
    assert found.dtype == np.float32 and found.std() > 20
    np.testing.assert_allclose(found, expected, atol=0.05)
