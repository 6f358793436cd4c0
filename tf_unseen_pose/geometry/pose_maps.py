"""Pose mathematics: heatmaps, limb priors, similarity fits and affine algebra.

Everything between a pose's points and the networks' maps is here as pure TensorFlow functions, which training,
SavedModels, TFLite and Python all run.

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
_LENGTH_EPSILON = 1e-6
# Maximum factors by which a limb's thickness may change between two poses, a rigid limb's size, and any other's, where
# it only keeps numbers finite.
_THICKNESS_CHANGE, _RIGID_CHANGE, _ANY_CHANGE = 1.2, 1.1, 1e3


def _points_and_presence(joints: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
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
    points, present = _points_and_presence(joints)
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
    _, present = _points_and_presence(joints)
    first, second = skeleton.limb_ends
    return tf.minimum(
        tf.reduce_min(tf.gather(present, first, axis=1), axis=2),
        tf.reduce_min(tf.gather(present, second, axis=1), axis=2),
    )


def _carried(limbs: tf.Tensor, present: tf.Tensor, skeleton: Skeleton) -> tf.Tensor:
    """Values of limbs [B, L, ...]; limbs with an absent joint take their parent's.

    Args:
        present: [B, L], 0 or 1. Limbs with 0 and no parent keep their own.
    """
    parentless = np.array([limb.parent is None for limb in skeleton.limbs])
    own = tf.reshape((present > 0) | parentless, [-1, skeleton.limb_count] + [1] * (limbs.shape.rank - 2))
    carried = limbs
    for _ in range(skeleton.generations):
        carried = tf.where(own, limbs, tf.gather(carried, skeleton.parents, axis=1))
    return carried


def limb_depths(joints: tf.Tensor, skeleton: Skeleton) -> tf.Tensor:
    """Depth of each limb relative to the person's middle, which decides which limb covers another.

    A limb's depth is the mean z of its joints less that of all visible joints, in lengths of the body: of the root
    limb's axis, or of a quarter of the joints' box where the root is foreshortened or absent; of a pixel at least.

    Args:
        joints: [B, J, 3 or 4] in pixels.

    Returns:
        [B, L], negative for what is near. A limb with an absent joint has its parent's depth, or 0 without a
        parent; all have 0 if z is unknown.
    """
    present_limbs = limb_presence(joints, skeleton)
    if joints.shape[-1] != 4:
        return tf.zeros_like(present_limbs)
    points, present = _points_and_presence(joints)
    z = tf.where(present > 0, joints[..., 3], tf.zeros_like(present))
    count = tf.maximum(tf.reduce_sum(present, axis=1, keepdims=True), 1)
    depths = tf.reduce_mean(tf.gather(z, tf.concat(skeleton.limb_ends, axis=1), axis=1), axis=2)
    depths -= tf.reduce_sum(z, axis=1, keepdims=True) / count

    start, end = (ends[:, skeleton.root_index] for ends in limb_axes(joints, skeleton))
    squared_root = tf.reduce_sum((end - start) ** 2, axis=-1) * present_limbs[:, skeleton.root_index]
    middle = tf.reduce_sum(points, axis=1, keepdims=True) / count[..., None]
    points = tf.where(present[..., None] > 0, points, middle)
    box = tf.reduce_max(points, axis=1) - tf.reduce_min(points, axis=1)
    length = tf.sqrt(tf.maximum(tf.maximum(squared_root, (tf.reduce_max(box, axis=-1) / 4) ** 2), 1))
    return _carried(present_limbs * depths / length[:, None], present_limbs, skeleton)


def limb_axes(joints: tf.Tensor, skeleton: Skeleton) -> tuple[tf.Tensor, tf.Tensor]:
    """Both ends of every limb's axis, [B, L, 2] each: the mean of the joints [B, J, 3] at that end."""
    points, _ = _points_and_presence(joints)
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
    has_length = squared_length > _LENGTH_EPSILON
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


def fit_similarity(
    from_points: tf.Tensor, to_points: tf.Tensor, weights: tf.Tensor, largest: np.ndarray | float = _ANY_CHANGE
) -> tf.Tensor:
    """Weighted least-squares similarity (rotation, uniform scale, translation) from one point set to another.

    Args:
        from_points, to_points: [..., N, 2].
        weights: [..., N], >= 0.
        largest: [...], the factors by which it enlarges or shrinks at most, about the weighted mean of the points.

    Returns:
        [..., 2, 3]. Where all `from_points` coincide the fit is a pure translation, and where all weights are 0 it is
        the identity: always finite, with finite gradients.

    Source: closed form of Umeyama (1991) in two dimensions without reflection.
    """
    weights = weights[..., None]
    total = tf.maximum(tf.reduce_sum(weights, axis=-2), tf.cast(_LENGTH_EPSILON, weights.dtype))
    from_mean = tf.reduce_sum(weights * from_points, axis=-2) / total
    to_mean = tf.reduce_sum(weights * to_points, axis=-2) / total
    p, q = from_points - from_mean[..., None, :], to_points - to_mean[..., None, :]
    w = weights[..., 0]
    spread = tf.reduce_sum(w * (p[..., 0] ** 2 + p[..., 1] ** 2), axis=-1)
    decided = spread > _LENGTH_EPSILON
    divisor = tf.where(decided, spread, tf.ones_like(spread))
    cos = tf.reduce_sum(w * (p[..., 0] * q[..., 0] + p[..., 1] * q[..., 1]), axis=-1) / divisor
    sin = tf.reduce_sum(w * (p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]), axis=-1) / divisor
    cos, sin = tf.where(decided, cos, tf.ones_like(cos)), tf.where(decided, sin, tf.zeros_like(sin))
    scale = tf.sqrt(tf.maximum(cos * cos + sin * sin, _LENGTH_EPSILON))
    largest = tf.constant(largest, scale.dtype)
    limited = tf.clip_by_value(scale, 1 / largest, largest) / scale
    cos, sin = limited * cos, limited * sin
    shift_x = to_mean[..., 0] - (cos * from_mean[..., 0] - sin * from_mean[..., 1])
    shift_y = to_mean[..., 1] - (sin * from_mean[..., 0] + cos * from_mean[..., 1])
    return _affine(cos, -sin, shift_x, sin, cos, shift_y)


def limb_transforms(source_joints: tf.Tensor, target_joints: tf.Tensor, skeleton: Skeleton) -> tf.Tensor:
    """The similarity that maps each target limb to its source limb (`target_to_source`).

    Args:
        source_joints, target_joints: [B, J, 3], both in pixels of the same canvas.

    Returns:
        [B, L, 2, 3]. A limb is fitted to its joints and to the anchors that both poses have. A rigid one is enlarged or
        shrunk by at most a tenth. If a joint is absent in either pose, it takes the transform of its nearest complete
        parent, at last the root limb's; a root limb with an absent joint is fitted to all joints that both poses have.

    Source: the paper, section 3.2; the authors' `get_limb_transforms`.
    Deviation: the paper has neither parents nor anchors; `PERSON` has none.
    """
    own, present = _own_transforms(source_joints, target_joints, skeleton)
    return _carried(own, present, skeleton)


def _own_transforms(source_joints, target_joints, skeleton):
    """Each limb's fit, [B, L, 2, 3], or the root's if a joint is absent in either pose; [B, L], 1 if none is."""
    source, source_present = _points_and_presence(source_joints)
    target, target_present = _points_and_presence(target_joints)
    common = source_present * target_present

    members, weights = skeleton.limb_members
    own = fit_similarity(
        tf.gather(target, members, axis=1),
        tf.gather(source, members, axis=1),
        tf.gather(common, members, axis=1) * tf.cast(weights, common.dtype),
        np.array([_RIGID_CHANGE if limb.rigid else _ANY_CHANGE for limb in skeleton.limbs]),
    )
    whole_body = fit_similarity(target, source, common)
    common_limbs = limb_presence(source_joints, skeleton) * limb_presence(target_joints, skeleton)
    present = common_limbs[..., None, None] > 0
    root = skeleton.root_index
    carrier = tf.where(present[:, root], own[:, root], whole_body)
    return tf.where(present, own, carrier[:, None]), common_limbs


def limb_stretches(source_joints: tf.Tensor, target_joints: tf.Tensor, skeleton: Skeleton) -> tf.Tensor:
    """`limb_transforms` that stretch limbs of two joints along their axis instead of enlarging them.

    A limb that points at the camera is short in the picture, but not thin. A similarity would enlarge it to the other
    pose's length in both directions; here it is stretched along its axis, and its thickness changes by at most a fifth,
    as with the distance to the camera. A foot's axis runs from heel to toe; its anchor, the ankle, takes part in the
    rotation and in the scale along the axis. Rigid limbs keep their similarities. A limb with an absent joint is
    stretched like its parent.

    Args and returns: as `limb_transforms`.

    Deviation: the paper has similarities only.
    """
    similar, present = _own_transforms(source_joints, target_joints, skeleton)
    start, end = limb_axes(target_joints, skeleton)
    axis, middle = end - start, (start + end) / 2
    squared = tf.reduce_sum(axis**2, axis=-1)
    straight = np.array([len(limb.joints) == 2 for limb in skeleton.limbs])
    decided = straight & (squared > _LENGTH_EPSILON) & (limb_presence(target_joints, skeleton) > 0)
    length = tf.sqrt(tf.where(decided, squared, tf.ones_like(squared)))
    across_x, across_y = -axis[..., 1] / length, axis[..., 0] / length
    (m00, m01, m02), (m10, m11, m12) = (tf.unstack(row, axis=-1) for row in tf.unstack(similar, axis=-2))
    scale = tf.sqrt(tf.maximum(m00 * m11 - m01 * m10, _LENGTH_EPSILON))
    kept = tf.clip_by_value(scale, 1 / _THICKNESS_CHANGE, _THICKNESS_CHANGE) / scale
    excess = tf.where(decided, kept - 1, tf.zeros_like(kept))
    # The component across the limb is scaled further: m (p + excess (n . (p - middle)) n).
    image_x, image_y = m00 * across_x + m01 * across_y, m10 * across_x + m11 * across_y
    shift = -excess * (across_x * middle[..., 0] + across_y * middle[..., 1])
    stretched = _affine(
        m00 + excess * image_x * across_x, m01 + excess * image_x * across_y, m02 + shift * image_x,
        m10 + excess * image_y * across_x, m11 + excess * image_y * across_y, m12 + shift * image_y,
    )  # fmt: skip
    return _carried(stretched, present, skeleton)


def _affine(m00, m01, m02, m10, m11, m12):
    """Six [...] entries -> [..., 2, 3]."""
    return tf.stack([tf.stack([m00, m01, m02], axis=-1), tf.stack([m10, m11, m12], axis=-1)], axis=-2)


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
