"""The twin of `imaging.crop` in the graph: the canvas's place in a photo.

The same steps in float64; `imaging.crop` gives the reasons. Tests compare the two.

Convention: as `imaging.crop`; poses are [T, J, 3] with visibility, 0 meaning absent.
"""

import numpy as np
import tensorflow as tf

from tf_unseen_pose.export.checks import require
from tf_unseen_pose.imaging import crop
from tf_unseen_pose.imaging import person_measures as measures
from tf_unseen_pose.skeleton import REFERENCE_SIZE, Skeleton


class PhotoCrop:
    """Finds crops for one skeleton, canvas and crop factor."""

    def __init__(self, skeleton: Skeleton, height: int, width: int, crop_factor: float):
        self._skeleton = skeleton
        self._size, self._cells = np.array([width, height], np.float64), np.float64(np.gcd(height, width))
        self._unit = crop_factor * min(height, width) / REFERENCE_SIZE

    def whole(self, source: tf.Tensor, targets: tf.Tensor, image_size: tf.Tensor) -> tf.Tensor:
        """`crop.whole_crop` of float32 [J, 3], [T, J, 3 or 4], the photo's height and width, [2]: float32 [2, 3]."""
        source, targets = tf.cast(source, tf.float64)[None], tf.cast(targets[..., :3], tf.float64)
        shown = _has_extent(self._measured(targets))
        with require(tf.reduce_any(shown), "No target pose shows two joints of the person; send one that shows more."):
            whole = tf.concat([source, tf.boolean_mask(targets, shown)], axis=0)
        # For the source and each target.
        poses = self._measured(whole)
        scales, middles = self._scales(poses), tf.add(*_boxes(poses)) / 2
        centre = (middles[0] + _median(middles[1:])) / 2
        beyond = np.where(self._skeleton.fine, crop.FINE_REACH, crop.REACH)[:, None]
        heights = tf.maximum(measures.SCALE_UNIT * scales, measures.UPPER_BODY_FACTOR * self._upper_body_length(poses))
        reach = heights[:, None, None] * beyond
        (low, _), (_, high) = _boxes(whole, -reach), _boxes(whole, reach)
        stray = crop.STRAY_PERCENTAGE
        low = tf.minimum(low[0], _percentile(low[1:], stray))
        high = tf.maximum(high[0], _percentile(high[1:], 100 - stray))
        last = tf.cast(tf.reverse(image_size, [0]), tf.float64) - 1 + crop.BEYOND
        low, high = (tf.minimum(tf.maximum(corner, -crop.BEYOND), last) for corner in (low, high))
        usual = tf.maximum(scales[0], _percentile(scales[1:, None], 100 - stray)[0]) / self._unit
        step = tf.maximum(usual, tf.reduce_max((high - low) / self._size))
        first, last = high - step * self._size / 2, low + step * self._size / 2
        within = tf.minimum(tf.maximum(centre, first), last)
        return self._canvas_to_image(tf.where(first <= last, within, (low + high) / 2), step)

    def on_whole_pixels(self, canvas_to_image: tf.Tensor) -> tf.Tensor:
        """`imaging.placement.on_whole_pixels` of float32 [2, 3]: float32 [2, 3]."""
        given = tf.cast(canvas_to_image, tf.float64)
        step = tf.maximum(np.float64(1), tf.round(given[0, 0] * self._cells)) / self._cells
        middle = given[0, 0] * (self._size - 1) / 2 + given[:, 2]
        corner = tf.round(middle + 0.5 - step * self._size / 2)
        shift = (corner + (step - 1) / 2)[:, None]
        return tf.cast(tf.concat([step * tf.eye(2, dtype=tf.float64), shift], axis=1), tf.float32)

    def _canvas_to_image(self, centre, step):
        shift = (centre - step * (self._size - 1) / 2)[:, None]
        return tf.cast(tf.concat([step * tf.eye(2, dtype=tf.float64), shift], axis=1), tf.float32)

    def _measured(self, poses):
        """`person_measures.measured` of [T, J, 3]."""
        seen = tf.where(self._skeleton.fine, tf.zeros_like(poses[..., 2]), poses[..., 2])
        return tf.concat([poses[..., :2], seen[..., None]], axis=-1)

    def _scales(self, poses):
        """`person_measures.person_scale` of each of [T, J, 3] that are measured: [T]."""
        low, high = _boxes(poses)
        side = tf.reduce_max(high - low, axis=1)
        require(tf.reduce_all(side > 0), "All visible joints of a pose lie on one point; correct the pose.")
        size = tf.maximum(
            measures.UPPER_BODY_FACTOR * self._upper_body(poses), measures.CALF_FACTOR * self._calf(poses)
        )
        size = tf.where(size > 0, tf.maximum(size, measures.LEAST_BOX_FACTOR * side), measures.BOX_FACTOR * side)
        return size / measures.SCALE_UNIT

    def _upper_body(self, poses):
        head, *hips = tf.unstack(self._of(poses, "head", "left_hip", "right_hip"), axis=1)
        height, seen = _mean_of_visible([hip[:, 1] for hip in hips], [hip[:, 2] > 0 for hip in hips])
        return tf.where(seen & (head[:, 2] > 0), height - head[:, 1], 0)

    def _upper_body_length(self, poses):
        head, *hips = tf.unstack(self._of(poses, "head", "left_hip", "right_hip"), axis=1)
        seen = [hip[:, 2] > 0 for hip in hips]
        (x, shown), (y, _) = (_mean_of_visible([hip[:, axis] for hip in hips], seen) for axis in (0, 1))
        length = tf.sqrt((x - head[:, 0]) ** 2 + (y - head[:, 1]) ** 2)
        return tf.where(shown & (head[:, 2] > 0), length, 0)

    def _calf(self, poses):
        calves = [self._of(poses, f"{side}_knee", f"{side}_ankle") for side in ("left", "right")]
        lengths = [tf.norm(calf[:, 0, :2] - calf[:, 1, :2], axis=1) for calf in calves]
        return _mean_of_visible(lengths, [tf.reduce_all(calf[..., 2] > 0, axis=1) for calf in calves])[0]

    def _of(self, poses, *names):
        return tf.gather(poses, self._skeleton.joint_index(*names), axis=1)


def _mean_of_visible(values, visible):
    """For lists of [T]: the mean over visible entries (0 without any), and whether there are any."""
    weights = tf.cast(tf.stack(visible), tf.float64)
    count = tf.reduce_sum(weights, axis=0)
    return tf.reduce_sum(weights * tf.stack(values), axis=0) / tf.maximum(count, 1), count > 0


def _boxes(poses, shift=0):
    """Corners of the visible joints' boxes, low and high [T, 2], with points moved by a shift [T, J, 1]."""
    visible = poses[..., 2:] > 0
    enough = tf.reduce_all(tf.reduce_sum(tf.cast(visible, tf.int32), axis=[1, 2]) >= 2)
    require(enough, "Fewer than two joints of a pose are visible; send a pose that shows more of the person.")
    points, far = poses[..., :2] + shift, tf.constant(np.inf, tf.float64)
    return (
        tf.reduce_min(tf.where(visible, points, far), axis=1),
        tf.reduce_max(tf.where(visible, points, -far), axis=1),
    )


def _has_extent(poses):
    visible, points, far = poses[..., 2:] > 0, poses[..., :2], tf.constant(np.inf, tf.float64)
    low = tf.reduce_min(tf.where(visible, points, far), axis=1)
    return tf.reduce_any(tf.reduce_max(tf.where(visible, points, -far), axis=1) > low, axis=1)


def _percentile(values, percentage):
    """Percentile over the first axis of [T, C] by NumPy's method "nearest"."""
    last = tf.cast(tf.shape(values)[0] - 1, tf.float64)
    return tf.gather(tf.sort(values, axis=0), tf.cast(tf.round(last * (percentage / 100)), tf.int32))


def _median(values):
    values, count = tf.sort(values, axis=0), tf.shape(values)[0]
    return (values[(count - 1) // 2] + values[count // 2]) / 2
