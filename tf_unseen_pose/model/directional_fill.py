"""Inpaints a hole from its rim along rows and columns, as the input of the background network.

Every pixel of the hole takes the colours of the nearest known pixels to the left, right, top and bottom, weighted by
the inverse of their distance. A row or column counts more if the colours of its two ends agree: they probably belong to
one surface, such as a floor or a shelf, that goes on behind the person.

Source: weighted interpolation from four sides, as in the concealment of lost blocks: Aign and Fazel, Temporal and
spatial error concealment techniques for hierarchical MPEG-2 video codec, 1995. The weights by agreement are ours.
"""

import tensorflow as tf

# Mean difference of two ends' colours, in [-1, 1], at which their weight falls to 1/e, and its least value.
_TOLERANCE, _LEAST_AGREEMENT = 0.15, 0.02
_TINY = 1e-8


def filled(picture: tf.Tensor, known: tf.Tensor) -> tf.Tensor:
    """The picture where it is known, interpolated from the rim of the hole elsewhere.

    Args:
        picture: [B, H, W, C] in [-1, 1].
        known: [B, H, W, 1] in [0, 1].

    Returns:
        [B, H, W, C], within the range of the picture's values. It is 0 if nothing is known.
    """
    # Single pixels of the rim would become streaks.
    colour, weight = (tf.nn.avg_pool2d(maps, 3, 1, "SAME") for maps in (picture * known, known))
    colour /= weight + _TINY
    mixed, total = 0.0, 0.0
    for axis, size in ((1, known.shape[1]), (2, known.shape[2])):
        place = tf.range(size, dtype=known.dtype)
        place = place[:, None, None] if axis == 1 else place[:, None]
        layers = tf.concat([colour * known, place * known, known], axis=-1)
        # Both directions at once: the second is the first of the picture mirrored.
        found = _nearest_before(tf.concat([layers, tf.reverse(layers, [axis])], axis=0), axis, size)
        before, after = tf.split(found, 2, axis=0)
        ends = [_apart(before), _apart(tf.reverse(after, [axis]))]
        (first, _, any_first), (second, _, any_second) = ends
        difference = tf.reduce_mean(tf.abs(first - second), axis=-1, keepdims=True)
        agreement = any_first * any_second * tf.exp(-difference / _TOLERANCE) + _LEAST_AGREEMENT
        for end, end_place, presence in ends:
            share = agreement * presence / (1 + tf.abs(end_place - place))
            mixed, total = mixed + share * end, total + share
    # No gradient: a hole is not to grow or shrink for the colours of its rim.
    return known * picture + (1 - known) * tf.stop_gradient(mixed / (total + _TINY))


def _nearest_before(layers, axis, size):
    """The nearest known values up to each pixel along an axis.

    Layers are values times opacity, and the opacity last: a pixel that is known in part lets the rest through. Doubling
    distances combine them in log2(size) steps.
    """
    distance = 1
    while distance < size:
        padding, lengths = [[0, 0] for _ in range(4)], [-1] * 4
        padding[axis], lengths[axis] = [distance, 0], size
        moved = tf.slice(tf.pad(layers, padding), [0] * 4, lengths)
        layers += (1 - layers[..., -1:]) * moved
        distance *= 2
    return layers


def _apart(layers):
    """Colours, places and opacity."""
    opacity = layers[..., -1:]
    values = layers[..., :-1] / (opacity + _TINY)
    return values[..., :-1], values[..., -1:], opacity
