"""Bilinear sampling of pictures: at points, by an affine transform, or by a displacement of every pixel.

Gathers and elementwise arithmetic only: the gradient is exact, XLA compiles it, and TFLite has all operations.

Convention: as `pose_maps`. Pictures are [B, H, W, C], float32 of any range; x and y are in their pixels.
"""

import tensorflow as tf


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

    def cell(position, size):
        position = tf.clip_by_value(position, 0, tf.cast(size - 1, position.dtype))
        low = tf.minimum(tf.floor(position), tf.cast(size - 2, position.dtype))
        return tf.cast(low, tf.int32), tf.cast(position - tf.stop_gradient(low), images.dtype)[..., None]

    column, right = cell(x, width)
    row, below = cell(y, height)
    top_left = (tf.range(batch)[:, None, None] * height + row) * width + column
    flat = tf.reshape(images, [-1, images.shape[-1]])
    corners = [tf.gather(flat, top_left + offset) for offset in (0, 1, width, width + 1)]
    top = corners[0] + right * (corners[1] - corners[0])
    bottom = corners[2] + right * (corners[3] - corners[2])
    return top + below * (bottom - top)


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


def sample_displaced(images: tf.Tensor, displacement: tf.Tensor) -> tf.Tensor:
    """Output pixel (x, y) shows images at (x, y) + displacement.

    Args:
        images: [B, H, W, C], constant beyond their border.
        displacement: [B, H, W, 2], along x and y in pixels.

    Returns:
        [B, H, W, C]; see `sample_within`.
    """
    size, kind = tf.shape(displacement), displacement.dtype
    x = tf.cast(tf.range(size[2]), kind)[None, None, :] + displacement[..., 0]
    y = tf.cast(tf.range(size[1]), kind)[None, :, None] + displacement[..., 1]
    return sample_within(images, x, y)
