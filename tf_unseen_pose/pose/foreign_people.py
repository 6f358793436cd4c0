"""Common parts of other programs' files: people with scores, images with sizes, and the choice of one pose.

Convention: one person per frame, the best by score, else by area, else the largest; in a frame without people all
joints are invisible.
"""

import logging
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.known_skeletons import BODY

_log = logging.getLogger(__name__)

NOBODY = np.zeros((BODY.joint_count, 3), np.float32)
# Coordinates up to this are fractions of the image's sides, which some programs write instead of pixels.
_MOST_RELATIVE = 2.0


class Unexpected(ValueError):
    """A deviation of a file from its format, as the end of a sentence without a full stop."""


class Person(NamedTuple):
    """A person in an image.

    Attributes:
        joints: float32 [23, 3 or 4] of `BODY`, in pixels or as fractions of the image's sides.
        score, area: criteria for the best person; None if unknown.
    """

    joints: np.ndarray
    score: float | None = None
    area: float | None = None


class FrameOfPeople(NamedTuple):
    """An image.

    Attributes:
        people: the people in it; None for entries without one.
        size: width and height, None if the file does not state it.
    """

    people: Sequence[Person | None]
    size: tuple[int, int] | None = None


class SizedPoses(NamedTuple):
    """Joints float32 [T, 23, 3 or 4] in pixels of an image of `size`, width and height, or None."""

    joints: np.ndarray
    size: tuple[int, int] | None


def one_pose_a_frame(
    frames: Sequence[FrameOfPeople], size: tuple[int, int] | None, path: Path, corner: float = 0.0
) -> SizedPoses:
    """The best person of every frame, in pixels; images of several sizes are brought to the first one's.

    Args:
        size: of images whose size the file does not state.
        path: the file, for messages.
        corner: position of the image's upper left corner in pixels, for coordinates 0..1.

    Raises:
        UserError: coordinates are 0..1, and the images' size is unknown.
    """
    known = size or next((frame.size for frame in frames if frame.size), None)
    sizes = [frame.size or known for frame in frames]
    people = [[person for person in frame.people if person is not None] for frame in frames]
    if _are_relative(person.joints for group in people for person in group):
        if None in sizes:
            raise UserError(
                f"The coordinates of {path} are fractions of an image's size, which it does not state; add "
                "width and height to it."
            )
        if any(frame.size is None for frame in frames):
            _log.warning(
                "The coordinates of %s are parts of an image's width and height; %s x %s pixels were taken.",
                path, *(known or ()),
            )  # fmt: skip
        people = [
            [person._replace(joints=_in_pixels(person.joints, found, corner)) for person in group]
            for group, found in zip(people, sizes, strict=True)
            if found
        ]
    poses = [_best(group) for group in people]
    if len(set(sizes)) > 1:
        _log.warning("The images of %s differ in size; poses were scaled to the first one's.", path)
        first = sizes[0] or (0, 0)
        poses = [scaled_to(pose, found or first, first) for pose, found in zip(poses, sizes, strict=True)]
    return SizedPoses(stack_poses(poses), sizes[0] if sizes else None)


def _are_relative(people: Iterable[np.ndarray]) -> bool:
    visible = np.concatenate([np.empty((0, 2)), *(joints[joints[:, 2] > 0, :2] for joints in people)])
    return len(visible) > 0 and np.abs(visible).max() <= _MOST_RELATIVE


def _in_pixels(joints: np.ndarray, size: tuple[int, int], corner: float) -> np.ndarray:
    joints = joints.copy()
    joints[:, :2] = joints[:, :2] * np.float32(size) + np.float32(corner)
    # Depth has the scale of x, as MediaPipe's.
    joints[:, 3:] *= size[0]
    return joints


def _best(people: list[Person]) -> np.ndarray:
    """Joints of the best person; of `NOBODY` if none has a visible joint."""
    people = [person for person in people if (person.joints[:, 2] > 0).any()]
    for values in ([person.score for person in people], [person.area for person in people]):
        if people and None not in values:
            return people[int(np.argmax(np.float64(values)))].joints
    return max((person.joints for person in people), key=_extent, default=NOBODY)


def _extent(joints: np.ndarray) -> float:
    """Diagonal of the visible joints' box."""
    return float(np.hypot(*np.ptp(joints[joints[:, 2] > 0, :2], axis=0)))


def scaled_to(joints: np.ndarray, size: tuple[int, int], other: tuple[int, int]) -> np.ndarray:
    """Joints [..., J, 3 or 4] in pixels of an image of one size, (width, height), in another: uniform and centred."""
    scale = min(np.array(other) / size)
    joints = joints.copy()
    joints[..., :2] = (joints[..., :2] - (np.array(size) - 1) / 2) * scale + (np.array(other) - 1) / 2
    joints[..., 3:] *= scale
    return joints


def stack_poses(poses: Iterable[np.ndarray]) -> np.ndarray:
    """Poses [J, 3 or 4] in pixels as one array: [T, J, 4] where every one that shows somebody has z, else [T, J, 3]."""
    poses = list(poses)
    columns = min((pose.shape[1] for pose in poses if (pose[:, 2] > 0).any()), default=3)
    return np.stack([np.pad(pose[:, :columns], ((0, 0), (0, max(0, columns - pose.shape[1])))) for pose in poses])


def are_objects(content: Any, *keys: str) -> bool:
    """Whether something is a list of objects that have these keys."""
    return (
        isinstance(content, list)
        and len(content) > 0
        and all(isinstance(entry, dict) and set(keys) <= entry.keys() for entry in content)
    )


def field(entry: Any, key: str) -> Any:
    """A value of an object.

    Raises:
        Unexpected: it is not an object, or lacks the key.
    """
    if not isinstance(entry, dict) or key not in entry:
        raise Unexpected(f"an entry of it has no '{key}'")
    return entry[key]


def numbers(values: Any, key: str) -> np.ndarray:
    """A field's value as float32 [...].

    Raises:
        Unexpected: it is not of numbers.
    """
    try:
        return np.asarray(values, np.float32)
    except (TypeError, ValueError, OverflowError) as error:
        raise Unexpected(f"'{key}' holds something else than numbers") from error


def number(entry: dict, *keys: str) -> float | None:
    """The first of some values that an object has; None for none.

    Raises:
        Unexpected: it is not a number.
    """
    for key in keys:
        if entry.get(key) is not None:
            value = numbers(entry[key], key)
            if value.size != 1:
                raise Unexpected(f"'{key}' is not one number")
            return float(value.reshape(()))
    return None


def counts(sizes: dict[str, int]) -> str:
    """Numbers and the formats with as many, for messages: "51 (COCO-17) or 78 (Halpe-26)"."""
    groups: dict[int, list[str]] = {}
    for name, size in sizes.items():
        groups.setdefault(size, []).append(name)
    *most, last = [f"{size} ({', '.join(names)})" for size, names in groups.items()]
    return f"{', '.join(most)} or {last}" if most else last


def by_image(entries: Iterable[dict], key: str) -> list[list[dict]]:
    """The entries of every image, in the order of the images' names or numbers."""
    images: dict[str, list[dict]] = {}
    for entry in entries:
        images.setdefault(str(entry[key]), []).append(entry)
    return [images[image] for image in sorted(images, key=natural)]


def natural(name: str | int) -> list[str | int]:
    """Sorts names by the numbers in them."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", str(name))]
