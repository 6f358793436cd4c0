"""Displacements enlarged across tears, where one limb ends and another begins.

Places between those of two limbs show neither, so that only the neighbours of one side count: the side that most of the
bilinear weight is on, which makes the edge between two limbs smooth at any scale. `imaging.tears` is the twin in NumPy.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

# Neighbouring pixels of a map that copy from places further apart than this, in pixels of the canvas, show different
# limbs. A limb that turns round moves its neighbours' places 4 to 6 apart.
TEAR = 10.0


def enlarged_displacement(displacement: tf.Tensor, size: tf.Tensor) -> tf.Tensor:
    """A displacement enlarged bilinearly, except across tears, where one limb ends and another begins.

    Args:
        displacement: [B, h, w, 2], along x and y, in pixels of the canvas.
        size: int32 [2], H and W.

    Returns:
        [B, H, W, 2]: `tf.image.resize` where no two of the four neighbours are more than `TEAR` apart.
    """
    upper, lower, down = _neighbours(displacement, size[0], axis=1)
    (left_up, right_up, across), (left_down, right_down, _) = (
        _neighbours(row, size[1], axis=2) for row in (upper, lower)
    )
    down, across = down[:, None, None], across[:, None]
    weights = [(1 - down, 1 - across), (1 - down, across), (down, 1 - across), (down, across)]
    return agreeing_mean([left_up, right_up, left_down, right_down], weights)


def agreeing_mean(places: Sequence[tf.Tensor], weights: Sequence[tuple[tf.Tensor, tf.Tensor]]) -> tf.Tensor:
    """The weighted mean of those places that agree with the one that most of the weight agrees with.

    Args:
        places: N times [..., 2], in pixels of the canvas.
        weights: N times two factors, whose product [..., 1] is a place's weight; one product at least is positive.
            Constant factors stay small in files: their products, which are as large as pictures, are never taken.

    Returns:
        [..., 2]. Places agree if they are at most `TEAR` apart.
    """

    def agreement(one, other):
        apart = places[one] - places[other]
        return tf.cast(tf.reduce_sum(apart * apart, axis=-1, keepdims=True) <= TEAR**2, apart.dtype)

    def weighted(values):
        return [value * down * across for value, (down, across) in zip(values, weights, strict=True)]

    count = range(len(places))
    pairs = {(i, j): agreement(i, j) for i in count for j in count if i < j}
    pairs |= {(j, i): pair for (i, j), pair in pairs.items()}
    # Every place agrees with itself.
    pairs |= {(i, i): tf.cast(tf.abs(places[i][..., :1]) < np.inf, places[i].dtype) for i in count}
    agreeing = [[pairs[i, j] for j in count] for i in count]
    supports = [sum(weighted(row)) for row in agreeing]
    best, chosen = supports[0], agreeing[0]
    for support, row in zip(supports[1:], agreeing[1:], strict=True):
        better = tf.cast(support > best, support.dtype)
        chosen = [kept + better * (own - kept) for kept, own in zip(chosen, row, strict=True)]
        best = tf.maximum(best, support)
    return sum(weighted([agrees * place for agrees, place in zip(chosen, places, strict=True)])) / best


def _neighbours(maps, size, axis):
    """The two pixels of a map between which each pixel of the enlarged map lies, and its distance from the first."""
    cells = maps.shape[axis]
    position = (tf.cast(tf.range(size), maps.dtype) + 0.5) * (cells / tf.cast(size, maps.dtype)) - 0.5
    position = tf.clip_by_value(position, 0, cells - 1)
    low = tf.minimum(tf.floor(position), max(cells - 2, 0))
    first = tf.cast(low, tf.int32)
    return (
        tf.gather(maps, first, axis=axis),
        tf.gather(maps, tf.minimum(first + 1, cells - 1), axis=axis),
        position - low,
    )
