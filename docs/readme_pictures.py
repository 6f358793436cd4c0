"""The pictures of the README, made with the bundled model.

Beside the bundled photo they show the bundled avatars, whom no training data shows.
"""

from collections.abc import Iterator

import numpy as np

from tf_unseen_pose.imaging.drawing import contact_sheet, draw_pose
from tf_unseen_pose.inference.bundled import FOLDER, bundled, bundled_avatar
from tf_unseen_pose.inference.reposer import Reposer
from tf_unseen_pose.known_skeletons import BODY, person_joints
from tf_unseen_pose.pose.pose_files import read_poses
from tf_unseen_pose.pose.retargeting import retarget

# Of the still picture: the part of the photo that is shown, in its own pixels.
_SHOWN = np.s_[35:355, 55:335]
# Of the animation: height of a panel, and width for height, in pixels; the bundled photo's shape.
_HEIGHT, _WIDTH_FOR_HEIGHT = 320, 540 / 630


def photo_pose_result(reposer: Reposer) -> np.ndarray:
    """One person in one pose: uint8 [H, W, 3], at the photo's own resolution."""
    photo, source = _avatar(1, reposer)
    target = person_joints(read_poses(FOLDER / "avatar-1-target.json", BODY).joints[0], reposer.skeleton)
    panels = {
        "photo": photo,
        "target pose": draw_pose(np.zeros_like(photo), target, reposer.skeleton),
        "result": reposer.synthesize(photo, target, source[:, :3]),
    }
    return contact_sheet([(title, picture[_SHOWN]) for title, picture in panels.items()], columns=len(panels))


def followed_motion(reposer: Reposer) -> Iterator[np.ndarray]:
    """The bundled motion beside two people who follow it: uint8 [H, W, 3], a frame at a time."""
    photo, source, motion = bundled()
    people = {
        "the bundled photo": (photo, person_joints(source, reposer.skeleton)),
        "another photo": _avatar(2, reposer),
    }
    driving = person_joints(motion.joints, reposer.skeleton)
    fitted = {title: retarget(driving, joints, reposer.skeleton) for title, (_, joints) in people.items()}
    live = {title: reposer.live(image, fitted[title], joints[:, :3]) for title, (image, joints) in people.items()}
    for i, pose in enumerate(driving):
        panels = [("driving motion", draw_pose(np.zeros_like(photo), pose, reposer.skeleton))]
        for title, posed in live.items():
            panels.append((title, _portrait(posed(fitted[title][i]), fitted[title])))
        yield contact_sheet(panels, columns=len(panels), side=_HEIGHT)


def _avatar(number: int, reposer: Reposer) -> tuple[np.ndarray, np.ndarray]:
    photo, joints = bundled_avatar(number)
    return photo, person_joints(joints, reposer.skeleton)


def _portrait(photo: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """The photo's whole height, and the columns about the middle of the motion, of one shape for all panels."""
    height, width = photo.shape[:2]
    shown = min(width, round(height * _WIDTH_FOR_HEIGHT))
    left = int(np.clip(poses[..., 0].mean() - shown / 2, 0, width - shown))
    return photo[:, left : left + shown]
