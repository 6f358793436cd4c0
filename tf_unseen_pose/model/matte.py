"""The person mask at any resolution: locally a linear function of the photo's colour.

A network's mask is coarse and soft. A guided filter finds, about every pixel of it, the linear function of red, green
and blue that fits the mask best. Its coefficients, the matte, vary slowly; applied to the photo's own pixels, they
follow the photo's outlines.

    mask = clip(matte[0] * red + matte[1] * green + matte[2] * blue + matte[3]), colours in 0..1

Source: He, Sun, Tang, Guided Image Filtering, 2010 (colour guide); coefficients from a smaller image: He, Sun, Fast
Guided Filter, 2015.
"""

import numpy as np
import tensorflow as tf

# Radius of the window in pixels of the mask, and least variance of an edge, of colours in 0..1. Compared on held-out
# people, see benchmarks/quality.md.
_RADIUS, _EPSILON = 2, 1e-4
_SIDE = 2 * _RADIUS + 1


def guided_matte(image: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """The person mask as a locally linear function of the photo's colour.

    Args:
        image: [B, h, w, 3] in [-1, 1], the photo at the mask's resolution.
        mask: [B, h, w, 1] in [0, 1].

    Returns:
        [B, h, w, 4]: factors of red, green and blue in 0..1, and the constant.
    """
    red, green, blue = tf.split(0.5 * image + 0.5, 3, axis=-1)
    first = tf.concat([red, green, blue, red, red, green, red, green, blue], axis=-1)
    second = tf.concat([red, green, blue, green, blue, blue, mask, mask, mask], axis=-1)
    means, mask_mean, covariances = _window_statistics(first, second)
    v0, v1, v2, s10, s20, s21, p0, p1, p2 = tf.split(covariances, 9, axis=-1)
    factors = tf.concat(_solved([v + _EPSILON for v in (v0, v1, v2)], (s10, s20, s21), (p0, p1, p2)), axis=-1)
    constant = mask_mean[..., -1:] - tf.reduce_sum(factors * means[..., :3], axis=-1, keepdims=True)
    return _box_mean(tf.concat([factors, constant], axis=-1))


def unknown_matte(image: tf.Tensor) -> tf.Tensor:
    """The matte [B, H / 2, W / 2, 4] of an unknown mask, 1/2 everywhere.

    Args:
        image: [B, H, W, 3] in [-1, 1].
    """
    nothing = tf.zeros_like(image[:, ::2, ::2])
    return tf.concat([nothing, nothing[..., :1] + 0.5], axis=-1)


def person_mask(image: tf.Tensor, matte: tf.Tensor) -> tf.Tensor:
    """The mask [B, H, W, 1] in [0, 1] of an image [B, H, W, 3] in [-1, 1] and its matte [B, H, W, 4]."""
    red, green, blue = tf.split(0.5 * image + 0.5, 3, axis=-1)
    of_red, of_green, of_blue, constant = tf.split(matte, 4, axis=-1)
    return tf.clip_by_value(of_red * red + of_green * green + of_blue * blue + constant, 0, 1)


def _solved(variances, covariances, right):
    """Solves three equations a pixel by Cholesky's method without roots (L D L^T), which is stable in float32.

    Args:
        variances: of 0, 1, 2, positive.
        covariances: of 1 and 0, 2 and 0, 2 and 1.
    """
    (d0, v1, v2), (s10, s20, s21), (y0, y1, y2) = variances, covariances, right
    l10, l20 = s10 / d0, s20 / d0
    d1 = v1 - l10 * s10
    t21 = s21 - l20 * s10
    l21 = t21 / d1
    d2 = v2 - l20 * s20 - l21 * t21
    y1 -= l10 * y0
    x2 = (y2 - l20 * y0 - l21 * y1) / d2
    x1 = y1 / d1 - l21 * x2
    return y0 / d0 - l10 * x1 - l20 * x2, x1, x2


def _window_statistics(first, second):
    """The means of two maps in the window around every pixel, and their covariance; borders are mirrored.

    The mean product less the product of means would be rounded to nothing where colours hardly vary. So colours are
    centred first: in rows, then the rows' means in columns.
    """
    first, second, within = _statistics(first, second, 2)
    first, second, between = _statistics(first, second, 1)
    return first, second, between + _mean(_mirrored(within, 1), 1)


def _statistics(first, second, axis):
    """As `_window_statistics`, of windows along one axis."""
    size, maps = first.shape[axis], [_mirrored(maps, axis) for maps in (first, second)]
    means = [_mean(padded, axis) for padded in maps]
    products = []
    for start in range(_SIDE):
        moved = np.s_[:, start : start + size] if axis == 1 else np.s_[:, :, start : start + size]
        centred = [padded[moved] - mean for padded, mean in zip(maps, means, strict=True)]
        products.append(centred[0] * centred[1])
    # Not `add_n`, which TFLite computes slowly.
    return *means, sum(products) / _SIDE


def _mirrored(maps, axis):
    """Maps [B, h, w, C], longer along an axis by half a window at both ends."""
    padding = [[0, 0] for _ in range(4)]
    padding[axis] = [_RADIUS, _RADIUS]
    return tf.pad(maps, padding, "SYMMETRIC")


def _mean(padded, axis):
    """The mean of the window along an axis around every pixel of what was padded."""
    return tf.nn.avg_pool2d(padded, [_SIDE if axis == 1 else 1, _SIDE if axis == 2 else 1], 1, "VALID")


def _box_mean(maps):
    """The mean of the window around every pixel, within the map."""
    return tf.nn.avg_pool2d(maps, _SIDE, 1, "SAME")
