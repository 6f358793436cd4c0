"""The twin of `imaging.crop` within a graph: where in a photo the network's canvas lies.

The same numbers, in float64, by the same steps; `imaging.crop` says why. Tests compare the two.

Convention: as `imaging.crop`; poses are [T, J, 3] with visibility, 0 meaning absent.
"""

import numpy as np
import tensorflow as tf

from tf_unseen_pose.export.checks import require
from tf_unseen_pose.imaging import crop
from tf_unseen_pose.skeleton import REFERENCE_SIZE, Skeleton


def on_whole_pixels(canvas_to_image: tf.Tensor, height: int, width: int) -> tf.Tensor:
    """`imaging.compositing.on_whole_pixels` of float32 [2, 3]: float32 [2, 3]."""
    given, size = tf.cast(canvas_to_image, tf.float64), np.array([width, height], np.float64)
    unit = np.gcd(height, width)
    step = tf.maximum(tf.round(given[0, 0] * unit), 1) / unit
    middle = given[0, 0] * (size - 1) / 2 + given[:, 2]
    corner = tf.round(middle + 0.5 - step * size / 2)
    shift = (corner + (step - 1) / 2)[:, None]
    return tf.cast(tf.concat([step * tf.eye(2, dtype=tf.float64), shift], axis=1), tf.float32)


class PhotoCrop:
    """Finds crops for one skeleton, canvas and crop factor."""

    def __init__(self, skeleton: Skeleton, height: int, width: int, crop_factor: float):
        self._skeleton = skeleton
        self._extent = np.array([width - 1, height - 1], np.float64)
        self._unit = crop_factor * min(height, width) / REFERENCE_SIZE

    def common(self, poses: tf.Tensor) -> tf.Tensor:
        """`crop.common_crop` of float32 [T, J, 3]: float32 [2, 3]."""
        poses = tf.cast(poses, tf.float64)
        low, high = _boxes(poses)
        centre = tf.reduce_mean(low + (high - low) / 2, axis=0)
        step = tf.reduce_max(self._scales(poses)) / self._unit
        if self._skeleton.held:
            room = (0.5 - 2 * crop.MARGIN) * self._extent
            reach = tf.where(poses[..., 2:] > 0, tf.abs(poses[..., :2] - centre) / room, 0)
            step = tf.minimum(tf.maximum(step, tf.reduce_max(reach)), crop.MOST_STEP_BACK * step)
        return self._canvas_to_image(centre, step)

    def sequence(self, source: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
        """`crop.sequence_crop` of float32 [J, 3] and [T, J, 3]: float32 [2, 3]."""
        source, targets = tf.cast(source, tf.float64)[None], tf.cast(targets, tf.float64)
        poses = tf.boolean_mask(targets, _has_extent(targets))
        poses = tf.cond(tf.shape(poses)[0] > 0, lambda: poses, lambda: source)
        (source_low, source_high), (lows, highs) = (tuple(map(tf.squeeze, _boxes(source))), _boxes(poses))
        stray = crop.STRAY_PERCENTAGE
        low = tf.minimum(source_low, _percentile(lows, stray))
        high = tf.maximum(source_high, _percentile(highs, 100 - stray))
        centre = (source_low + source_high + _median(lows + highs)) / 4
        scale = _percentile(self._scales(poses)[:, None], 100 - stray)[0]
        usual = tf.maximum(self._scales(source)[0], scale) / self._unit

        room = (1 - 2 * crop.MARGIN) * self._extent
        needed = (high - low) / room
        step = tf.minimum(tf.maximum(usual, tf.reduce_max(needed)), crop.MOST_STEP_BACK * usual)
        fits = needed <= crop.MOST_STEP_BACK * usual
        low, high = tf.where(fits, low, source_low), tf.where(fits, high, source_high)
        first, last = high - step * room / 2, low + step * room / 2
        within = tf.minimum(tf.maximum(centre, first), last)
        return self._canvas_to_image(tf.where(first <= last, within, (low + high) / 2), step)

    def _canvas_to_image(self, centre, step):
        shift = (centre - step * self._extent / 2)[:, None]
        return tf.cast(tf.concat([step * tf.eye(2, dtype=tf.float64), shift], axis=1), tf.float32)

    def _scales(self, poses):
        """`crop.person_scale` of each of [T, J, 3]: [T]."""
        low, high = _boxes(poses)
        side = tf.reduce_max(high - low, axis=1)
        require(tf.reduce_all(side > 0), "All visible joints of a pose lie on one point; correct the pose.")
        size = tf.maximum(crop.UPPER_BODY_FACTOR * self._upper_body(poses), crop.CALF_FACTOR * self._calf(poses))
        size = tf.where(size > 0, tf.maximum(size, crop.LEAST_BOX_FACTOR * side), crop.BOX_FACTOR * side)
        return size / crop.SCALE_UNIT

    def _upper_body(self, poses):
        head, *hips = tf.unstack(self._of(poses, "head", "left_hip", "right_hip"), axis=1)
        height, seen = _mean_of_visible([hip[:, 1] for hip in hips], [hip[:, 2] > 0 for hip in hips])
        return tf.where(seen & (head[:, 2] > 0), height - head[:, 1], 0)

    def _calf(self, poses):
        calves = [self._of(poses, f"{side}_knee", f"{side}_ankle") for side in ("left", "right")]
        lengths = [tf.norm(calf[:, 0, :2] - calf[:, 1, :2], axis=1) for calf in calves]
        return _mean_of_visible(lengths, [tf.reduce_all(calf[..., 2] > 0, axis=1) for calf in calves])[0]

    def _of(self, poses, *names):
        return tf.gather(poses, self._skeleton.joint_index(*names), axis=1)


def _mean_of_visible(values, visible):
    """Of lists of [T]: the mean over what is visible, 0 where nothing is, and whether something is."""
    weights = tf.cast(tf.stack(visible), tf.float64)
    count = tf.reduce_sum(weights, axis=0)
    return tf.reduce_sum(weights * tf.stack(values), axis=0) / tf.maximum(count, 1), count > 0


def _boxes(poses):
    """The corners of the visible joints' boxes, low and high [T, 2]."""
    visible = poses[..., 2:] > 0
    enough = tf.reduce_all(tf.reduce_sum(tf.cast(visible, tf.int32), axis=[1, 2]) >= 2)
    require(enough, "Fewer than two joints of a pose are visible; send a pose that shows more of the person.")
    points, far = poses[..., :2], tf.constant(np.inf, tf.float64)
    return (
        tf.reduce_min(tf.where(visible, points, far), axis=1),
        tf.reduce_max(tf.where(visible, points, -far), axis=1),
    )


def _has_extent(poses):
    visible, points, far = poses[..., 2:] > 0, poses[..., :2], tf.constant(np.inf, tf.float64)
    low = tf.reduce_min(tf.where(visible, points, far), axis=1)
    return tf.reduce_any(tf.reduce_max(tf.where(visible, points, -far), axis=1) > low, axis=1)


def _percentile(values, percentage):
    """Over the first axis of [T, C], one of the values: NumPy's "nearest"."""
    last = tf.cast(tf.shape(values)[0] - 1, tf.float64)
    return tf.gather(tf.sort(values, axis=0), tf.cast(tf.round(last * (percentage / 100)), tf.int32))


def _median(values):
    values, count = tf.sort(values, axis=0), tf.shape(values)[0]
    return (values[(count - 1) // 2] + values[count // 2]) / 2
