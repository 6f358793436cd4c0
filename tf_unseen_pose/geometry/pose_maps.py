"""Pose mathematics: heatmaps, limb priors and depths, scales of maps.

Everything between a pose's points and the networks' maps is here and in `limb_motion` as pure TensorFlow
functions, which training, SavedModels, TFLite and Python all run.

Convention:
    - Points are (x, y) in pixels; (0, 0) is the centre of the top-left pixel, x grows rightwards, y downwards.
    - Joints are [B, J, 3]: x, y and visibility. Visibility 0 means absent: its coordinates are never used. Any
      visibility above 0 counts as present. With depth they are [B, J, 4]: z comes last, in the pixels of x and y,
      smaller being nearer to the camera. Only differences of z matter.
    - An affine transform is [..., 2, 3] and maps a point as x' = m00 x + m01 y + m02, y' = m10 x + m11 y + m12.
      A transform named `target_to_source` maps target points to source points, the direction in which a warp samples.
    - Axis letters: B batch, H and W image, J joints, L limbs, C channels. Images are channels-last.

Coordinates are combined elementwise, never by matmul, which quantizing converters compute in low precision.
All functions keep the floating dtype of their points.
"""

import numpy as np
import tensorflow as tf

from tf_unseen_pose.known_skeletons import BODY, PERSON, is_person
from tf_unseen_pose.skeleton import REFERENCE_SIZE, Skeleton

# Numbers of joints in which a person may be given.
PERSON_COUNTS = (PERSON.joint_count, BODY.joint_count)
# Squared length (pixels^2) below which joints coincide and define no direction or scale.
LENGTH_EPSILON = 1e-6
# Depth of a limb that is not seen at all, in lengths of the body.
_HIDDEN_DEPTH = 0.5
# Distance from a limb's axis at which its core has faded by e, in pixels of a canvas of `REFERENCE_SIZE`.
_CORE_RADIUS = 5.0
# How far a broad limb reaches beyond its joints, in pixels of a canvas of `REFERENCE_SIZE`.
_RIM = 4.0


def points_and_presence(joints: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """[B, J, 2] points with absent ones set to 0, and [B, J] presence (0 or 1)."""
    present = joints[..., 2] > 0
    points = tf.where(present[..., None], joints[..., :2], tf.zeros_like(joints[..., :2]))
    return points, tf.cast(present, joints.dtype)


def person_joints(joints: tf.Tensor, skeleton: Skeleton) -> tf.Tensor:
    """`skeleton.person_joints` in graphs, where the number of joints may be known only at run time.

    Args:
        joints: [..., 14 or 23, C] for the skeletons `PERSON` and `BODY`, else [..., J, C].

    Returns:
        [..., J, C]; joints that are not given are absent.
    """
    count = skeleton.joint_count
    if joints.shape[-2] == count or not (is_person(skeleton) and joints.shape[-2] in (None, *PERSON_COUNTS)):
        return joints
    padded = tf.pad(joints, [*[[0, 0]] * (joints.shape.rank - 2), [0, count], [0, 0]])[..., :count, :]
    return tf.ensure_shape(padded, [*joints.shape[:-2], count, joints.shape[-1]])


def joint_heatmaps(joints: tf.Tensor, height: int, width: int, stride: int = 2, sigma: float = 1.75) -> tf.Tensor:
    """One heatmap per joint, a Gaussian blob.

    Args:
        joints: [B, J, 3] in pixels of an image of `height` x `width`.
        stride: image pixels per heatmap cell. The blob's centre is joint / stride, without half-pixel shift.
        sigma: standard deviation in heatmap cells.

    Returns:
        [B, height // stride, width // stride, J] in [0, 1]. A joint that is absent or has x <= 0, y <= 0, x >= w - 1
        or y >= h - 1 on the heatmap has an empty one.

    Source: the authors' released code (`make_joint_heatmaps`).
    """
    rows, columns = height // stride, width // stride
    points, present = points_and_presence(joints)
    x, y = points[..., 0] / stride, points[..., 1] / stride
    inside = (x > 0) & (y > 0) & (x < columns - 1) & (y < rows - 1)
    weight = present * tf.cast(inside, joints.dtype)

    def bell(size: int, centre: tf.Tensor) -> tf.Tensor:
        offset = tf.range(size, dtype=joints.dtype)[None, :, None] - centre[:, None, :]
        return tf.exp(-(offset**2) / (2 * sigma**2))

    across = bell(columns, x) * weight[:, None, :]
    return bell(rows, y)[:, :, None, :] * across[:, None, :, :]


def limb_presence(joints: tf.Tensor, skeleton: Skeleton) -> tf.Tensor:
    """[B, L]: 1 where all joints [B, J, 3] of a limb are present, else 0."""
    return tf.cast(_least_visibility(joints, skeleton) > 0, joints.dtype)


def limb_visibility(joints: tf.Tensor, skeleton: Skeleton) -> tf.Tensor:
    """[B, L] in [0, 1], the visibility of each limb's least visible joint of [B, J, 3]."""
    return tf.clip_by_value(_least_visibility(joints, skeleton), 0, 1)


def _least_visibility(joints, skeleton):
    return tf.reduce_min(tf.gather(joints[..., 2], np.concatenate(skeleton.limb_ends, axis=1), axis=1), axis=2)


def carried(limbs: tf.Tensor, present: tf.Tensor, skeleton: Skeleton) -> tf.Tensor:
    """Values of limbs [B, L, ...]; limbs with an absent joint take their parent's.

    Args:
        present: [B, L], 0 or 1. Limbs with 0 and no parent keep their own.
    """
    parentless = np.array([limb.parent is None for limb in skeleton.limbs])
    own = tf.reshape((present > 0) | parentless, [-1, skeleton.limb_count] + [1] * (limbs.shape.rank - 2))
    values = limbs
    for _ in range(skeleton.generations):
        values = tf.where(own, limbs, tf.gather(values, skeleton.parents, axis=1))
    return values


def limb_depths(joints: tf.Tensor, skeleton: Skeleton) -> tf.Tensor:
    """Depth of each limb relative to the person's middle, which decides which limb covers another.

    A limb's depth is the mean z of its joints less that of all visible joints, in lengths of the body: of the root
    limb's axis, or of a quarter of the joints' box where the root is foreshortened or absent; of a pixel at least.

    If z is unknown, what is hardly visible is probably covered: a limb lies behind by half a length times what its
    least visible joint lacks to a visibility of 1.

    Args:
        joints: [B, J, 3 or 4] in pixels; z is unknown if it is absent or 0 for all joints.

    Returns:
        [B, L], negative for what is near. A limb with an absent joint has its parent's depth, or 0 without a parent.
    """
    shown, members = limb_presence(joints, skeleton), np.concatenate(skeleton.limb_ends, axis=1)
    depths = _HIDDEN_DEPTH * (1 - limb_visibility(joints, skeleton))
    if joints.shape[-1] == 4:
        points, present = points_and_presence(joints)
        z = tf.where(present > 0, joints[..., 3], tf.zeros_like(present))
        count = tf.maximum(tf.reduce_sum(present, axis=1, keepdims=True), 1)
        relative = (
            tf.reduce_mean(tf.gather(z, members, axis=1), axis=2) - tf.reduce_sum(z, axis=1, keepdims=True) / count
        )
        is_known = tf.reduce_max(tf.abs(z), axis=1, keepdims=True) > 0
        depths = tf.where(is_known, relative / _body_length(joints, points, present, count, skeleton), depths)
    return carried(shown * depths, shown, skeleton)


def _body_length(joints, points, present, count, skeleton):
    """[B, 1], see `limb_depths`."""
    start, end = (ends[:, skeleton.root_index] for ends in limb_axes(joints, skeleton))
    squared_root = tf.reduce_sum((end - start) ** 2, axis=-1) * limb_presence(joints, skeleton)[:, skeleton.root_index]
    middle = tf.reduce_sum(points, axis=1, keepdims=True) / count[..., None]
    points = tf.where(present[..., None] > 0, points, middle)
    box = tf.reduce_max(points, axis=1) - tf.reduce_min(points, axis=1)
    return tf.sqrt(tf.maximum(tf.maximum(squared_root, (tf.reduce_max(box, axis=-1) / 4) ** 2), 1))[:, None]


def limb_axes(joints: tf.Tensor, skeleton: Skeleton) -> tuple[tf.Tensor, tf.Tensor]:
    """Both ends of every limb's axis, [B, L, 2] each: the mean of the joints [B, J, 3] at that end."""
    points, _ = points_and_presence(joints)
    first, second = skeleton.limb_ends
    return (
        tf.reduce_mean(tf.gather(points, first, axis=1), axis=2),
        tf.reduce_mean(tf.gather(points, second, axis=1), axis=2),
    )


def limb_priors(joints: tf.Tensor, skeleton: Skeleton, height: int, width: int) -> tf.Tensor:
    """Prior of each limb's place: a Gaussian along the limb's axis, one map per limb, and the background.

    The variance across is width^2, along it is max(5, length^2 / 1.5) pixels^2, both on a 256-pixel canvas and scaled
    to min(height, width). Each map is divided by (its maximum on the grid + 1e-6).

    Args:
        joints: [B, J, 3] in pixels of an image of `height` x `width`.

    Returns:
        [B, height, width, 1 + L] in [0, 1]: background (1 - the strongest limb) first, then the limbs. A limb with an
        absent joint has an empty map: its visible part falls to its parent, whose map fades beyond its joints and
        whose transform it takes.

    Source: the authors' released code (`make_limb_masks`).
    """
    scale = min(height, width) / REFERENCE_SIZE
    start, end = limb_axes(joints, skeleton)
    axis = end - start
    squared_length = tf.reduce_sum(axis**2, axis=-1)
    has_length = squared_length > LENGTH_EPSILON
    length = tf.sqrt(tf.where(has_length, squared_length, tf.ones_like(squared_length)))
    # A limb without length gets the x axis, as arctan2(0, 0) = 0 in the authors' code.
    cos = tf.where(has_length, axis[..., 0] / length, tf.ones_like(length))[:, None, None, :]
    sin = tf.where(has_length, axis[..., 1] / length, tf.zeros_like(length))[:, None, None, :]
    # Distances along and across, scaled so that their squares are the exponent.
    unit_along = tf.sqrt(2 * tf.maximum(5.0 * scale**2, squared_length / 1.5))[:, None, None, :]
    unit_across = tf.constant(skeleton.limb_widths * scale * 2**0.5, joints.dtype)

    middle = ((start + end) / 2)[:, None, None, :, :]
    x = tf.range(width, dtype=joints.dtype)[None, None, :, None] - middle[..., 0]
    y = tf.range(height, dtype=joints.dtype)[None, :, None, None] - middle[..., 1]
    along = x * (cos / unit_along) + y * (sin / unit_along)
    across = y * (cos / unit_across) - x * (sin / unit_across)
    gaussian = tf.exp(-(along**2 + across**2))
    presence = limb_presence(joints, skeleton)[:, None, None, :]
    limbs = gaussian * (presence / (tf.reduce_max(gaussian, axis=[1, 2], keepdims=True) + 1e-6))
    return tf.concat([1 - tf.reduce_max(limbs, axis=-1, keepdims=True), limbs], axis=-1)


def limb_cores(joints: tf.Tensor, skeleton: Skeleton, height: int, width: int, stride: int = 1) -> tf.Tensor:
    """How surely a pixel is a limb's, by its distance from the limb's axis alone: one map per limb.

    On the axis it is the visibility of the limb's least visible joint, and 5 pixels (of a canvas of 256) beside it e
    times less.

    Args:
        joints: [B, J, 3] in pixels of an image of `height` x `width`.
        stride: image pixels along a side of a map pixel, which is at the middle of them.

    Returns:
        [B, height // stride, width // stride, L] in [0, 1]; 0 for a limb with an absent joint.
    """
    start, end = (ends[:, None, None] for ends in limb_axes(joints, skeleton))
    along_x, along_y = tf.unstack(end - start, axis=-1)
    half, end_x, end_y = (stride - 1) / 2, stride * (width // stride), stride * (height // stride)
    x = (tf.range(0, end_x, stride, joints.dtype) + half)[None, None, :, None] - start[..., 0]
    y = (tf.range(0, end_y, stride, joints.dtype) + half)[None, :, None, None] - start[..., 1]
    squared = tf.maximum(along_x**2 + along_y**2, LENGTH_EPSILON)
    part = tf.clip_by_value(x * (along_x / squared) + y * (along_y / squared), 0, 1)
    distance = (x - part * along_x) ** 2 + (y - part * along_y) ** 2
    radius = _CORE_RADIUS * min(height, width) / REFERENCE_SIZE
    return limb_visibility(joints, skeleton)[:, None, None] * tf.exp(distance * (-1 / radius**2))


def limb_interiors(joints: tf.Tensor, skeleton: Skeleton, height: int, width: int, rim: float = _RIM) -> tf.Tensor:
    """Whether a pixel lies between the four joints of a broad limb, such as the shoulders and hips of a torso.

    Args:
        joints: [B, J, 3] in pixels of an image of `height` x `width`.
        rim: it is 1 inside, and falls to 0 within so many pixels, of a canvas of 256, beyond the outline.

    Returns:
        [B, height, width, 1] in [0, 1]. Nothing lies inside a limb with an absent joint, or one whose sides cross.
    """
    broad = [i for i, limb in enumerate(skeleton.limbs) if len(limb.joints) == 4]
    if not broad:
        return tf.zeros([tf.shape(joints)[0], height, width, 1], joints.dtype)
    points, _ = points_and_presence(joints)
    # From joint to joint around the outline.
    corners = np.array([skeleton.joint_index(*skeleton.limbs[i].joints) for i in broad])[:, [0, 1, 3, 2]]
    start = tf.gather(points, corners, axis=1)
    x, y = tf.unstack(start, axis=-1)
    along_x, along_y = tf.unstack(tf.gather(points, np.roll(corners, -1, axis=1), axis=1) - start, axis=-1)
    area = tf.reduce_sum(x * along_y - y * along_x, axis=2, keepdims=True)
    # Distances from the four sides, positive inside whichever way round the corners are.
    turn = tf.sign(area) * tf.math.rsqrt(tf.maximum(along_x**2 + along_y**2, LENGTH_EPSILON))
    sides = [turn * along_y, turn * along_x, turn * (x * along_y - y * along_x)]
    normal_x, normal_y, offset = (side[:, None, None] for side in sides)
    columns = tf.range(width, dtype=joints.dtype)[None, None, :, None, None]
    rows = tf.range(height, dtype=joints.dtype)[None, :, None, None, None]
    distance = tf.reduce_min(normal_y * rows - normal_x * columns + offset, axis=-1)
    inside = tf.clip_by_value(1 + distance * (REFERENCE_SIZE / min(height, width) / rim), 0, 1)
    present = tf.gather(limb_presence(joints, skeleton), broad, axis=1) * tf.abs(tf.sign(area[..., 0]))
    inside *= present[:, None, None]
    return tf.reduce_max(inside, axis=-1, keepdims=True)


def at_scale(transform: tf.Tensor, factor: int) -> tf.Tensor:
    """A transform between canvases, [..., 2, 3], as one between maps at 1 / factor of their resolution.

    Map pixel i covers canvas pixels factor * i to factor * i + factor - 1; its centre is factor * i + (factor - 1) / 2.
    """
    half = (factor - 1) / 2
    linear, shift = transform[..., :2], transform[..., 2:]
    moved = half * tf.reduce_sum(linear, axis=-1, keepdims=True) + shift - half
    return tf.concat([linear, moved / factor], axis=-1)


def joints_at_scale(joints: tf.Tensor, factor: int) -> tf.Tensor:
    """Joints [..., J, 3 or 4] of a canvas in pixels of a map at 1 / factor of its resolution; see `at_scale`."""
    depth = [1 / factor * joints[..., 3:]] if joints.shape[-1] == 4 else []
    return tf.concat([(joints[..., :2] - (factor - 1) / 2) / factor, joints[..., 2:3], *depth], axis=-1)
