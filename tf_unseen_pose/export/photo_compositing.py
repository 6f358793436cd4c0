"""The twin of `imaging.compositing` within a graph: decisions carried out on a photo's own pixels.

What a client of a server gets is made here, by the same steps: the person mask and the painted scene once a photo, then
strip after strip of the rows, and of these the columns, in which something may change. Tests compare the two, and both with
`model.compositing`.

Convention: one photo at a time, without batch axis; points are (x, y).
"""

from typing import NamedTuple

import tensorflow as tf

from tf_unseen_pose.imaging.compositing import FEATHER, LEAST, LEAST_LOGIT, LUMA, MASK_FLOOR

# Rows that are worked off together: few enough for memory, many enough for the time that an operation takes to begin.
_STRIP = 128


class Range(NamedTuple):
    """Along one axis, the photo's pixels `first` ... `last` - 1 of those that a canvas covers, int32 scalars.

    Attributes:
        first, last: what is covered.
        corner: the canvas's first pixel, which may lie outside the photo.
        size: how many pixels of the photo the canvas is long.
        image: how many the photo is long.
    """

    first: tf.Tensor
    last: tf.Tensor
    corner: tf.Tensor
    size: tf.Tensor
    image: tf.Tensor

    def cells(self, count: int) -> tuple[tf.Tensor, tf.Tensor]:
        """Between which cells of a map of `count` the covered pixels lie: the lower one, int32, and float32 the part."""
        pixels = tf.cast(tf.range(self.first, self.last) - self.corner, tf.float64)
        position = (pixels + 0.5) * (count / tf.cast(self.size, tf.float64)) - 0.5
        position = tf.clip_by_value(position, 0, tf.cast(count - 1, tf.float64))
        low = tf.minimum(tf.floor(position), max(count - 2, 0))
        return tf.cast(low, tf.int32), tf.cast(position - low, tf.float32)

    def fade(self, width: tf.Tensor) -> tf.Tensor:
        """float32 0..1: less within `width` of a canvas's edge that lies within the photo."""
        pixels = tf.cast(tf.range(self.first, self.last) - self.corner, tf.float32) + 0.5
        low = tf.where(self.first > 0, pixels, width)
        high = tf.where(self.last < self.image, tf.cast(self.size, tf.float32) - pixels, width)
        return tf.clip_by_value(tf.minimum(low, high) / width, 0, 1)


class Sitting(NamedTuple):
    """A photo, ready to show its person in any pose.

    Attributes:
        photo: uint8 [H, W, 3].
        columns, rows: what of it the canvas covers.
        scale: float32, pixels of the photo a pixel of the canvas.
        source: uint8 [h, w, 4], the covered pixels, and how much each is the person's.
        scene: uint8 [h, w, 3], the covered pixels with the hole painted.
        hole: float32 [h', w', 4] as `PhotoCompositing` was given it.
    """

    photo: tf.Tensor
    columns: Range
    rows: Range
    scale: tf.Tensor
    source: tf.Tensor
    scene: tf.Tensor
    hole: tf.Tensor


def place(photo: tf.Tensor, canvas_to_image: tf.Tensor, height: int, width: int) -> tuple[Range, Range]:
    """Columns and rows of uint8 [H, W, 3] that a canvas on whole pixels covers."""
    step, found = canvas_to_image[0, 0], []
    for axis, length in ((0, width), (1, height)):
        corner = tf.cast(tf.round(canvas_to_image[axis, 2] - (step - 1) / 2), tf.int32)
        size, end = tf.cast(tf.round(step * length), tf.int32), tf.shape(photo)[1 - axis]
        first, last = (tf.clip_by_value(edge, 0, end) for edge in (corner, corner + size))
        found.append(Range(first, last, corner, size, end))
    return found[0], found[1]


def covered(photo: tf.Tensor, columns: Range, rows: Range) -> tf.Tensor:
    """The covered part of [H, W, 3]."""
    return photo[rows.first : rows.last, columns.first : columns.last]


def sitting(
    photo: tf.Tensor, canvas_to_image: tf.Tensor, size: tuple[int, int], matte: tf.Tensor, hole: tf.Tensor
) -> Sitting:
    """What does not depend on the pose.

    Args:
        photo: uint8 [H, W, 3].
        canvas_to_image: float32 [2, 3], on whole pixels.
        size: height and width of the canvas.
        matte: [h, w, 2], see `model.compositing.guided_matte`.
        hole: [h, w, 4], painted colours times how much they are used, and that.
    """
    columns, rows = place(photo, canvas_to_image, *size)
    pixels = covered(photo, columns, rows)

    def made(first, last):
        part = pixels[first:last]
        colour = tf.cast(part, tf.float32)
        slope, intercept = tf.unstack(enlarging_matte(first, last), axis=-1)
        mask = tf.clip_by_value(slope * tf.tensordot(colour, tf.constant(LUMA) / 255, 1) + intercept, 0, 1)
        source = tf.concat([part, _bytes(255 * mask[..., None])], axis=-1)
        painted = enlarging_hole(first, last)
        used = painted[..., 3:]
        scene = (1 - used) * colour + 127.5 * (painted[..., :3] + used)
        return tf.concat([source, tf.where(used > LEAST, _bytes(scene), part)], axis=-1)

    enlarging_matte, enlarging_hole = (_enlarging(maps, columns, rows) for maps in (matte, hole))
    both = _by_strips(made, tf.shape(pixels)[0], 7)
    return Sitting(photo, columns, rows, canvas_to_image[0, 0], both[..., :4], both[..., 4:], hole)


def composed(given: Sitting, decisions: tf.Tensor, steepness: float) -> tf.Tensor:
    """The covered part of the photo in one pose: uint8 [h, w, 3].

    Args:
        decisions: [h', w', 9], `model.compositing.Decisions` behind one another.
        steepness: factor of alpha's logit.
    """
    top, bottom, left, right = _box(_changes(given.hole, decisions, steepness), given.columns, given.rows)
    columns = given.columns._replace(first=given.columns.first + left, last=given.columns.first + right)
    rows = given.rows._replace(first=given.rows.first + top, last=given.rows.first + bottom)
    enlarging = _enlarging(decisions, columns, rows)
    width = FEATHER * tf.cast(tf.minimum(columns.size, rows.size), tf.float32)
    fades = tf.minimum(given.rows.fade(width)[top:bottom, None], given.columns.fade(width)[None, left:right])
    unchanged = covered(given.photo, given.columns, given.rows)

    def made(first, last):
        maps = enlarging(first, last)
        shift, gain, offset, alpha, coverage, stillness = tf.split(maps, [2, 1, 3, 1, 1, 1], axis=-1)
        x = given.scale * shift[..., 0] + tf.cast(tf.range(left, right), tf.float32)
        y = given.scale * shift[..., 1] + tf.cast(tf.range(top + first, top + last), tf.float32)[:, None]
        copied = _sampled(given.source, x, y)
        mask = copied[..., 3:] * coverage / 255
        logit = alpha + tf.math.log((mask + MASK_FLOOR) / (1 - mask + MASK_FLOOR))
        alpha = tf.sigmoid(steepness * logit)
        here = slice(top + first, top + last), slice(left, right)
        photo, scene = (tf.cast(picture[here], tf.float32) for picture in (unchanged, given.scene))
        foreground = gain * copied[..., :3] + 127.5 * (offset + 1 - gain)
        image = scene + alpha * (foreground - scene)
        return _bytes(photo + fades[first:last, :, None] * (1 - stillness) * (image - photo))

    middle = tf.concat(
        [unchanged[top:bottom, :left], _by_strips(made, bottom - top, 3), unchanged[top:bottom, right:]], axis=1
    )
    return tf.concat([unchanged[:top], middle, unchanged[bottom:]], axis=0)


def pasted(given: Sitting, part: tf.Tensor) -> tf.Tensor:
    """The photo with its covered part replaced: uint8 [H, W, 3]."""
    columns, rows, photo = given.columns, given.rows, given.photo
    beside = photo[rows.first : rows.last]
    middle = tf.concat([beside[:, : columns.first], part, beside[:, columns.last :]], axis=1)
    return tf.concat([photo[: rows.first], middle, photo[rows.last :]], axis=0)


def _enlarging(maps, columns, rows):
    """Bilinear enlargement of [h, w, C] to a range of the rows of what is covered, as a function of that range."""
    low, part = columns.cells(maps.shape[1])
    after = tf.minimum(low + 1, maps.shape[1] - 1)
    left, right = tf.gather(maps, low, axis=1), tf.gather(maps, after, axis=1)
    wide = left + part[:, None] * (right - left)
    low, part = rows.cells(maps.shape[0])

    def enlarged(first, last):
        top, below = low[first:last], part[first:last, None, None]
        upper, lower = tf.gather(wide, top), tf.gather(wide, tf.minimum(top + 1, maps.shape[0] - 1))
        return upper + below * (lower - upper)

    return enlarged


def _by_strips(function, count, channels):
    """uint8 [count, w, channels] of a function of ranges of rows, one strip after the other."""
    found = tf.TensorArray(tf.uint8, 0, True, infer_shape=False, element_shape=[None, None, channels])

    def step(first, found):
        last = tf.minimum(first + _STRIP, count)
        return last, found.write(first // _STRIP, function(first, last))

    # At least one, which is empty where nothing is to be done: an array of none cannot be concatenated.
    first, found = step(tf.constant(0), found)
    _, found = tf.while_loop(lambda first, _: first < count, step, (first, found), parallel_iterations=1)
    return found.concat()


def _changes(hole, decisions, steepness):
    """Where on the map the picture may differ from the photo: bool [h, w]."""
    alpha, coverage, stillness = (decisions[None, ..., i : i + 1] for i in (6, 7, 8))
    greatest = tf.nn.max_pool2d(tf.concat([alpha, coverage, -stillness], axis=-1), 3, 1, "SAME")
    alpha, coverage, moving = tf.unstack(greatest[0], axis=-1)
    likely = steepness * (alpha + tf.math.log((coverage + MASK_FLOOR) / (1 - coverage + MASK_FLOOR))) > LEAST_LOGIT
    holes = tf.image.resize(hole[..., 3:], decisions.shape[:2])[..., 0] > LEAST
    return (likely | holes) & (moving > LEAST - 1)


def _box(cells, columns, rows):
    """Top, bottom, left and right of the covered pixels that lie near cells [h, w] that are true."""
    bounds = []
    for axis, along in ((1, rows), (0, columns)):
        near = tf.reduce_any(cells, axis=axis)
        low, _ = along.cells(near.shape[0])
        touched = tf.gather(near, low) | tf.gather(near, tf.minimum(low + 1, near.shape[0] - 1))
        pixels, count = tf.range(tf.size(touched)), tf.size(touched)
        first = tf.reduce_min(tf.where(touched, pixels, count))
        last = tf.reduce_max(tf.where(touched, pixels + 1, 0))
        bounds += [tf.minimum(first, last), last]
    return bounds


def _sampled(source, x, y):
    """uint8 [h, w, 4] at points [r, c], bilinearly, constant beyond the border: float32 [r, c, 4]."""
    height, width = tf.shape(source)[0], tf.shape(source)[1]

    def cell(position, size):
        position = tf.clip_by_value(position, 0, tf.cast(size - 1, tf.float32))
        low = tf.maximum(tf.minimum(tf.floor(position), tf.cast(size - 2, tf.float32)), 0)
        return tf.cast(low, tf.int32), (position - low)[..., None]

    column, right = cell(x, width)
    row, below = cell(y, height)
    flat, first = tf.reshape(source, [-1, 4]), row * width + column
    beside, under = tf.minimum(width - 1, 1), tf.where(height > 1, width, 0)
    a, b, c, d = (tf.cast(tf.gather(flat, first + offset), tf.float32) for offset in (0, beside, under, under + beside))
    top = a + right * (b - a)
    bottom = c + right * (d - c)
    return top + below * (bottom - top)


def _bytes(values):
    return tf.cast(tf.round(tf.clip_by_value(values, 0, 255)), tf.uint8)
