"""Cutting a canvas out of a picture of any size: the same pixels for training data and for users' photos.

`resample` serves photos, in a graph. Training cuts hundreds of canvases a second, and there a general operation that
works out the transform anew for every channel would be most of the cost: `cut_out` does the same in OpenCV.
"""

import cv2
import numpy as np
import tensorflow as tf

from tf_unseen_pose.compat import project_images
from tf_unseen_pose.imaging.crop import length_scale


def resample(image: tf.Tensor, output_to_input: tf.Tensor, height: int, width: int) -> tf.Tensor:
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


def _reduced_where_it_shrinks(image, output_to_input):
    """The picture, at about 1 / k of its size where k >= 2, and the transform into it."""
    m = output_to_input
    shrink = tf.floor(tf.sqrt(tf.abs(m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0])))
    return tf.cond(shrink >= 2, lambda: _reduced(image, m, shrink), lambda: (image, m))


def _reduced(image, output_to_input, factor):
    """The picture at about 1 / factor of its size, and the transform into it."""
    size = tf.cast(tf.shape(image)[:2], tf.float32)
    reduced = tf.maximum(tf.round(size / factor), 1)
    image = tf.image.resize(image, tf.cast(reduced, tf.int32), antialias=True)
    # Corners stay corners: (x + 0.5) scales, x does not.
    scale = (reduced / size)[::-1, None]
    shift = tf.concat([tf.zeros([2, 2]), (scale - 1) / 2], axis=1)
    return image, output_to_input * scale + shift


def cut_out(picture: np.ndarray, output_to_input: np.ndarray, height: int, width: int) -> np.ndarray:
    """`resample` for pictures of 8 bits, many times as fast, at a precision of 1/32 of a pixel or better.

    Args:
        picture: uint8 [H, W] or [H, W, C].
        output_to_input: [2, 3]: output pixel -> picture pixel.

    Returns:
        uint8 [height, width] or [height, width, C].
    """
    matrix = np.asarray(output_to_input, np.float64)
    shrink = int(length_scale(matrix))
    if shrink >= 2:
        rows, columns = (max(1, round(side / shrink)) for side in picture.shape[:2])
        # Corners stay corners: (x + 0.5) scales, x does not.
        scale = np.array([[columns / picture.shape[1]], [rows / picture.shape[0]]])
        picture = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
        matrix = matrix * scale
        matrix[:, 2:] += (scale - 1) / 2
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
