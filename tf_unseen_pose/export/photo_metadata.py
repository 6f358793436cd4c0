"""Reads a photo's metadata in the graph: orientation, colour profile, transparency.

Sources: ITU-T T.81 annex B (JPEG); PNG, third edition, chapter 5; TIFF 6.0 section 2 (EXIF); ICC.1:2022 annex B (a
profile in JPEG files).

Convention: a file is a scalar string; missing parts are empty strings.
"""

from typing import NamedTuple

import tensorflow as tf

from tf_unseen_pose.export.checks import require

# Limit on segments or chunks before the pixels; files with more are made to cost time.
_MOST_PARTS = 1000
_MOST_PROFILE = 1 << 16
_EXIF, _PROFILE = b"Exif\0\0", b"ICC_PROFILE\0"


class Metadata(NamedTuple):
    """Metadata before the pixels of a file.

    Attributes:
        exif: a TIFF structure, string.
        profile: an ICC profile, string.
        transparent: whether pixels may be transparent, boolean.
    """

    exif: tf.Tensor
    profile: tf.Tensor
    transparent: tf.Tensor


def in_jpeg(contents: tf.Tensor) -> Metadata:
    """Metadata from the segments of a JPEG file, up to its first scan."""

    def within(at, *_):
        return (at + 4 <= tf.strings.length(contents)) & (number(contents, at, 1) == 0xFF)

    def segment(at, exif, profile):
        marker, size = number(contents, at + 1, 1), number(contents, at + 2, 2)
        data = _part(contents, at + 4, size - 2)
        is_exif = (marker == 0xE1) & (_part(data, 0, 6) == _EXIF)
        # A large profile spans several segments in order; two bytes count them.
        is_profile = (marker == 0xE2) & (_part(data, 0, 12) == _PROFILE)
        exif = tf.where(is_exif, _part(data, 6), exif)
        profile = tf.where(is_profile, tf.strings.join([profile, _part(data, 14)]), profile)
        # The scan's own data follow it.
        return tf.where(marker == 0xDA, tf.strings.length(contents), at + 2 + size), exif, profile

    _, exif, profile = _walked(within, segment, 2)
    return Metadata(exif, profile, tf.constant(False))


def in_png(contents: tf.Tensor) -> Metadata:
    """Metadata from the chunks of a PNG file, up to its pixels."""

    def within(at, *_):
        return (at + 12 <= tf.strings.length(contents)) & (_part(contents, at + 4, 4) != b"IDAT")

    def chunk(at, exif, profile, transparent):
        size, name = number(contents, at, 4), _part(contents, at + 4, 4)
        data = _part(contents, at + 8, size)
        exif = tf.where(name == b"eXIf", data, exif)
        profile = tf.cond(name == b"iCCP", lambda: _unpacked(data), lambda: profile)
        return at + 12 + tf.maximum(size, 0), exif, profile, transparent | (name == b"tRNS")

    _, exif, profile, transparent = _walked(within, chunk, 8, False)
    # The header's colour type: this bit means an alpha channel.
    has_opacity = tf.bitwise.bitwise_and(number(contents, 25, 1), 4) > 0
    return Metadata(exif, profile, transparent | has_opacity)


def orientation(exif: tf.Tensor) -> tf.Tensor:
    """The EXIF orientation, int32 in 1..8; 1 (upright) without one."""
    little = _part(exif, 0, 1) == b"I"

    directory = number(exif, 4, 4, little)
    entries = tf.clip_by_value(number(exif, directory, 2, little), 0, _MOST_PARTS)
    # One more entry of zeros, for files without one.
    rows = tf.reshape(_bytes(_part(exif, directory + 2, 12 * entries), 12 * (entries + 1)), [-1, 12])
    rows = tf.where(little, tf.gather(rows, [1, 0, 9, 8], axis=1), tf.gather(rows, [0, 1, 8, 9], axis=1))
    tags, values = 256 * rows[:, 0] + rows[:, 1], 256 * rows[:, 2] + rows[:, 3]
    found = tf.reduce_max(tf.where(tags == 0x0112, values, 0), axis=0)
    return tf.where((found >= 1) & (found <= 8), found, 1)


def upright(photo: tf.Tensor, turned: tf.Tensor) -> tf.Tensor:
    """A photo [H, W, C], turned upright by its EXIF orientation."""

    def by(transposed, rows, columns):
        def turn():
            seen = tf.transpose(photo, [1, 0, 2]) if transposed else photo
            return seen[:: -1 if rows else 1, :: -1 if columns else 1]

        return turn

    # Whether to transpose, then whether to reverse rows and columns.
    ways = [(0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0)]
    return tf.switch_case(turned - 1, [by(*way) for way in ways])


def number(text: tf.Tensor, at: tf.Tensor | int, size: int, little: tf.Tensor | bool = False) -> tf.Tensor:
    """The number of `count` bytes at an offset of a string, int32, big-endian unless `little`.

    Bytes beyond the end are zeros.
    """
    digits = _bytes(_part(text, at, size), size)
    return tf.reduce_sum(tf.where(little, digits, digits[::-1]) * [256**power for power in range(size)])


def _walked(within, step, start, *flags):
    """The final state of `step`, which starts with empty strings and runs from part to part while `within` holds."""
    state = tf.constant(start), tf.constant(b""), tf.constant(b""), *map(tf.constant, flags)
    return tf.while_loop(within, step, state, maximum_iterations=_MOST_PARTS, parallel_iterations=1)


def _unpacked(data):
    """The profile in an iCCP chunk: a name that ends with a zero byte, a zero byte for the method, zlib's stream."""
    name = tf.argmax(tf.cast(_bytes(data, 80) == 0, tf.int32), output_type=tf.int32)
    # A profile that decompresses without end is not one of a photo.
    with require(tf.strings.length(data) <= _MOST_PROFILE, "The photo's colour profile is too large; remove it."):
        return tf.io.decode_compressed(_part(data, name + 2), compression_type="ZLIB")


def _part(text, at, size=None):
    """A part of a string, as far as it exists; without a size, everything from `at` on."""
    at = tf.clip_by_value(at, 0, tf.strings.length(text))
    return tf.strings.substr(text, at, -1 if size is None else tf.maximum(size, 0))


def _bytes(text, count):
    """The first bytes of a string as int32 [count], padded with zeros."""
    return tf.cast(tf.io.decode_raw(text, tf.uint8, fixed_length=count), tf.int32)
