"""The part of a photo that the networks see: the canvas with the source's person and the target poses.

Convention: as `protocol`.
"""

import logging
from dataclasses import dataclass

import numpy as np

from tf_unseen_pose.imaging.affine import invert, transform_joints
from tf_unseen_pose.imaging.crop import holding, usual_step, whole_crop
from tf_unseen_pose.imaging.placement import on_whole_pixels
from tf_unseen_pose.inference.photo_poses import Source
from tf_unseen_pose.skeleton import Skeleton

# Below this fraction of the usual size, the person is visibly coarser.
_LEAST_SIZE = 0.6
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Canvas:
    """The canvas cut out of a photo, with its poses.

    Attributes:
        image: float32 [h, w, 3] in [-1, 1].
        source_joints: float32 [J, 3] in canvas pixels.
        target_joints: float32 [J, 3 or 4], or [T, J, 3 or 4] of a sequence.
        canvas_to_image: float32 [2, 3].
    """

    image: np.ndarray
    source_joints: np.ndarray
    target_joints: np.ndarray
    canvas_to_image: np.ndarray


def person_crop(
    image: np.ndarray,
    person: Source,
    targets: np.ndarray,
    skeleton: Skeleton,
    height: int,
    width: int,
    crop_factor: float,
) -> tuple[np.ndarray, np.ndarray]:
    """The source pose on the canvas around it and the target poses, and that canvas's place in the photo.

    A warning says if the person is seen much smaller than usual.

    Args:
        image: uint8 [H, W, 3].
        targets: [T, J, 3 or 4] in pixels of the photo.
        height, width, crop_factor: of the canvas, as `imaging.crop.whole_crop`.

    Returns:
        joints [J, 3] in canvas pixels, and `canvas_to_image`, float64 [2, 3], on whole pixels of the photo.

    Raises:
        UserError: as `imaging.crop.whole_crop`.
    """
    source = person.joints
    crop = whole_crop(source, targets, image.shape[:2], skeleton, height, width, crop_factor)
    if person.extent is not None:
        crop = holding(crop, person.extent, height, width)
    _tell_if_small(crop, usual_step(source, targets, skeleton, height, width, crop_factor))
    crop = on_whole_pixels(crop, height, width)
    return transform_joints(invert(crop), source), crop


def _tell_if_small(canvas_to_image: np.ndarray, usual: float) -> None:
    # A canvas as fine as the photo loses nothing.
    size = max(usual, 1.0) / canvas_to_image[0, 0]
    if size < _LEAST_SIZE:
        _log.warning(
            "The poses lie so far apart in the photo that the model sees the person at %.0f %% of the usual size, and "
            "the result is coarser; move them nearer to the person.",
            100 * size,
        )
