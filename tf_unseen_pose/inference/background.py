"""Loads the scene without the person, from a photo of it or from a video of somebody in it."""

from pathlib import Path

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.photos import is_image, load_image


def load_background(path: Path, pose_model: Path | None = None) -> np.ndarray:
    """Loads a `background` for a re-poser.

    Args:
        path: a photo of the scene without the person, or a video from a still camera in which the person walks; the
            content decides which.
        pose_model: see `open_estimator`; for videos.

    Returns:
        uint8 [H, W, 3] of a photo; [H, W, 4] of a video, the fourth channel 255 where the scene was seen, else 0.

    Raises:
        UserError: a file that is missing, damaged or of an unknown kind; a moving camera; a package that is not
            installed.

    Example:
        >>> from tf_unseen_pose import load_background
        >>> from tf_unseen_pose.inference.bundled import FOLDER
        >>> load_background(FOLDER / "person.jpg").shape  # or of a video: Path("me-at-home.mp4")
        (630, 540, 3)
    """
    if is_image(path):
        return load_image(path)
    try:
        from tf_unseen_pose.inference.median_background import median_background
        from tf_unseen_pose.pose.estimation import open_estimator
    except ImportError as error:
        raise UserError(
            f"Looking behind the person of {path} needs the package '{error.name}', which is not installed; install "
            "it, or give a photo of the scene."
        ) from error
    with open_estimator(model=pose_model) as estimator:
        return median_background(path, estimator)
