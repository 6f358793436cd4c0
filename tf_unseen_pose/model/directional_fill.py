"""Inpaints a hole from its rim along rows and columns, as the input of the background network.

Every pixel of the hole takes the colours of the nearest known pixels to the left, right, top and bottom, weighted by the
inverse of their distance. A row or column counts more if the colours of its two ends agree: they probably belong to one
surface, such as a floor or a shelf, that goes on behind the person.

Source: weighted interpolation from four sides, as in the concealment of lost blocks: Aign and Fazel, Temporal and
spatial error concealment techniques for hierarchical MPEG-2 video codec, 1995. The weights by agreement are ours.
"""

import tensorflow as tf

# Mean difference of two ends' colours, in [-1, 1], at which their weight falls to 1/e, and the weight of ends that differ.
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
        place = tf.ones_like(known) * (place[:, None, None] if axis == 1 else place[:, None])
        maps = tf.concat([colour, place], axis=-1)
        ends = [_nearest(maps, known, axis, size, backwards) for backwards in (False, True)]
        (first, *_), (second, *_) = ends
        difference = tf.reduce_mean(tf.abs(first[..., :-1] - second[..., :-1]), axis=-1, keepdims=True)
        agreement = ends[0][1] * ends[1][1] * tf.exp(-difference / _TOLERANCE) + _LEAST_AGREEMENT
        for values, presence in ends:
            share = agreement * presence / (1 + tf.abs(values[..., -1:] - place))
            mixed, total = mixed + share * values[..., :-1], total + share
    # No gradient: a hole is not to grow or shrink for the colours of its rim.
    return known * picture + (1 - known) * tf.stop_gradient(mixed / (total + _TINY))


def _nearest(maps, known, axis, size, backwards):
    """The nearest known values before each pixel along an axis, or after it, and 1 where there are any.

    A pixel that is known in part lets the rest through, as a layer of its opacity would. Doubling distances combine
    such layers in log2(size) steps.
    """
    layers = tf.concat([maps * known, known], axis=-1)
    distance = 1
    while distance < size:
        layers += (1 - layers[..., -1:]) * _moved(layers, axis, size, -distance if backwards else distance)
        distance *= 2
    opacity = layers[..., -1:]
    return layers[..., :-1] / (opacity + _TINY), opacity


def _moved(maps, axis, size, distance):
    """Maps moved along an axis, 0 where nothing comes from."""
    padding, begin, sizes = [[0, 0] for _ in range(4)], [0] * 4, [-1] * 4
    padding[axis] = [max(distance, 0), max(-distance, 0)]
    begin[axis], sizes[axis] = max(-distance, 0), size
    return tf.slice(tf.pad(maps, padding), begin, sizes)
