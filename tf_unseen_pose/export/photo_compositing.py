"""The twin of `imaging.compositing` in the graph: applies decisions to a photo's own pixels.

Servers answer with it. The steps are the same: the person mask and the inpainted scene once per photo, then strips of
the rows, and of these the columns, in which something may change. Tests compare the two, and both with
`model.compositing`.

Convention: one photo at a time, without batch axis; points are (x, y).
"""

from typing import NamedTuple

import tensorflow as tf

from tf_unseen_pose.geometry.tears import TEAR, agreeing_mean
from tf_unseen_pose.geometry.warping import cubic_weights
from tf_unseen_pose.imaging.compositing import LEAST, LEAST_LOGIT, MASK_FLOOR
from tf_unseen_pose.imaging.placement import FEATHER
from tf_unseen_pose.model.compositing import with_smooth_outline

# Rows per strip: few enough for memory, enough to amortise the cost of starting an operation.
_STRIP = 64


class Range(NamedTuple):
    """Along one axis, the photo's pixels `first` ... `last` - 1 that a canvas covers, int32 scalars.

    Attributes:
        first, last: the covered range.
        corner: the canvas's first pixel, which may lie outside the photo.
        size: of the canvas in pixels of the photo.
        image: of the photo in pixels.
    """

    first: tf.Tensor
    last: tf.Tensor
    corner: tf.Tensor
    size: tf.Tensor
    image: tf.Tensor

    def cells(self, count: int) -> tuple[tf.Tensor, tf.Tensor]:
        """The lower of the two of `count` cells between which each covered pixel lies, and the distance from it."""
        pixels = tf.cast(tf.range(self.first, self.last) - self.corner, tf.float64)
        position = (pixels + 0.5) * (count / tf.cast(self.size, tf.float64)) - 0.5
        position = tf.clip_by_value(position, 0, tf.cast(count - 1, tf.float64))
        low = tf.minimum(tf.floor(position), max(count - 2, 0))
        return tf.cast(low, tf.int32), tf.cast(position - low, tf.float32)

    def weights(self, count: int) -> tf.Tensor:
        """Interpolation weights of `count` cells for every covered pixel: float32 [count, pixels]."""
        low, part = self.cells(count)
        cells, part = tf.range(count)[:, None], part[None]
        return tf.where(cells == low, 1 - part, 0) + tf.where(cells == tf.minimum(low + 1, count - 1), part, 0)

    def fade(self, width: tf.Tensor) -> tf.Tensor:
        """float32 0..1, which fades within `width` of those canvas edges that lie within the photo."""
        pixels = tf.cast(tf.range(self.first, self.last) - self.corner, tf.float32) + 0.5
        low = tf.where(self.first > 0, pixels, width)
        high = tf.where(self.last < self.image, tf.cast(self.size, tf.float32) - pixels, width)
        return tf.clip_by_value(tf.minimum(low, high) / width, 0, 1)


class Sitting(NamedTuple):
    """A photo, prepared for any pose of its person.

    Attributes:
        photo: uint8 [H, W, 3].
        columns, rows: the ranges that the canvas covers.
        scale: float32, photo pixels per canvas pixel.
        source: uint8 [h, w, 4], the covered pixels and the person mask.
        scene: uint8 [h, w, 3], the covered pixels with the hole inpainted, fading towards the canvas's edges.
        hole: float32 [h', w', 4], the input.
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
        # At least one pixel, so that poses far outside reach the checks.
        first = tf.clip_by_value(corner, 0, end - 1)
        last = tf.clip_by_value(corner + size, first + 1, end)
        found.append(Range(first, last, corner, size, end))
    return found[0], found[1]


def covered(photo: tf.Tensor, columns: Range, rows: Range) -> tf.Tensor:
    """The covered part of [H, W, 3]."""
    return photo[rows.first : rows.last, columns.first : columns.last]


def sitting(
    photo: tf.Tensor, canvas_to_image: tf.Tensor, size: tuple[int, int], matte: tf.Tensor, hole: tf.Tensor
) -> Sitting:
    """Prepares a photo, independently of the pose.

    Args:
        photo: uint8 [H, W, 3].
        canvas_to_image: float32 [2, 3], on whole pixels.
        size: height and width of the canvas.
        matte: [h, w, 4], see `model.matte`.
        hole: [h, w, 4], inpainted colours times weight, and the weight.
    """
    columns, rows = place(photo, canvas_to_image, *size)
    pixels = covered(photo, columns, rows)

    def masked(here, maps):
        *factors, constant = maps
        mask = tf.reduce_sum(tf.stack(factors, axis=-1) * tf.cast(pixels[here], tf.float32), axis=-1) + 255 * constant
        return _bytes(mask)[..., None]

    def painted(here, maps):
        photo, (*colours, used) = tf.cast(pixels[here], tf.float32), maps
        painting = 127.5 * (tf.stack(colours, axis=-1) + used[..., None])
        return _bytes(photo + _fade(columns, rows, here)[..., None] * (painting - used[..., None] * photo))

    person = matte[..., 3] + tf.reduce_sum(tf.maximum(matte[..., :3], 0), axis=-1) > LEAST
    mask = _by_strips(tf.zeros_like(pixels[..., :1]), person, matte, columns, rows, masked)
    scene = _by_strips(pixels, hole[..., 3] > LEAST, hole, columns, rows, painted)
    return Sitting(photo, columns, rows, canvas_to_image[0, 0], tf.concat([pixels, mask], axis=-1), scene, hole)


def composed(given: Sitting, decisions: tf.Tensor, steepness: float) -> tf.Tensor:
    """The covered part of the photo in one pose: uint8 [h, w, 3].

    Args:
        decisions: [h', w', 9], `model.compositing.Decisions` concatenated.
        steepness: factor of alpha's logit.
    """
    # Four bytes as one number, for a single look-up.
    packed, pixels = tf.bitcast(given.source, tf.int32), covered(given.photo, given.columns, given.rows)
    undecided = _undecided(given.hole, decisions, steepness)
    places, torn = _tears(decisions[..., :2], undecided)

    def made(here, maps):
        *displacement, gain = maps[:3]
        *offsets, alpha, coverage, stillness = maps[3:]
        right, down = _mended(displacement, places, torn, here, given)
        x, y = (tf.cast(tf.range(part.start, part.stop), tf.float32) for part in here[::-1])
        *copied, mask = _sampled(packed, given.scale * right + x, given.scale * down + y[:, None])
        mask *= coverage / 255
        logit = alpha + tf.math.log((mask + MASK_FLOOR) / (1 + MASK_FLOOR - mask))
        alpha = with_smooth_outline(tf.sigmoid(steepness * logit)[None, ..., None], steepness)[0, ..., 0]
        alpha *= _fade(given.columns, given.rows, here)
        foreground = tf.stack(
            [gain * colour + 127.5 * (offset + 1 - gain) for colour, offset in zip(copied, offsets, strict=True)],
            axis=-1,
        )
        photo, scene = (tf.cast(picture[here], tf.float32) for picture in (pixels, given.scene))
        image = scene + alpha[..., None] * (foreground - scene)
        return _bytes(image + stillness[..., None] * (photo - image))

    return _by_strips(given.scene, undecided, decisions, given.columns, given.rows, made)


def pasted(given: Sitting, part: tf.Tensor) -> tf.Tensor:
    """The photo with its covered part replaced: uint8 [H, W, 3]."""
    columns, rows, photo = given.columns, given.rows, given.photo
    beside = photo[rows.first : rows.last]
    middle = tf.concat([beside[:, : columns.first], part, beside[:, columns.last :]], axis=1)
    return tf.concat([photo[: rows.first], middle, photo[rows.last :]], axis=0)


def _by_strips(picture, cells, maps, columns, rows, function):
    """The covered picture, changed strip by strip where cells [h, w] of a map are true.

    Args:
        picture: uint8 [H, W, C].
        maps: [h, w, C'], enlarged to the picture's pixels.
        function: rows and columns of the picture, and the maps there, C' times [h, w] -> new pixels.
    """
    planes = tf.transpose(maps, [2, 0, 1])
    (low_row, part), (low_column, _) = rows.cells(maps.shape[0]), columns.cells(maps.shape[1])
    across = columns.weights(maps.shape[1])
    height, found = tf.shape(picture)[0], tf.TensorArray(tf.uint8, 0, True, infer_shape=False)

    def changed(first, last, left, right):
        here = slice(first, last), slice(left, right)
        low = low_row[first:last]
        upper, lower = (tf.gather(planes, tf.minimum(low + i, maps.shape[0] - 1), axis=1) for i in (0, 1))
        tall = upper + part[first:last, None] * (lower - upper)
        wide = tf.matmul(tf.reshape(tall, [-1, maps.shape[1]]), across[:, left:right])
        enlarged = tf.unstack(tf.reshape(wide, [maps.shape[2], last - first, right - left]))
        return tf.concat([picture[first:last, :left], function(here, enlarged), picture[first:last, right:]], axis=1)

    def step(start, found):
        # One row more above and below, with which an outline is averaged.
        stop = tf.minimum(start + _STRIP, height)
        first, last = tf.maximum(start - 1, 0), tf.minimum(stop + 1, height)
        near = tf.reduce_any(cells[low_row[first] : low_row[last - 1] + 2], axis=0)
        touched = tf.gather(near, low_column) | tf.gather(near, tf.minimum(low_column + 1, maps.shape[1] - 1))
        pixels, width = tf.range(tf.size(touched)), tf.size(touched)
        left = tf.reduce_min(tf.where(touched, pixels, width))
        right = tf.reduce_max(tf.where(touched, pixels + 1, 0))
        strip = tf.cond(right > left, lambda: changed(first, last, left, right), lambda: picture[first:last])
        return stop, found.write(start // _STRIP, strip[start - first : stop - first])

    _, found = tf.while_loop(lambda first, _: first < height, step, (tf.constant(0), found), parallel_iterations=1)
    return tf.ensure_shape(found.concat(), picture.shape)


def _fade(columns, rows, here):
    """float32 [h, w]: weight of the canvas at some of the covered rows and columns."""
    width = FEATHER * tf.cast(tf.minimum(columns.size, rows.size), tf.float32)
    return tf.minimum(rows.fade(width)[here[0], None], columns.fade(width)[here[1]])


def _undecided(hole, decisions, steepness):
    """Map cells in which the picture may differ from the inpainted scene: bool [h, w]."""
    greatest = tf.nn.max_pool2d(decisions[None, ..., 6:], 3, 1, "SAME")
    alpha, coverage, stillness = tf.unstack(greatest[0], axis=-1)
    likely = steepness * (alpha + tf.math.log((coverage + MASK_FLOOR) / (1 - coverage + MASK_FLOOR))) > LEAST_LOGIT
    holes = tf.image.resize(hole[..., 3:], decisions.shape[:2])[..., 0] > LEAST
    return likely | (holes & (stillness > LEAST))


def _tears(displacement, cells):
    """The places of every cell and its next ones, and where they tear.

    Args:
        displacement: [h, w, 2], along x and y in pixels of the canvas.
        cells: bool [h, w], those that matter.

    Returns:
        [h w, 8], four places; bool [h, w].
    """
    height, width = cells.shape

    def corners(maps):
        # The last row and column are their own next ones.
        padded = tf.concat([maps, maps[-1:]], axis=0)
        padded = tf.concat([padded, padded[:, -1:]], axis=1)
        return [padded[y : y + height, x : x + width] for y in (0, 1) for x in (0, 1)]

    near, places = corners(cells), corners(displacement)
    apart = [one - other for i, one in enumerate(places) for other in places[:i]]
    torn = tf.add_n([tf.cast(tf.reduce_sum(gap * gap, axis=-1) > TEAR**2, tf.int32) for gap in apart]) > 0
    matters = tf.reduce_any(tf.stack(near), axis=0)
    return tf.reshape(tf.concat(places, axis=-1), [height * width, 8]), torn & matters


def _mended(displacement, places, torn, here, given):
    """Enlarged displacements along x and y, [r, c] each, corrected where they cross tears."""
    cells = torn.shape
    (low, below), (left, beside) = (
        [values[part] for values in line.cells(count)]
        for line, count, part in zip((given.rows, given.columns), cells, here, strict=True)
    )
    at = tf.where(tf.gather(tf.gather(torn, low), left, axis=1))
    row, column = tf.unstack(at, axis=1)
    corners = tf.gather(places, tf.gather(low, row) * cells[1] + tf.gather(left, column))
    down, right = tf.gather(below, row)[:, None], tf.gather(beside, column)[:, None]
    weights = [(1 - down, 1 - right), (1 - down, right), (down, 1 - right), (down, right)]
    mended = agreeing_mean(tf.split(corners, 4, axis=1), weights)
    return [tf.tensor_scatter_nd_update(enlarged, at, mended[:, axis]) for axis, enlarged in enumerate(displacement)]


def _sampled(packed, x, y):
    """Pictures of four channels at points [r, c], bicubically, constant beyond the border: four times float32 [r, c].

    Args:
        packed: int32 [h, w], the four bytes of each pixel.
    """
    height, width = tf.shape(packed)[0], tf.shape(packed)[1]

    def cell(position, size):
        position = tf.clip_by_value(position, 0, tf.cast(size - 1, tf.float32))
        low = tf.floor(position)
        return tf.cast(low, tf.int32), (position - low)[..., None]

    column, right = cell(x, width)
    row, below = cell(y, height)
    flat = tf.reshape(packed, [-1])
    columns = [tf.clip_by_value(column + i, 0, width - 1) for i in (-1, 0, 1, 2)]
    values = tf.zeros(4)
    for i, down in zip((-1, 0, 1, 2), cubic_weights(below), strict=True):
        first = tf.clip_by_value(row + i, 0, height - 1) * width
        for across, beside in zip(cubic_weights(right), columns, strict=True):
            values += down * across * tf.cast(tf.bitcast(tf.gather(flat, first + beside), tf.uint8), tf.float32)
    return tf.unstack(tf.clip_by_value(values, 0, 255), axis=-1)


def _bytes(values):
    return tf.cast(tf.round(tf.clip_by_value(values, 0, 255)), tf.uint8)
