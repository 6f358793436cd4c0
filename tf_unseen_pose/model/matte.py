"""The person mask at any resolution: locally a linear function of the photo's colour.

A network's mask is coarse and soft. A guided filter finds, about every pixel of it, the linear function of red, green
and blue that fits the mask best. Its coefficients, the matte, vary slowly; applied to the photo's own pixels, they
follow the photo's outlines.

    mask = clip(matte[0] * red + matte[1] * green + matte[2] * blue + matte[3]), colours in 0..1

Source: He, Sun, Tang, Guided Image Filtering, 2010 (colour guide); coefficients from a smaller image: He, Sun, Fast
Guided Filter, 2015.
"""

import tensorflow as tf

# Radius of the window in pixels of the mask, and least variance of an edge, of colours in 0..1. Compared on held-out
# people, see benchmarks/quality.md.
_RADIUS, _EPSILON = 2, 1e-4


def guided_matte(image: tf.Tensor, mask: tf.Tensor) -> tf.Tensor:
    """The person mask as a locally linear function of the photo's colour.

    Args:
        image: [B, h, w, 3] in [-1, 1], the photo at the mask's resolution.
        mask: [B, h, w, 1] in [0, 1].

    Returns:
        [B, h, w, 4]: factors of red, green and blue in 0..1, and the constant.
    """
    guide = 0.5 * image + 0.5
    colours = tf.split(guide, 3, axis=-1)
    products = [colours[i] * colours[j] for i in range(3) for j in range(i + 1)]
    means = _box_mean(tf.concat([guide, mask, *products, guide * mask], axis=-1))
    *mean, mask_mean, s00, s10, s11, s20, s21, s22, p0, p1, p2 = tf.split(means, 13, axis=-1)
    variances = [s - mean[i] ** 2 + _EPSILON for i, s in enumerate((s00, s11, s22))]
    s10, s20, s21 = s10 - mean[1] * mean[0], s20 - mean[2] * mean[0], s21 - mean[2] * mean[1]
    factors = _solved(variances, (s10, s20, s21), [p - m * mask_mean for p, m in zip((p0, p1, p2), mean, strict=True)])
    constant = mask_mean - tf.add_n([factor * m for factor, m in zip(factors, mean, strict=True)])
    return _box_mean(tf.concat([*factors, constant], axis=-1))


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


def _box_mean(maps):
    """The mean of the window around every pixel, within the map."""
    return tf.nn.avg_pool2d(maps, 2 * _RADIUS + 1, 1, "SAME")
