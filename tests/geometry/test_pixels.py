import numpy as np
import tensorflow as tf

from tf_unseen_pose.geometry.pixels import from_bytes, to_bytes
from tf_unseen_pose.imaging.image_files import from_uint8, to_uint8


def test_numpy_scales_as_graphs_do_and_all_bytes_come_back():
    pixels = np.arange(256, dtype=np.uint8)
    scaled = from_bytes(tf.constant(pixels)).numpy()
    np.testing.assert_array_equal(scaled, from_uint8(pixels))
    assert scaled.dtype == np.float32 and (scaled[0], scaled[255]) == (-1, 1) and abs(scaled[51] + 0.6) < 1e-6
    np.testing.assert_array_equal(to_bytes(tf.constant(scaled)), pixels)
    # Beyond the range, and to either side of a half.
    beyond = np.float32([-1.3, 1.2, 0.0039, 0.004, -0.0079])
    np.testing.assert_array_equal(to_bytes(tf.constant(beyond)), to_uint8(beyond))
    assert to_uint8(beyond).tolist() == [0, 255, 128, 128, 126]
