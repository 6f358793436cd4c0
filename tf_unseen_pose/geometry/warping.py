"""Sampling of pictures: at points, by an affine transform, or by a displacement of every pixel.

Bilinear samples serve networks and training. Bicubic ones keep fine texture, which bilinear ones blur between pixels.
Gathers and elementwise arithmetic only: the gradient is exact, XLA compiles it, and TFLite has all operations.

Convention: as `pose_maps`. Pictures are [B, H, W, C], float32 of any range; x and y are in their pixels.
"""

from collections.abc import Callable

import tensorflow as tf

Sample = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]


def with_border(images: tf.Tensor) -> tf.Tensor:
    """[B, H, W, C] with one mirrored pixel (the last but one) around it: [B, H + 2, W + 2, C]; H and W at least 2."""
    return tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="REFLECT")


def sample_bilinear(bordered: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Bilinear samples of images at real-valued points.

    Beyond its border an image has one mirrored pixel and is constant from there.

    Args:
        bordered: [B, H + 2, W + 2, C], images `with_border`.
        x, y: [B, h, w] in pixels of the images, without their border.

    Returns:
        [B, h, w, C]. The gradient in images and points is that of bilinear interpolation (exact, not an estimate).

    Source: the authors' `interpolate`.
    """
    return sample_within(bordered, x + 1, y + 1)


def sample_within(images: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """As `sample_bilinear`, for images [B, H, W, C] that are constant beyond their border."""
    shape = tf.shape(images)
    batch, height, width = shape[0], shape[1], shape[2]
    column, right = _cell(x, width, images.dtype)
    row, below = _cell(y, height, images.dtype)
    top_left = (tf.range(batch)[:, None, None] * height + row) * width + column
    flat = tf.reshape(images, [-1, images.shape[-1]])
    corners = [tf.gather(flat, top_left + offset) for offset in (0, 1, width, width + 1)]
    top = corners[0] + right * (corners[1] - corners[0])
    bottom = corners[2] + right * (corners[3] - corners[2])
    return top + below * (bottom - top)


def sample_cubic(images: tf.Tensor, x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Bicubic samples of images that are constant beyond their border.

    Args:
        images: [B, H, W, C], H and W at least 2.
        x, y: [B, h, w] in pixels; places beyond the border count as on it.

    Returns:
        [B, h, w, C]; beside an edge it overshoots a little.

    Source: `cubic_weights`.
    """
    shape = tf.shape(images)
    batch, height, width = shape[0], shape[1], shape[2]
    column, right = _cell(x, width, images.dtype)
    row, below = _cell(y, height, images.dtype)
    # Four pixels of a row side by side, so that a place needs four look-ups and not sixteen.
    padded = tf.pad(images, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    runs = tf.concat([padded[:, :, i : i + width - 1] for i in range(4)], axis=-1)
    flat = tf.reshape(runs, [-1, 4 * images.shape[-1]])
    first = (tf.range(batch)[:, None, None] * (height + 2) + row) * (width - 1) + column
    down = zip(cubic_weights(below), range(4), strict=True)
    lines = tf.add_n([weight * tf.gather(flat, first + i * (width - 1)) for weight, i in down])
    across = zip(cubic_weights(right), tf.split(lines, 4, axis=-1), strict=True)
    return tf.add_n([weight * pixel for weight, pixel in across])


def cubic_weights(part: tf.Tensor) -> list[tf.Tensor]:
    """Weights of the four pixels about a place, for one axis.

    Args:
        part: [...] in [0, 1], how far the place lies beyond the second of them.

    Returns:
        Four times [...], summing to 1.

    Source: Keys, Cubic Convolution Interpolation for Digital Image Processing, 1981, with a = -0.75 as OpenCV has it.
    """

    def near(t):
        return (1.25 * t - 2.25) * t * t + 1

    def far(t):
        return ((-0.75 * t + 3.75) * t - 6) * t + 3

    return [far(1 + part), near(part), near(1 - part), far(2 - part)]


def warp(
    images: tf.Tensor, target_to_source: tf.Tensor, height: int | None = None, width: int | None = None
) -> tf.Tensor:
    """Warps images by affine transforms: output pixel (x, y) shows the image at target_to_source(x, y).

    Args:
        images: [B, H, W, C].
        target_to_source: [B, 2, 3].
        height, width: size of the output; the images' own by default.

    Returns:
        [B, height, width, C]; see `sample_bilinear` for points beyond the border.
    """
    return warp_bordered(with_border(images), target_to_source, height, width)


def warp_bordered(
    bordered: tf.Tensor, target_to_source: tf.Tensor, height: int | None = None, width: int | None = None
) -> tf.Tensor:
    """`warp` of images `with_border`, for repeated warps of the same images."""
    height, width = height or bordered.shape[1] - 2, width or bordered.shape[2] - 2
    x = tf.range(width, dtype=target_to_source.dtype)[None, None, :]
    y = tf.range(height, dtype=target_to_source.dtype)[None, :, None]
    m = target_to_source[:, :, :, None, None]
    return sample_bilinear(
        bordered,
        m[:, 0, 0] * x + m[:, 0, 1] * y + m[:, 0, 2],
        m[:, 1, 0] * x + m[:, 1, 1] * y + m[:, 1, 2],
    )


def sample_displaced(images: tf.Tensor, displacement: tf.Tensor, sample: Sample = sample_within) -> tf.Tensor:
    """Output pixel (x, y) shows images at (x, y) + displacement.

    Args:
        images: [B, H, W, C], constant beyond their border.
        displacement: [B, H, W, 2], along x and y in pixels.
        sample: `sample_within` or `sample_cubic`.

    Returns:
        [B, H, W, C].
    """
    size, kind = tf.shape(displacement), displacement.dtype
    x = tf.cast(tf.range(size[2]), kind)[None, None, :] + displacement[..., 0]
    y = tf.cast(tf.range(size[1]), kind)[None, :, None] + displacement[..., 1]
    return sample(images, x, y)


def _cell(position, size, dtype):
    """The pixel [...] before a place and how far the place lies beyond it [..., 1]; the last but one at the end."""
    position = tf.clip_by_value(position, 0, tf.cast(size - 1, position.dtype))
    low = tf.minimum(tf.floor(position), tf.cast(size - 2, position.dtype))
    return tf.cast(low, tf.int32), tf.cast(position - tf.stop_gradient(low), dtype)[..., None]
