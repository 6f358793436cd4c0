"""Conversion between 8-bit pixels and the networks' range in TensorFlow, identical to the bit everywhere.

`from_uint8` and `to_uint8` of `imaging.image_files` are the twins in NumPy.
"""

import tensorflow as tf


def from_bytes(pixels: tf.Tensor) -> tf.Tensor:
    """[...] in 0..255 of any type -> float32 [...] in [-1, 1]."""
    # A product, since TensorFlow turns quotients into products depending on the graph.
    return tf.cast(pixels, tf.float32) * (1 / 127.5) - 1


def to_bytes(pictures: tf.Tensor) -> tf.Tensor:
    """[...] in [-1, 1] -> uint8 [...], rounded and clipped."""
    return tf.cast(tf.clip_by_value(tf.round((pictures + 1) * 127.5), 0, 255), tf.uint8)
