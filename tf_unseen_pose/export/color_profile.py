"""Converts a photo from its ICC profile to sRGB in the graph; `imaging.photos` does so by LittleCMS.

Matrix profiles are supported, which cameras and phones write (sRGB, Display P3, Adobe RGB, grey): a curve per channel
to light, and a matrix from light to XYZ under D50.

Sources: ICC.1:2022 sections 8.3 (such profiles), 10.6 and 10.18 (curves); IEC 61966-2-1 for sRGB.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from tf_unseen_pose.export.checks import require

# Limits on a profile's entries and on the values of a curve's table.
_MOST_TAGS, _MOST_VALUES, _MOST_BYTES = 100, 4096, 1 << 16
# From linear sRGB to XYZ, adapted to D50.
_SRGB = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
_FROM_XYZ = np.linalg.inv(_SRGB).astype(np.float32)
# Size of the table of sRGB's curve over light, fine enough for the darkest of 256 levels.
_STEPS = 1 << 14


class Conversion(NamedTuple):
    """A conversion of colours to sRGB.

    Attributes:
        needed: whether colours change at all, boolean.
        curves: from the levels 0..255 of each channel to light, float32 [3, 256].
        matrix: from light to linear sRGB, float32 [3, 3].
    """

    needed: tf.Tensor
    curves: tf.Tensor
    matrix: tf.Tensor


def conversion(profile: tf.Tensor) -> Conversion:
    """The conversion of an ICC profile, a string; an empty one needs none. Rejects other than matrix profiles."""
    needed = tf.strings.length(profile) > 0
    none = tf.zeros([3, 256]), tf.zeros([3, 3])
    return Conversion(needed, *tf.cond(needed, lambda: _curves(profile), lambda: none))


def in_srgb(colours: tf.Tensor, conversion: Conversion) -> tf.Tensor:
    """Colours, uint8 [..., 3], converted, uint8."""

    def converted():
        levels = tf.cast(colours, tf.int32)
        light = tf.stack([tf.gather(conversion.curves[each], levels[..., each]) for each in range(3)], axis=-1)
        linear = tf.clip_by_value(tf.einsum("...c,dc->...d", light, conversion.matrix), 0, 1)
        return tf.gather(_srgb_levels(), tf.cast(tf.round(linear * (_STEPS - 1)), tf.int32))

    return tf.ensure_shape(tf.cond(conversion.needed, converted, lambda: colours), colours.shape)


def _curves(profile):
    """From levels to light, float32 [3, 256], and from light to linear sRGB, float32 [3, 3]."""
    # Followed by zeros, for offsets beyond the end.
    size = tf.minimum(tf.strings.length(profile), _MOST_BYTES) + 2 * _MOST_VALUES + 200
    data = tf.cast(tf.io.decode_raw(profile, tf.uint8, fixed_length=size), tf.int32)
    count = tf.clip_by_value(_unsigned(_at(data, 128, 4)), 0, _MOST_TAGS)
    tags = tf.reshape(_at(data, 132, 12 * count), [-1, 12])
    names, places = _unsigned(tags[:, :4]), _unsigned(tags[:, 4:8])

    def place(name):
        return tf.reduce_max(tf.where(names == int.from_bytes(name, "big"), places, 0))

    grey = tf.reduce_all(_at(data, 16, 4) == list(b"GRAY"))
    curves = [tf.where(grey, place(b"kTRC"), place(name)) for name in (b"rTRC", b"gTRC", b"bTRC")]
    columns = [place(name) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
    known = tf.reduce_all(tf.stack(curves) > 0) & (grey | tf.reduce_all(tf.stack(columns) > 0))
    with require(known, "The photo's colour profile is not of curves and a matrix; convert the photo to sRGB."):
        matrix = tf.stack([_fixed(data, at + 8, 3) for at in columns], axis=1)
    to_srgb = tf.where(grey, tf.eye(3), tf.matmul(_FROM_XYZ, matrix))
    return tf.stack([_curve(data, at) for at in curves]), to_srgb


def _curve(data, at):
    """The curve at an offset of a profile, at the levels 0..255: float32 [256]."""
    levels = tf.range(256, dtype=tf.float32) / 255
    count = tf.clip_by_value(_unsigned(_at(data, at + 8, 4)), 0, _MOST_VALUES)

    def table():
        pairs = tf.cast(_at(data, at + 12, 2 * count), tf.float32)
        values = (256 * pairs[::2] + pairs[1::2]) / 65535
        places = levels * tf.cast(count - 1, tf.float32)
        first = tf.minimum(tf.cast(places, tf.int32), tf.maximum(count - 2, 0))
        part = places - tf.cast(first, tf.float32)
        return (1 - part) * tf.gather(values, first) + part * tf.gather(values, tf.minimum(first + 1, count - 1))

    def power():
        digits = tf.cast(_at(data, at + 12, 2), tf.float32)
        return levels ** tf.where(count == 1, digits[0] + digits[1] / 256, 1)

    # 'curv' is a table, or a single exponent, or nothing for a straight line; 'para' a formula.
    formula = tf.reduce_all(_at(data, at, 4) == list(b"para"))
    return tf.cond(formula, lambda: _formula(data, at, levels), lambda: tf.cond(count > 1, table, power))


def _formula(data, at, x):
    """ICC's parametric curves: (a x + b)^g + e from d on, c x + f below; each kind has more of these parameters."""
    kind = tf.clip_by_value(_at(data, at + 8, 2)[1], 0, 4)
    given = tf.range(7) < tf.gather([1, 3, 4, 5, 7], kind)
    g, a, b, c, d, e, f = tf.unstack(tf.where(given, _fixed(data, at + 12, 7), [1, 1, 0, 0, 0, 0, 0]))
    # Kinds 1 and 2 bend where the power begins; kind 2 adds its fourth constant on both sides.
    start, above = tf.where(kind >= 3, d, -b / a), tf.where(kind == 2, c, e)
    below = tf.where(kind == 2, c, c * x + f)
    return tf.where(x >= start, tf.maximum(a * x + b, 0) ** g + above, below)


def _srgb_levels():
    """sRGB's levels, uint8, for light in even steps from 0 to 1."""
    light = np.linspace(0, 1, _STEPS)
    levels = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return tf.constant(np.round(255 * levels).astype(np.uint8))


def _at(data, at, count):
    """`count` bytes at an offset, int32 [count]."""
    return tf.slice(data, [tf.clip_by_value(at, 0, tf.size(data) - count)], [count])


def _unsigned(digits):
    """Big-endian numbers of four bytes [..., 4]."""
    return tf.reduce_sum(digits * [1 << 24, 1 << 16, 1 << 8, 1], axis=-1)


def _fixed(data, at, count):
    """`count` fixed-point numbers (16.16), float32."""
    return tf.cast(_unsigned(tf.reshape(_at(data, at, 4 * count), [count, 4])), tf.float32) / 65536
