"""Joints that lie outside of the picture that they belong to: nobody sees them there, and no pose is refused for it.

Estimators place joints outside, motion takes them there, people draw them there. A source's are absent: the photo has
nothing of them to copy. A target's still say how the limbs that lead there lie, unless they are far away.
"""

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.skeleton import Skeleton

# A target's joints count this far outside of the photo, in parts of its longer side: no limb that is seen is longer.
TARGET_MARGIN = 0.5


def outside(joints: np.ndarray, width: int, height: int, margin: float = 0.0) -> np.ndarray:
    """Which visible joints lie outside of an image: bool [..., J] of [..., J, 3 or 4] in its pixels.

    Args:
        margin: only those that lie further outside than this, in parts of the image's longer side.
    """
    # Pixels reach half a pixel beyond their centres.
    room, points = margin * max(width, height) + 0.5, joints[..., :2]
    return (joints[..., 2] > 0) & ((points < -room) | (points > np.array([width, height]) - 1 + room)).any(axis=-1)


def inside_photo(joints: np.ndarray, width: int, height: int, margin: float = 0.0) -> np.ndarray:
    """Poses [..., J, 3 or 4] in pixels of their photo, with joints absent that lie `outside` of it.

    `export.checks.inside_photo` does so in graphs.
    """
    joints = joints.copy()
    joints[outside(joints, width, height, margin), 2] = 0
    return joints


def target_inside(joints: np.ndarray, width: int, height: int, name: str) -> np.ndarray:
    """A target pose [J, 3 or 4] in pixels of a photo, with joints absent that lie far outside of it.

    `export.checks.target_inside` does so in graphs.

    Raises:
        UserError: no joint lies in the photo; the sentence calls the pose `name`.
    """
    if not (inside_photo(joints, width, height)[:, 2] > 0).any():
        raise UserError(f"All of {name} lies outside the {width} x {height} photo; move it inside, or have it fitted.")
    return inside_photo(joints, width, height, TARGET_MARGIN)


def in_words(marked: np.ndarray, skeleton: Skeleton) -> str:
    """Those of a skeleton that are marked, in words: "the right ankle and the left ankle"; "" for none.

    Hands, feet and face are named only where nothing else is.

    Args:
        marked: bool [J].
    """
    coarse = marked & ~skeleton.fine
    chosen = coarse if coarse.any() else marked
    names = [f"the {joint.replace('_', ' ')}" for joint in np.array(skeleton.joints)[chosen]]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
