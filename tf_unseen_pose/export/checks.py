"""What a graph refuses, each in one sentence, as `InvalidArgumentError`: servers pass it on as INVALID_ARGUMENT."""

from contextlib import AbstractContextManager

import tensorflow as tf

from tf_unseen_pose.geometry.pose_maps import PERSON_COUNTS, person_joints
from tf_unseen_pose.known_skeletons import is_person
from tf_unseen_pose.skeleton import Skeleton


def require(condition: tf.Tensor, sentence: str) -> AbstractContextManager:
    """Fails with that sentence unless the condition, a boolean, is true.

    Returns:
        A context. What is done within it is done after the check; elsewhere in a graph that is not sure.
    """
    assertion = tf.debugging.Assert(condition, [sentence], summarize=1)
    return tf.control_dependencies([] if assertion is None else [assertion])


def counts(skeleton: Skeleton) -> tuple[int, ...]:
    """How many joints a request may have; a person's 14 or 23."""
    return PERSON_COUNTS if is_person(skeleton) else (skeleton.joint_count,)


def checked_pose(joints: tf.Tensor, skeleton: Skeleton, name: str) -> tf.Tensor:
    """Joints float32 [..., n, 3 or 4] of a request as [..., J, 3 or 4].

    Refuses another number of joints, NaN or infinity, a visibility out of 0..1, and poses without a visible joint.
    """
    allowed = counts(skeleton)
    right, listed = tf.reduce_any(tf.shape(joints)[-2] == allowed), " or ".join(map(str, allowed))
    with require(right, f"{name} has another number of joints than {listed}; send those of a '{skeleton.name}'."):
        joints = person_joints(tf.identity(joints), skeleton)
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
    """Joints float32 [..., n, 3 or 4] of a request as [..., n, 4]: depth is 0 for all where it is not sent."""
    columns = tf.shape(joints)[-1]
    right = (columns == 3) | (columns == 4)
    with require(right, f"{name} has not three or four numbers a joint; send x, y, visibility, and depth if known."):
        padded = tf.pad(joints, [*[[0, 0]] * (joints.shape.rank - 1), [0, 1]])[..., :4]
    return tf.ensure_shape(padded, [*joints.shape[:-1], 4])


def inside_photo(joints: tf.Tensor, photo: tf.Tensor, skeleton: Skeleton, name: str, margin: float = 0.0) -> tf.Tensor:
    """A pose [J, 3 or 4] in pixels of its photo [H, W, 3]; hands, feet and face that lie outside of it are absent.

    Any other visible joint is refused that lies outside by more than `margin` of the photo's longer side.
    `pose.pose_files.inside_photo` does so in NumPy, and names the joint.
    """
    size = tf.cast(tf.shape(photo)[1::-1], tf.float32)
    room = margin * tf.reduce_max(size) + 0.5
    outside = tf.reduce_any((joints[..., :2] < -room) | (joints[..., :2] > size - 1 + room), axis=-1)
    outside &= joints[..., 2] > 0
    require(
        ~tf.reduce_any(outside & ~skeleton.fine),
        f"{name} has a visible joint outside the photo; move it inside or set its visibility to 0.",
    )
    seen = tf.where(outside & skeleton.fine, tf.zeros_like(joints[..., 2]), joints[..., 2])
    return tf.concat([joints[..., :2], seen[..., None], joints[..., 3:]], axis=-1)
