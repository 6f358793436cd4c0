"""Reads pose files of other programs; each reader recognises its JSON by the content.

A reader takes the JSON's content and the file's path (for messages) and returns None for another format, or a
`FrameOfPeople` for every frame. Malformed content of its format raises `Unexpected`, which `read_foreign_poses` turns
into a message.

Convention: frames of named images are in the order of the names' numbers: 2 before 10.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.pose.coco_files import annotation_frames, list_frames, result_frames
from tf_unseen_pose.pose.foreign_people import (
    FrameOfPeople,
    Person,
    SizedPoses,
    Unexpected,
    are_objects,
    by_image,
    numbers,
    one_pose_a_frame,
)
from tf_unseen_pose.pose.joint_formats import FORMATS
from tf_unseen_pose.pose.mediapipe_files import mediapipe_frames
from tf_unseen_pose.pose.openpose_files import openpose_frames


def read_foreign_poses(content: Any, path: Path, size: tuple[int, int] | None) -> SizedPoses | None:
    """Poses by the first reader that recognises the content; None if none does.

    Args:
        content: of the JSON file.
        path: the file, for messages.
        size: width and height of images whose size the file does not state.

    Raises:
        UserError: the content is recognised but malformed, or its coordinates are 0..1 of an unknown size.
    """
    for kind, reader in _READERS.items():
        try:
            frames = reader.read(content, path)
        except Unexpected as error:
            raise UserError(f"{path} looks like {kind}, but {error}.") from error
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise UserError(f"{path} looks like {kind} but is not of its form; it must be {reader.form}.") from error
        if frames:
            return one_pose_a_frame(frames, size, path, reader.corner)
    return None


def read_posewarp_poses(path: Path, size: tuple[int, int] | None) -> SizedPoses:
    """The joints [T, 14, 3] of the authors' .mat file, which does not state its images' size.

    Raises:
        UserError: the file is damaged or of another layout, or SciPy is not installed.
    """
    try:
        # SciPy is large, and reading JSON does not need it.
        from tf_unseen_pose.pose.posewarp_joints import read_posewarp_joints
    except ImportError as error:
        raise UserError(
            f"Reading {path} needs the package '{error.name}'; install it, or write the poses as JSON."
        ) from error
    try:
        return SizedPoses(read_posewarp_joints(path)[0], size)
    except ValueError as error:
        raise UserError(f"{error}; name a file of their 'info' folder.") from error


def _mpii(content: Any, path: Path) -> list[FrameOfPeople] | None:
    if not are_objects(content, "image", "joints", "joints_vis"):
        return None
    return [FrameOfPeople([_mpii_person(person) for person in image]) for image in by_image(content, "image")]


def _mpii_person(person: dict) -> Person:
    points, flags = numbers(person["joints"], "joints"), numbers(person["joints_vis"], "joints_vis")
    for key, values, shape in (("joints", points, (16, 2)), ("joints_vis", flags, (16,))):
        if values.shape != shape:
            raise Unexpected(f"'{key}' has {len(values) if values.ndim else 0} entries; 16 were expected")
    visible = (flags > 0) & (points != -1).any(axis=1)
    # MPII counts pixels from 1, as MATLAB does.
    return Person(FORMATS["MPII"].to_joints(np.concatenate([points - 1, visible[:, None]], axis=1)))


class _Reader(NamedTuple):
    read: Callable[[Any, Path], list[FrameOfPeople] | None]
    form: str
    corner: float = 0.0


_READERS = {
    "OpenPose": _Reader(
        openpose_frames, '{"people": [{"pose_keypoints_2d": [...]}]} with x, y and confidence of 25 or 18 keypoints'
    ),
    "COCO results": _Reader(
        result_frames, '[{"image_id": ..., "keypoints": [...]}] with x, y and score of each keypoint'
    ),
    "COCO annotations": _Reader(
        annotation_frames,
        'an object with "images" (id, width, height) and "annotations" (image_id, keypoints: x, y and visibility)',
    ),
    "a list of people": _Reader(list_frames, '[{"keypoints": [...]}], or such a list for every image'),
    # Its 0..1 runs from the first pixel's outer edge to the last one's.
    "MediaPipe": _Reader(
        mediapipe_frames, "a list of frames of 33 landmarks, each x, y, and if known z and visibility", corner=-0.5
    ),
    "MPII": _Reader(_mpii, '[{"image": ..., "joints": [[x, y] * 16], "joints_vis": [16 times 0 or 1]}]'),
}
