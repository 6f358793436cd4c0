"""Joints outside of their picture, which are cut off.

Estimators, motion and users may place joints outside. A source's are absent, since the photo shows nothing to copy. A
target's still determine the limbs that lead there, unless they are far away.
"""

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.skeleton import Skeleton

# Distance outside of the photo up to which a target's joints count, as a fraction of its longer side.
TARGET_MARGIN = 0.5


def outside(joints: np.ndarray, width: int, height: int, margin: float = 0.0) -> np.ndarray:
    """The visible joints outside of an image: bool [..., J] of [..., J, 3 or 4] in its pixels.

    Args:
        margin: ignore joints up to this far outside, as a fraction of the image's longer side.
    """
    # Pixels reach half a pixel beyond their centres.
    room, points = margin * max(width, height) + 0.5, joints[..., :2]
    return (joints[..., 2] > 0) & ((points < -room) | (points > np.array([width, height]) - 1 + room)).any(axis=-1)


def inside_photo(joints: np.ndarray, width: int, height: int, margin: float = 0.0) -> np.ndarray:
    """Poses [..., J, 3 or 4] in pixels of their photo, with joints `outside` of it absent.

    `export.checks.inside_photo` is the twin in graphs.
    """
    joints = joints.copy()
    joints[outside(joints, width, height, margin), 2] = 0
    return joints


def target_inside(joints: np.ndarray, width: int, height: int, name: str) -> np.ndarray:
    """A target pose [J, 3 or 4] in pixels of a photo, with joints far outside of it absent.

    `export.checks.target_inside` is the twin in graphs.

    Raises:
        UserError: no joint lies in the photo; the message names the pose `name`.
    """
    if not (inside_photo(joints, width, height)[:, 2] > 0).any():
        raise UserError(f"All of {name} lies outside the {width} x {height} photo; move it inside, or have it fitted.")
    return inside_photo(joints, width, height, TARGET_MARGIN)


def in_words(marked: np.ndarray, skeleton: Skeleton) -> str:
    """The marked joints in words: "the right ankle and the left ankle"; "" for none.

    Hands, feet and face are named only without others.

    Args:
        marked: bool [J].
    """
    coarse = marked & ~skeleton.fine
    chosen = coarse if coarse.any() else marked
    names = [f"the {joint.replace('_', ' ')}" for joint in np.array(skeleton.joints)[chosen]]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
