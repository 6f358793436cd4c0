"""Cutting a canvas out of a picture of any size: the same pixels for training data and for users' photos.

`resample` serves a photo now and then. Training cuts hundreds of canvases a second, and there a general operation that
works out the transform anew for every channel is most of the cost. The fast way is in three steps: `visible_window`
tells which part of a picture need be decoded at all, `packed` prepares that part, and `sample` is the same bilinear
formula written so that XLA makes one loop of it and of what follows it.
"""

import numpy as np
import tensorflow as tf

from tf_unseen_pose.compat import project_images
from tf_unseen_pose.data.crop import length_scale

# Pixels around a window, output pixels where they are larger.
_WINDOW_MARGIN = 4


def resample(image, output_to_input, height: int, width: int):
    """Samples a picture bilinearly by an affine transform, without aliasing.

    Where the transform shrinks by k >= 2 (rounded down), the picture is first reduced to 1 / k with an antialiasing
    filter. Beyond its border a picture goes on with the border's colour.

    Args:
        image: float32 [H, W, C], any size.
        output_to_input: float32 [2, 3]: output pixel -> picture pixel.

    Returns:
        float32 [height, width, C].
    """
    image, m = _reduced_where_it_shrinks(image, output_to_input)
    output = project_images(image[None], m[None], height, width)[0]
    return tf.ensure_shape(output, [height, width, image.shape[-1]])


def visible_window(output_to_input: np.ndarray, input_height: int, input_width: int, height: int, width: int):
    """The part of a picture that `resample` looks at, and a margin.

    The margin is for what a pixel takes from its neighbours: antialiasing, and the colours of a JPEG, which are stored
    at half the resolution.

    Args:
        output_to_input: [2, 3]: output pixel -> picture pixel.
        input_height, input_width: size of the picture.
        height, width: size of the output.

    Returns:
        int32 [4]: top, left, height, width. It lies inside the picture, at its border where the output lies outside.
    """
    corners = np.array([[x, y, 1] for x in (0, width - 1) for y in (0, height - 1)]) @ np.transpose(output_to_input)
    margin = np.ceil(_WINDOW_MARGIN * max(length_scale(output_to_input), 1))
    size = np.array([input_width, input_height])
    low = np.clip(np.floor(corners.min(axis=0)) - margin, 0, np.maximum(size - 2 * margin, 0))
    high = np.clip(np.ceil(corners.max(axis=0)) + margin + 1, np.minimum(2 * margin, size), size)
    return np.concatenate([low[::-1], (high - low)[::-1]]).astype(np.int32)


def packed(image, output_to_input, height: int, width: int):
    """A picture in the form that `sample` takes.

    XLA compiles anew for every shape, so the rows are strung together and filled up to whole canvases: as many shapes
    as a canvas's area goes into the pictures.

    Args:
        image: uint8 [H, W, C].
        output_to_input, height, width: as for `resample`.

    Returns:
        pixels: uint8 [N, C], N a multiple of height * width.
        size: int32 [2], height and width of the picture that they begin with, reduced where the transform shrinks.
        output_to_input: float32 [2, 3], into that picture.
    """
    image, output_to_input = _reduced_where_it_shrinks(image, output_to_input)
    size = tf.shape(image)[:2]
    count, channels = size[0] * size[1], image.shape[-1]
    filling = tf.zeros([-count % (height * width), channels], image.dtype)
    return tf.concat([tf.reshape(image, [-1, channels]), filling], axis=0), size, output_to_input


def sample(pixels, size, output_to_input, height: int, width: int):
    """`resample`, once `packed` has prepared the picture; made for a function that XLA compiles.

    Returns:
        float32 [height, width, C].
    """
    m, size = output_to_input, tf.cast(size, tf.float32)
    column, row = tf.range(width, dtype=tf.float32)[None], tf.range(height, dtype=tf.float32)[:, None]
    x = tf.clip_by_value(m[0, 0] * column + m[0, 1] * row + m[0, 2], 0, size[1] - 1)
    y = tf.clip_by_value(m[1, 0] * column + m[1, 1] * row + m[1, 2], 0, size[0] - 1)
    left, top = tf.floor(x), tf.floor(y)
    right, bottom = tf.minimum(left + 1, size[1] - 1), tf.minimum(top + 1, size[0] - 1)

    def pixel(x, y):
        return tf.cast(
            tf.gather(pixels, tf.cast(y, tf.int32) * tf.cast(size[1], tf.int32) + tf.cast(x, tf.int32)), tf.float32
        )

    def between(one, other, part):
        return one + (other - one) * part[..., None]

    upper = between(pixel(left, top), pixel(right, top), x - left)
    lower = between(pixel(left, bottom), pixel(right, bottom), x - left)
    return between(upper, lower, y - top)


def _reduced_where_it_shrinks(image, output_to_input):
    """The picture, at about 1 / k of its size where k >= 2, and the transform into it."""
    image, m = tf.convert_to_tensor(image), output_to_input
    shrink = tf.floor(tf.sqrt(tf.abs(m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0])))
    return tf.cond(shrink >= 2, lambda: _reduced(image, m, shrink), lambda: (image, m))


def _reduced(image, output_to_input, factor):
    """The picture at about 1 / factor of its size, and the transform into it."""
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    reduced = tf.maximum(tf.round(size / factor), 1)
    resized = tf.image.resize(image, tf.cast(reduced, tf.int32), antialias=True)
    image = resized if image.dtype.is_floating else tf.cast(tf.round(resized), image.dtype)
    # Corners stay corners: (x + 0.5) scales, x does not.
    scale = (reduced / size)[::-1, None]
    shift = tf.concat([tf.zeros([2, 2]), (scale - 1) / 2], axis=1)
    return image, output_to_input * scale + shift
