"""Live poses from a camera."""

import sys
from collections.abc import Iterator

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.pose.retargeting import retarget
from tf_unseen_pose.skeleton import Skeleton

# Number of poses that determine the person's proportions and place before the first picture.
LEARNED = 24


def camera_poses(index: int) -> Iterator[np.ndarray]:
    """Joints [23, 4] in pixels of a camera's pictures, for every picture with a person.

    Raises:
        UserError: OpenCV or MediaPipe is not installed, or there is no such camera.
    """
    try:
        import cv2

        from tf_unseen_pose.pose.estimation import open_estimator
    except ImportError as error:
        raise UserError(
            f"Poses of a camera take the package '{error.name}', which is not installed; install it, or give --driving "
            "a pose file."
        ) from error
    camera = cv2.VideoCapture(index)
    try:
        if not camera.isOpened():
            raise UserError(f"There is no camera {index}; connect one, or give another number.")
        with open_estimator(video=True) as estimator:
            while (read := camera.read())[0]:
                detection = estimator.detect(np.ascontiguousarray(read[1][..., ::-1]))
                if detection is not None:
                    yield detection.joints
    finally:
        camera.release()


class Fitting:
    """Fits poses to a photo's person one at a time; the first few determine the driving person's size and place.

    Args:
        learned: [T, J, 3 or 4] in pixels of the driving pictures.
        source: [J, 3 or 4] in pixels of the photo.

    Raises:
        UserError: the two people have too few joints in common.
    """

    def __init__(self, learned: np.ndarray, source: np.ndarray, skeleton: Skeleton):
        self._learned, self._source, self._skeleton = learned, source, skeleton
        self.fitted = retarget(learned, source, skeleton)

    def __call__(self, pose: np.ndarray) -> np.ndarray:
        """A pose [J, 3 or 4] of the driving pictures, fitted to the photo."""
        known = np.concatenate([self._learned, pose[None]])
        return retarget(known, self._source, self._skeleton)[-1]


def learned_poses(poses: Iterator[np.ndarray]) -> np.ndarray:
    """The first poses of a camera: [T, J, 4].

    Raises:
        UserError: the camera ended before enough poses were seen.
    """
    found = []
    for pose in poses:
        found.append(pose)
        print(f"\rLearning the person's proportions: {len(found)} of {LEARNED}", end="", file=sys.stderr, flush=True)
        if len(found) == LEARNED:
            return np.stack(found)
    raise UserError(
        "The camera stopped before a person was seen for long enough; stand in front of it, fully visible, and retry."
    )
