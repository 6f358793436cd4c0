"""Checks a sequence of driving poses, and fills frames without a person."""

import numpy as np
from numpy.typing import ArrayLike

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.known_skeletons import person_joints
from tf_unseen_pose.skeleton import Skeleton


def driving_poses(values: ArrayLike, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """A sequence in which every frame shows somebody; `export.photo_signatures.held` is the twin in graphs.

    Args:
        values: [T, J, 3 or 4]; skeletons `PERSON` and `BODY` accept each other's poses.

    Returns:
        float32 [T, J, 3 or 4], in which poses without a visible joint repeat the one before (at the beginning, the
        first with one); and the T' poses that show a joint.

    Raises:
        UserError: another shape, NaN, or no joint visible in any frame.
    """
    poses, count = np.asarray(values, np.float32), skeleton.joint_count
    poses = person_joints(poses, skeleton) if poses.ndim == 3 else poses
    if poses.ndim != 3 or poses.shape[1:] not in ((count, 3), (count, 4)) or not np.isfinite(poses).all():
        raise UserError(f"The driving poses are not finite numbers [T, {count}, 3 or 4]; correct them.")
    shown = np.flatnonzero((poses[..., 2] > 0).any(axis=1))
    if not len(shown):
        raise UserError("The driving poses show no joint in any frame; give a video that shows a person.")
    held = shown[np.maximum(np.searchsorted(shown, np.arange(len(poses)), "right") - 1, 0)]
    return poses[held], poses[shown]
