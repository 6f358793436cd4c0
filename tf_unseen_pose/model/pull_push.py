"""Fills the hole in a picture smoothly, from its rim inwards: what the background network starts from.

A picture is halved until little is left of it, every pixel being the mean of those that are known among its four;
going back, what is unknown takes the colour of the level below. So near the rim a hole has the rim's colours, in its
middle those of the wider surroundings.

Source: the pull-push algorithm of Gortler et al., The Lumigraph, 1996.
"""

import tensorflow as tf

# Known to this part, a pixel says its own colour: one of the four that it is the mean of is enough.
_ENOUGH = 0.25
_LEAST_SIDE = 4


def smoothly_filled(picture: tf.Tensor, known: tf.Tensor) -> tf.Tensor:
    """The picture where it is known, what is about elsewhere; differentiable in both.

    Args:
        picture: [B, H, W, C].
        known: [B, H, W, 1] in [0, 1].

    Returns:
        [B, H, W, C], within the range of the picture's values. Where nothing at all is known it is 0.
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
    """How often a picture can be halved until its shorter side is `_LEAST_SIDE`."""
    count = 0
    while min(height, width) >= 2 * _LEAST_SIDE and height % 2 == width % 2 == 0:
        height, width, count = height // 2, width // 2, count + 1
    return count
