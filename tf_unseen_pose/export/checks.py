"""What a graph refuses, each in one sentence, as `InvalidArgumentError`: servers pass it on as INVALID_ARGUMENT."""

from contextlib import AbstractContextManager

import tensorflow as tf


def require(condition: tf.Tensor, sentence: str) -> AbstractContextManager:
    """Fails with that sentence unless the condition, a boolean, is true.

    Returns:
        A context. What is done within it is done after the check; elsewhere in a graph that is not sure.
    """
    assertion = tf.debugging.Assert(condition, [sentence], summarize=1)
    return tf.control_dependencies([] if assertion is None else [assertion])


def require_pose(joints: tf.Tensor, name: str) -> None:
    """Refuses float32 [..., J, 3] with NaN or infinity, with a visibility out of 0..1, or without a visible joint."""
    require(
        tf.reduce_all(tf.math.is_finite(joints)), f"{name} has joints that are no finite numbers; correct the pose."
    )
    visibility = joints[..., 2]
    require(
        tf.reduce_all((visibility >= 0) & (visibility <= 1)),
        f"{name} has a visibility, each joint's third number, that is not in 0..1; correct the pose.",
    )
    require(tf.reduce_any(visibility > 0), f"{name} shows no joint; send a pose that shows the person.")


def require_inside(joints: tf.Tensor, photo: tf.Tensor, name: str, margin: float = 0.0) -> None:
    """Refuses a visible joint of [..., J, 3] outside the photo [H, W, 3] by more than that part of its longer side.

    `pose.pose_files.require_inside` does so in NumPy, and names the joint.
    """
    size = tf.cast(tf.shape(photo)[1::-1], tf.float32)
    room = margin * tf.reduce_max(size) + 0.5
    outside = tf.reduce_any((joints[..., :2] < -room) | (joints[..., :2] > size - 1 + room), axis=-1)
    require(
        ~tf.reduce_any(outside & (joints[..., 2] > 0)),
        f"{name} has a visible joint outside the photo; move it inside or set its visibility to 0.",
    )
