"""Removes small camera movements from a clip, so that the backgrounds of its frames coincide.

See `imaging.registration` for method and conventions.
"""

import io
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
from PIL import Image

from tf_unseen_pose.data import limb_maps
from tf_unseen_pose.data.clips import Clip, Frame, Rejected, encode_picture, fault_of_pose
from tf_unseen_pose.imaging.affine import invert, transform_points
from tf_unseen_pose.imaging.registration import Registration, apply, mask_from_joints
from tf_unseen_pose.skeleton import Skeleton

# Why a frame is `Rejected` that cannot be aligned.
MOVED = "camera moved too far to register"


def registered(clip: Clip) -> Clip:
    """The clip with its frames aligned to its first one.

    Frames that cannot be aligned are rejected. Unmoved frames keep their bytes; moved ones are re-encoded. A missing
    mask is drawn from the joints for the alignment, not for the clip.
    """
    return replace(clip, frames=partial(_aligned_frames, clip))


def _aligned_frames(clip: Clip) -> Iterator[Frame | Rejected]:
    registration = None
    for frame in clip.frames():
        if isinstance(frame, Rejected):
            yield frame
            continue
        if fault := fault_of_pose(frame.joints, clip.skeleton, frame.box):
            yield Rejected(fault, frame.number)
            continue
        image = np.asarray(Image.open(io.BytesIO(frame.jpeg)).convert("RGB"))
        mask = _mask(frame, clip.skeleton, *image.shape[:2])
        registration = registration or Registration(image, mask)
        transform = registration.align(image, mask)
        if transform is None:
            yield Rejected(MOVED, frame.number)
        else:
            yield frame if np.array_equal(transform, np.eye(2, 3)) else _moved(frame, transform, image, mask)


def _mask(frame: Frame, skeleton: Skeleton, height: int, width: int) -> np.ndarray:
    if frame.mask_png is None:
        return mask_from_joints(frame.joints, skeleton, height, width)
    return np.asarray(Image.open(io.BytesIO(frame.mask_png)))


def _moved(frame: Frame, transform: np.ndarray, image: np.ndarray, mask: np.ndarray) -> Frame:
    image, mask, joints = apply(transform, image, mask, frame.joints)
    box = None if frame.box is None else _moved_box(transform, frame.box)
    return replace(
        frame,
        jpeg=encode_picture(image, "JPEG"),
        joints=joints,
        box=box,
        mask_png=None if frame.mask_png is None else encode_picture(mask, "PNG"),
        limbs_png=None if frame.limbs_png is None else encode_picture(_moved_labels(transform, frame.limbs_png), "PNG"),
    )


def _moved_labels(transform: np.ndarray, limbs_png: bytes) -> np.ndarray:
    labels = np.asarray(Image.open(io.BytesIO(limbs_png)))
    height, width = labels.shape
    return limb_maps.cut_out(labels, invert(transform), height, width, cv2.BORDER_CONSTANT)


def _moved_box(transform: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The upright box for a moved one: centre moved, sides scaled."""
    size = np.asarray(box[2:]) * np.hypot(*transform[:, 0])
    centre = transform_points(transform, box[:2] + np.asarray(box[2:]) / 2)
    return np.concatenate([centre - size / 2, size]).astype(np.float32)
