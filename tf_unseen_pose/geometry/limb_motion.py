"""Transforms of limbs between two poses: similarity fits, and stretches along a limb.

Convention: as `pose_maps`: points are in pixels, transforms are [..., 2, 3].
"""

import numpy as np
import tensorflow as tf

from tf_unseen_pose.geometry.pose_maps import LENGTH_EPSILON, carried, limb_axes, limb_presence, points_and_presence
from tf_unseen_pose.skeleton import Skeleton

# Maximum factors by which a limb's thickness may change between two poses, a rigid limb's size, and any other's, where
# it only keeps numbers finite.
_THICKNESS_CHANGE, _RIGID_CHANGE, _ANY_CHANGE = 1.2, 1.1, 1e3


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
    total = tf.maximum(tf.reduce_sum(weights, axis=-2), tf.cast(LENGTH_EPSILON, weights.dtype))
    from_mean = tf.reduce_sum(weights * from_points, axis=-2) / total
    to_mean = tf.reduce_sum(weights * to_points, axis=-2) / total
    p, q = from_points - from_mean[..., None, :], to_points - to_mean[..., None, :]
    w = weights[..., 0]
    spread = tf.reduce_sum(w * (p[..., 0] ** 2 + p[..., 1] ** 2), axis=-1)
    decided = spread > LENGTH_EPSILON
    divisor = tf.where(decided, spread, tf.ones_like(spread))
    cos = tf.reduce_sum(w * (p[..., 0] * q[..., 0] + p[..., 1] * q[..., 1]), axis=-1) / divisor
    sin = tf.reduce_sum(w * (p[..., 0] * q[..., 1] - p[..., 1] * q[..., 0]), axis=-1) / divisor
    cos, sin = tf.where(decided, cos, tf.ones_like(cos)), tf.where(decided, sin, tf.zeros_like(sin))
    scale = tf.sqrt(tf.maximum(cos * cos + sin * sin, LENGTH_EPSILON))
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
    return carried(own, present, skeleton)


def _own_transforms(source_joints, target_joints, skeleton):
    """Each limb's fit, [B, L, 2, 3], or the root's if a joint is absent in either pose; [B, L], 1 if none is."""
    source, source_present = points_and_presence(source_joints)
    target, target_present = points_and_presence(target_joints)
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
    decided = straight & (squared > LENGTH_EPSILON) & (limb_presence(target_joints, skeleton) > 0)
    length = tf.sqrt(tf.where(decided, squared, tf.ones_like(squared)))
    across_x, across_y = -axis[..., 1] / length, axis[..., 0] / length
    (m00, m01, m02), (m10, m11, m12) = (tf.unstack(row, axis=-1) for row in tf.unstack(similar, axis=-2))
    scale = tf.sqrt(tf.maximum(m00 * m11 - m01 * m10, LENGTH_EPSILON))
    kept = tf.clip_by_value(scale, 1 / _THICKNESS_CHANGE, _THICKNESS_CHANGE) / scale
    excess = tf.where(decided, kept - 1, tf.zeros_like(kept))
    # The component across the limb is scaled further: m (p + excess (n . (p - middle)) n).
    image_x, image_y = m00 * across_x + m01 * across_y, m10 * across_x + m11 * across_y
    shift = -excess * (across_x * middle[..., 0] + across_y * middle[..., 1])
    stretched = _affine(
        m00 + excess * image_x * across_x, m01 + excess * image_x * across_y, m02 + shift * image_x,
        m10 + excess * image_y * across_x, m11 + excess * image_y * across_y, m12 + shift * image_y,
    )  # fmt: skip
    return carried(stretched, present, skeleton)


def _affine(m00, m01, m02, m10, m11, m12):
    """Six [...] entries -> [..., 2, 3]."""
    return tf.stack([tf.stack([m00, m01, m02], axis=-1), tf.stack([m10, m11, m12], axis=-1)], axis=-2)
