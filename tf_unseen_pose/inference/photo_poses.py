"""The source pose and the target pose of a photo's person.

Convention: as `protocol`.
"""

import logging
from typing import NamedTuple

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.known_skeletons import is_person
from tf_unseen_pose.pose import cut_off
from tf_unseen_pose.pose.people import Choice
from tf_unseen_pose.pose.pose_files import as_joints
from tf_unseen_pose.skeleton import Skeleton

_log = logging.getLogger(__name__)


class Source(NamedTuple):
    """The person in a photo.

    Attributes:
        joints: float32 [J, 3] in pixels of the photo.
        extent: float32 [4] x0, y0, x1, y1 in pixels of the photo, the box that shows the person; None if unknown.
    """

    joints: np.ndarray
    extent: np.ndarray | None


def source_person(
    image: np.ndarray,
    joints: np.ndarray | None,
    skeleton: Skeleton,
    person: Choice = None,
    extent: np.ndarray | None = None,
) -> Source:
    """The person in a photo, given or detected.

    Joints outside the photo are absent, since there is nothing to copy; a warning names them.

    Args:
        image: uint8 [H, W, 3].
        joints: [J, 3 or 4] in pixels of the photo.
        person: the choice among several people, without given joints.
        extent: [4], the box of a person whose joints are given.

    Raises:
        UserError: the joints are not a valid pose; no person, or not the chosen one, is detected; both joints and a
            choice are given.
    """
    if person is not None and joints is not None:
        raise UserError("A person is chosen among those who are found; leave out 'person', or the source's joints.")
    if joints is None:
        joints, extent = _found(image, skeleton, person)
    joints = as_joints(joints, skeleton, "the source pose")[:, :3]
    height, width = image.shape[:2]
    if missing := cut_off.in_words(cut_off.outside(joints, width, height), skeleton):
        _log.warning("What the photo does not show is left out: %s.", missing)
    return Source(cut_off.inside_photo(joints, width, height), extent)


def target_pose(image: np.ndarray, joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """The target joints [J, 3 or 4] of a photo's person; a warning names those outside the photo.

    Args:
        image: uint8 [H, W, 3].
        joints: [J, 3 or 4] in pixels of the photo.

    Raises:
        UserError: the joints are not a valid pose, or all lie outside the photo.
    """
    joints = as_joints(joints, skeleton, "the target pose")
    height, width = image.shape[:2]
    inside = cut_off.target_inside(joints, width, height, "the target pose")
    if missing := cut_off.in_words(cut_off.outside(joints, width, height), skeleton):
        _log.warning("What the target pose has outside the photo is cut off: %s.", missing)
    return inside


def _found(image: np.ndarray, skeleton: Skeleton, person: Choice) -> Source:
    if not is_person(skeleton):
        raise UserError(f"Poses of the skeleton '{skeleton.name}' cannot be found in photos; give the source pose.")
    try:
        # MediaPipe is large, and not needed for known poses.
        from tf_unseen_pose.pose.estimation import find_person, open_estimator
    except ImportError as error:
        raise UserError(
            f"Finding a pose in a photo needs the package '{error.name}', which is not installed; install it, or "
            "give the source pose."
        ) from error
    with open_estimator() as estimator:
        found = find_person(image, "the photo", estimator, person, "person")
    return Source(found.joints, found.extent)
