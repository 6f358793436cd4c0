"""Shows pieces of the photo in the hole, in place of what a network painted there.

A small network paints the right colours in the wrong places: smears. Every pixel of the hole takes those of the place
in the scene whose surroundings are most like what is painted around the pixel, from coarse to fine. The coarsest map is
searched as a whole, the others about the places found on it and at pixels nearby.

Sources: votes of overlapping patches, Wexler, Shechtman and Irani, Space-time completion of video, 2007; good places
spread to their neighbours, Barnes, Shechtman, Finkelstein and Goldman, PatchMatch, 2009.
"""

import numpy as np
import tensorflow as tf

# Patches have 3 x 3 pixels.
_RADIUS, _SIDE = 1, 3
_AREA = _SIDE**2
# The longer side of the coarsest map, of which all pairs of pixels are compared, is at most this.
_COARSEST = 32
# From how far places are tried at finer maps, in pixels.
_DISTANCES = (4, 1)
# The difference from patches that the hole or the border cuts: far more than that of any colours in [-1, 1].
_CUT = 30.0
_LEAST = 1e-6


def exemplars(picture: tf.Tensor, painted: tf.Tensor, hidden: tf.Tensor) -> tf.Tensor:
    """The picture with its hole made of pieces of the rest.

    Args:
        picture: [B, H, W, 3] in [-1, 1].
        painted: [B, H, W, 3], the same with colours in the hole that the pieces are to resemble.
        hidden: [B, H, W, 1], 1 in the hole and 0 elsewhere.

    Returns:
        [B, H, W, 3], without a gradient; near what is painted if no patch is known.
    """
    size, shifts, found = picture.shape[1:3], None, None
    for factor in _factors(*size):
        known = _smaller(1 - hidden, factor)
        scene = _smaller(picture * (1 - hidden), factor) / tf.maximum(known, _LEAST)
        guide, unknown = _smaller(painted, factor), tf.cast(known < 0.5, picture.dtype)
        if found is not None:
            shifts = 2 * _twice(shifts)
            # What is found follows structures, what is painted keeps it from straying.
            guide = (guide + tf.image.resize(found, guide.shape[1:3])) / 2
        scene += unknown * (guide - scene)
        shifts, found = _found(scene, unknown, shifts)
    return tf.stop_gradient(found)


def _factors(height, width):
    """By how much maps are smaller, from the coarsest to 1."""
    factor = 1
    while max(height, width) > _COARSEST * factor and not (height % (2 * factor) or width % (2 * factor)):
        factor *= 2
    while factor:
        yield factor
        factor //= 2


def _smaller(maps, factor):
    return tf.nn.avg_pool2d(maps, factor, factor, "VALID") if factor > 1 else maps


def _twice(maps):
    """Maps [B, h, w, C] with every pixel four times: [B, 2 h, 2 w, C]."""
    return tf.image.resize(maps, [2 * maps.shape[1], 2 * maps.shape[2]], "nearest")


def _found(scene, unknown, shifts):
    """One map: for every pixel how far away the place is whose patch is most like its own, and the votes' colours.

    Args:
        scene: [B, h, w, 3], with a guess in the hole.
        unknown: [B, h, w, 1], 1 in the hole.
        shifts: [B, h, w, 2], places to begin with, down and right in pixels; None to compare all with all.

    Returns:
        Shifts [B, h, w, 2], and the scene, with the mean of the patches that were found in the hole: [B, h, w, 3].
    """
    height, width = scene.shape[1:3]
    # Apart: together they would take 130 kB of a TFLite file.
    rows, columns = np.arange(height, dtype=np.float32)[:, None], np.arange(width, dtype=np.float32)
    # The last column is for patches that may not be shown.
    cut = tf.pad(unknown, [[0, 0], [_RADIUS] * 2, [_RADIUS] * 2, [0, 0]], constant_values=1)
    cut = _CUT * tf.nn.max_pool2d(cut, _SIDE, 1, "VALID")
    patches = _patches(scene)
    wanted, offered = _flat(tf.pad(patches, [[0, 0]] * 3 + [[0, 1]])), _flat(tf.concat([patches, cut], axis=-1))

    def place(shifts):
        down, right = tf.unstack(shifts, axis=-1)
        row, column = tf.clip_by_value(down + rows, 0, height - 1), tf.clip_by_value(right + columns, 0, width - 1)
        return tf.cast(row * width + column, tf.int32)

    if shifts is None:
        found = tf.reshape(tf.argmin(_differences(wanted, offered), axis=-1, output_type=tf.int32), [-1, height, width])
        row, column = (tf.cast(x, scene.dtype) for x in (found // width, found % width))
        shifts = tf.stack([row - rows, column - columns], axis=-1)
    else:
        for distance in _DISTANCES:
            shifts = _best(_tried(shifts, distance), place, wanted, offered)
    shown = tf.gather(offered, tf.reshape(place(shifts), [-1, height * width]), batch_dims=1)
    shown = tf.reshape(shown, [-1, height, width, shown.shape[-1]])
    vote = 1 - shown[..., -1:] / _CUT
    votes = _AREA * tf.nn.avg_pool2d(tf.pad(vote, [[0, 0], [_RADIUS] * 2, [_RADIUS] * 2, [0, 0]]), _SIDE, 1, "VALID")
    colours = _summed(vote * shown[..., :-1]) / tf.maximum(votes, _LEAST)
    return shifts, scene + unknown * tf.minimum(votes, 1) * (colours - scene)


def _tried(shifts, distance):
    """Shifts to choose from: a pixel's own, those of four others, and four beside its own: [B, 9, h, w, 2]."""
    height, width = shifts.shape[1:3]
    wide = tf.pad(shifts, [[0, 0], [distance] * 2, [distance] * 2, [0, 0]], "SYMMETRIC")
    near, far = distance, 2 * distance
    others = [wide[:, y : y + height, x : x + width] for y, x in ((0, near), (far, near), (near, 0), (near, far))]
    beside = [shifts + step for step in ((-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0))]
    return tf.stack([shifts, *others, *beside], axis=1)


def _best(tried, place, wanted, offered):
    """The shift [B, h, w, 2] of those tried, [B, K, h, w, 2], whose patch differs least.

    Args:
        tried: see `_tried`.
        place: from shifts to indices of patches.
        wanted, offered: [B, h w, D], each pixel's patch, and those to choose from.
    """
    count, height, width = tried.shape[1:4]
    patches = tf.gather(offered, tf.reshape(place(tried), [-1, count * height * width]), batch_dims=1)
    patches = tf.reshape(patches, [-1, count, *offered.shape[1:]])
    difference = tf.reduce_sum(tf.math.squared_difference(patches, wanted[:, None]), axis=-1)
    chosen = tf.one_hot(tf.argmin(difference, axis=1), count, axis=1)
    return tf.reduce_sum(tried * tf.reshape(chosen, [-1, count, height, width, 1]), axis=1)


def _differences(some, others):
    """Squared differences of patches [B, N, D] from patches [B, M, D]: [B, N, M]."""
    first, second = (tf.reduce_sum(patches * patches, axis=-1, keepdims=True) for patches in (some, others))
    return first + tf.transpose(second, [0, 2, 1]) - 2 * tf.matmul(some, others, transpose_b=True)


def _flat(maps):
    return tf.reshape(maps, [-1, maps.shape[1] * maps.shape[2], maps.shape[3]])


def _patches(maps):
    """The patch around each pixel of maps [B, h, w, C], column by column: [B, h, w, 9 C].

    As `tf.image.extract_patches`, which TFLite has no operation for.
    """
    height, width = maps.shape[1:3]
    wide = tf.pad(maps, [[0, 0], [_RADIUS] * 2, [_RADIUS] * 2, [0, 0]], "SYMMETRIC")
    tall = tf.concat([wide[:, y : y + height] for y in range(_SIDE)], axis=-1)
    return tf.concat([tall[:, :, x : x + width] for x in range(_SIDE)], axis=-1)


def _summed(patches):
    """The sum of all that patches, as of `_patches`, say about a pixel: [B, h, w, C]."""
    height, width = patches.shape[1:3]
    wide = tf.pad(patches, [[0, 0], [_RADIUS] * 2, [_RADIUS] * 2, [0, 0]])
    columns = enumerate(tf.split(wide, _SIDE, axis=-1))
    tall = tf.add_n([part[:, :, _SIDE - 1 - x : _SIDE - 1 - x + width] for x, part in columns])
    rows = enumerate(tf.split(tall, _SIDE, axis=-1))
    return tf.add_n([part[:, _SIDE - 1 - y : _SIDE - 1 - y + height] for y, part in rows])
