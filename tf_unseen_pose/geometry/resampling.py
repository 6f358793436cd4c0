"""Cuts a canvas out of a photo of any size in the graph.

`imaging.resampling.cut_out` is the twin for training data; a test compares the two.
"""

import tensorflow as tf

from tf_unseen_pose.compat import project_images


def resample(image: tf.Tensor, output_to_input: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """Samples a picture bilinearly by an affine transform, without aliasing.

    Where the transform shrinks by k >= 2 (rounded down), the picture is first reduced to 1 / k with an antialiasing
    filter. Beyond its border a picture has the border's colour.

    Args:
        image: float32 [H, W, C], any size.
        output_to_input: float32 [2, 3]: output pixel -> picture pixel.

    Returns:
        float32 [height, width, C].
    """
    image, m = _reduced_where_it_shrinks(image, output_to_input)
    output = project_images(image[None], m[None], height, width)[0]
    return tf.ensure_shape(output, [height, width, image.shape[-1]])


def _reduced_where_it_shrinks(image, output_to_input):
    """The picture, at about 1 / k of its size if k >= 2, and the transform into it."""
    m = output_to_input
    shrink = tf.floor(tf.sqrt(tf.abs(m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0])))
    return tf.cond(shrink >= 2, lambda: _reduced(image, m, shrink), lambda: (image, m))


def _reduced(image, output_to_input, factor):
    """The picture at about 1 / factor of its size, and the transform into it."""
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    reduced = tf.maximum(tf.round(size / factor), 1)
    image = tf.image.resize(image, tf.cast(reduced, tf.int32), antialias=True)
    # Corners are aligned: (x + 0.5) scales, x does not.
    scale = (reduced / size)[::-1, None]
    shift = tf.concat([tf.zeros([2, 2]), (scale - 1) / 2], axis=1)
    return image, output_to_input * scale + shift
