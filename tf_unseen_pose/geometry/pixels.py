"""Pixels of 8 bits and the networks' range, in TensorFlow: one way, so that all faces of a model agree to the bit.

Outside graphs NumPy does the same: `from_uint8` and `to_uint8` of `imaging.image_files`.
"""

import tensorflow as tf


def from_bytes(pixels: tf.Tensor) -> tf.Tensor:
    """[...] in 0..255 of any type -> float32 [...] in [-1, 1]."""
    # A product: where TensorFlow turns a quotient into one, it depends on the graph around it.
    return tf.cast(pixels, tf.float32) * (1 / 127.5) - 1


def to_bytes(pictures: tf.Tensor) -> tf.Tensor:
    """[...] in [-1, 1] -> uint8 [...], rounded and clipped."""
    return tf.cast(tf.clip_by_value(tf.round((pictures + 1) * 127.5), 0, 255), tf.uint8)
