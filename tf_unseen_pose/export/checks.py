"""Checks in the graph: each fails with one sentence, which servers pass on as INVALID_ARGUMENT."""

from contextlib import AbstractContextManager

import tensorflow as tf

from tf_unseen_pose.geometry.pose_maps import PERSON_COUNTS, person_joints
from tf_unseen_pose.known_skeletons import is_person
from tf_unseen_pose.pose.cut_off import TARGET_MARGIN
from tf_unseen_pose.skeleton import Skeleton


def require(condition: tf.Tensor, sentence: str) -> AbstractContextManager:
    """Fails with the sentence unless the boolean condition is true.

    Returns:
        A context; operations in it run after the check.
    """
    assertion = tf.debugging.Assert(condition, [sentence], summarize=1)
    return tf.control_dependencies([] if assertion is None else [assertion])


def counts(skeleton: Skeleton) -> tuple[int, ...]:
    """The allowed numbers of joints of a request; 14 or 23 for people."""
    return PERSON_COUNTS if is_person(skeleton) else (skeleton.joint_count,)


def checked_pose(joints: tf.Tensor, skeleton: Skeleton, name: str) -> tf.Tensor:
    """Joints float32 [..., n, 3 or 4] of a request as [..., J, 3 or 4].

    Rejects other numbers of joints, NaN or infinity, a visibility outside 0..1, and poses without a visible joint.
    """
    allowed = counts(skeleton)
    right, listed = tf.reduce_any(tf.shape(joints)[-2] == allowed), " or ".join(map(str, allowed))
    with require(right, f"{name} has another number of joints than {listed}; send those of a '{skeleton.name}'."):
        joints = person_joints(tf.identity(joints), skeleton)
    joints = tf.ensure_shape(joints, [*joints.shape[:-2], skeleton.joint_count, joints.shape[-1]])
    require(
        tf.reduce_all(tf.math.is_finite(joints)), f"{name} has joints that are no finite numbers; correct the pose."
    )
    visibility = joints[..., 2]
    require(
        tf.reduce_all((visibility >= 0) & (visibility <= 1)),
        f"{name} has a visibility, each joint's third number, that is not in 0..1; correct the pose.",
    )
    require(tf.reduce_any(visibility > 0), f"{name} shows no joint; send a pose that shows the person.")
    return joints


def with_depth(joints: tf.Tensor, name: str) -> tf.Tensor:
    """Joints float32 [..., n, 3 or 4] of a request as [..., n, 4], with depth 0 if none is sent."""
    columns = tf.shape(joints)[-1]
    right = (columns == 3) | (columns == 4)
    with require(right, f"{name} has not three or four numbers a joint; send x, y, visibility, and depth if known."):
        padded = tf.pad(joints, [*[[0, 0]] * (joints.shape.rank - 1), [0, 1]])[..., :4]
    return tf.ensure_shape(padded, [*joints.shape[:-1], 4])


def inside_photo(joints: tf.Tensor, photo: tf.Tensor, margin: float = 0.0) -> tf.Tensor:
    """A pose [J, 3 or 4] in pixels of its photo [H, W, 3], with joints outside of it absent.

    `pose.cut_off.inside_photo` is the twin in NumPy.
    """
    size = tf.cast(tf.shape(photo)[1::-1], tf.float32)
    room = margin * tf.reduce_max(size) + 0.5
    inside = tf.reduce_all((joints[..., :2] >= -room) & (joints[..., :2] <= size - 1 + room), axis=-1)
    return tf.concat([joints[..., :2], tf.where(inside, joints[..., 2], 0.0)[..., None], joints[..., 3:]], axis=-1)


def target_inside(joints: tf.Tensor, photo: tf.Tensor, name: str) -> tf.Tensor:
    """A target pose [J, 3 or 4] in pixels of a photo [H, W, 3], with joints far outside of it absent.

    Rejects a pose without a joint in the photo. `pose.cut_off.target_inside` is the twin in NumPy.
    """
    shown = tf.reduce_any(inside_photo(joints, photo)[..., 2] > 0)
    with require(shown, f"{name} lies outside the photo, all of it; send one that lies inside."):
        return inside_photo(joints, photo, TARGET_MARGIN)
