"""Inpaints a hole smoothly from its rim, as the input of the background network.

The picture is halved repeatedly, each pixel being the mean of the known ones among its four; on the way back, unknown
pixels take the colour of the coarser level. So a hole has the rim's colours near the rim and those of the wider
surroundings in the middle.

Source: the pull-push algorithm of Gortler et al., The Lumigraph, 1996.
"""

import tensorflow as tf

# A pixel is known from this fraction on: one known pixel of its four is enough.
_ENOUGH = 0.25
_LEAST_SIDE = 4


def smoothly_filled(picture: tf.Tensor, known: tf.Tensor) -> tf.Tensor:
    """The picture where it is known, its surroundings elsewhere; differentiable in both.

    Args:
        picture: [B, H, W, C].
        known: [B, H, W, 1] in [0, 1].

    Returns:
        [B, H, W, C], within the range of the picture's values. It is 0 if nothing is known.
    """
    levels = [(picture * known, known)]
    for _ in range(_halvings(*known.shape[1:3])):
        levels.append(tuple(tf.nn.avg_pool2d(maps, 2, 2, "VALID") for maps in levels[-1]))
    colour, weight = (tf.reduce_mean(maps, axis=[1, 2], keepdims=True) for maps in levels[-1])
    colour /= weight + 1e-6
    for coloured, weight in reversed(levels):
        trusted = tf.minimum(weight / _ENOUGH, 1)
        coarse = tf.image.resize(colour, coloured.shape[1:3])
        colour = coarse + trusted * (coloured / (weight + 1e-6) - coarse)
    return known * picture + (1 - known) * colour


def _halvings(height, width):
    """Number of halvings until the shorter side is `_LEAST_SIDE`."""
    count = 0
    while min(height, width) >= 2 * _LEAST_SIDE and height % 2 == width % 2 == 0:
        height, width, count = height // 2, width // 2, count + 1
    return count
