"""The bundled photos, poses and motion (see assets/demo_data/NOTICE and NOTICE-avatars)."""

from pathlib import Path

import numpy as np

from tf_unseen_pose.imaging.photos import load_image
from tf_unseen_pose.known_skeletons import BODY
from tf_unseen_pose.pose.pose_files import Poses, read_poses

FOLDER = Path(__file__).parents[1] / "assets" / "demo_data"


def bundled() -> tuple[np.ndarray, np.ndarray, Poses]:
    """The photo, uint8 [H, W, 3], its joints [23, 4] of `BODY`, and the motion, all in pixels of the photo.

    Models of `PERSON` accept them, too.

    Raises:
        UserError: a file of the package is missing or damaged.

    Example:
        >>> from tf_unseen_pose import bundled
        >>> photo, joints, motion = bundled()
        >>> photo.dtype, joints.shape, motion.joints.shape[1:]
        (dtype('uint8'), (23, 4), (23, 4))
    """
    poses = (read_poses(FOLDER / name, BODY) for name in ("person.json", "motion.json"))
    return load_image(FOLDER / "person.jpg"), next(poses).joints[0], next(poses)


def bundled_avatar(number: int) -> tuple[np.ndarray, np.ndarray]:
    """A rendered person whom no training data shows, 1 or 2: uint8 [400, 400, 3], and its joints [23, 3] of `BODY`.

    Raises:
        UserError: a file of the package is missing or damaged.
    """
    path = FOLDER / f"avatar-{number}.jpg"
    return load_image(path), read_poses(path.with_suffix(".json"), BODY).joints[0]
