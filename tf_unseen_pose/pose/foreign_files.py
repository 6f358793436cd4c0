"""Poses as other programs write them: each reader recognises its JSON by the content.

A reader takes what the JSON holds and returns None where it is of another kind, or joints float32 [T, 23, 3] of
`BODY` ([T, 23, 4] with BlazePose's depth) and the image's (width, height), None where the file does not say.
Malformed content raises KeyError, TypeError or ValueError, which `read_foreign_poses` puts into words.

Convention: one person a frame; a frame without anybody has all joints invisible. Frames of named images are in the
order of the names' numbers: 2 before 10.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.known_skeletons import BODY
from tf_unseen_pose.pose.joint_formats import FORMATS, blazepose_to_body

PosesAndSize = tuple[np.ndarray, tuple[int, int] | None]

_NOBODY = np.zeros((BODY.joint_count, 3), np.float32)
# Coordinates of which none exceeds this are parts of the image's sides, which some programs write instead of pixels.
_MOST_RELATIVE = 2.0


def read_foreign_poses(content: Any, path: Path) -> PosesAndSize | None:
    """What the first reader that knows the content makes of it, joints [T, 23, 3 or 4]; None if none does.

    Args:
        content: what the JSON file holds.
        path: the file, for messages.

    Raises:
        UserError: the content is recognised but malformed, or its coordinates are not pixels.
    """
    for kind, (read, form) in _READERS.items():
        try:
            found = read(content)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise UserError(f"{path} looks like {kind} but is not of its form; it must be {form}.") from error
        if found is not None:
            _require_pixels(found[0], path)
            return found
    return None


def read_posewarp_poses(path: Path) -> PosesAndSize:
    """The joints [T, 14, 3] of the authors' .mat file.

    Raises:
        UserError: the file is damaged or of another layout, or SciPy is not installed.
    """
    try:
        # SciPy is large, and a device that reads JSON does without.
        from tf_unseen_pose.pose.posewarp_joints import read_posewarp_joints
    except ImportError as error:
        raise UserError(
            f"Reading {path} takes the package '{error.name}'; install it, or write the poses as JSON."
        ) from error
    try:
        return read_posewarp_joints(path)[0], None
    except ValueError as error:
        raise UserError(f"{error}; name a file of their 'info' folder.") from error


def openpose_files(folder: Path) -> list[Path]:
    """The files of a video, NAME_000000000000_keypoints.json, in the order of their numbers.

    Raises:
        UserError: there are none, or of several videos.
    """
    matches = {path: re.fullmatch(r"(.*?)(\d+)_keypoints\.json", path.name) for path in folder.iterdir()}
    names = {path: match.groups() for path, match in matches.items() if match}
    if not names:
        raise UserError(
            f"The folder {folder} holds no poses; OpenPose writes them as NAME_000000000000_keypoints.json."
        )
    videos = sorted({video for video, _ in names.values()})
    if len(videos) > 1:
        raise UserError(
            f"The folder {folder} holds the poses of '{videos[0]}' and '{videos[1]}'; keep one video a folder."
        )
    return sorted(names, key=lambda path: int(names[path][1]))


def _openpose(content: Any) -> PosesAndSize | None:
    """The person of the largest extent of every frame."""
    frames = content if isinstance(content, list) else [content]
    if not _are_objects(frames, "people"):
        return None
    people = (
        [_to_body(person["pose_keypoints_2d"], "BODY_25", "BODY_18") for person in frame["people"]] for frame in frames
    )
    return stack_poses(map(_largest, people)), None


def _coco_results(content: Any) -> PosesAndSize | None:
    """The person of the best score of every image."""
    if not _are_objects(content, "image_id", "keypoints", "score"):
        return None
    images = _by_image(content, "image_id")
    return stack_poses(_to_body(max(found, key=_number("score"))["keypoints"], "COCO") for found in images), None


def _coco_annotations(content: Any) -> PosesAndSize | None:
    """The largest person with keypoints of every image, which may have none. All images must be of one size."""
    if not (isinstance(content, dict) and {"images", "annotations"} <= content.keys()):
        return None
    sizes = {(int(image["width"]), int(image["height"])) for image in content["images"]}
    if len(sizes) != 1:
        raise ValueError("no image, or images of several sizes")
    people: dict[str, list[dict]] = {
        str(image["id"]): [] for image in sorted(content["images"], key=lambda image: _natural(image["id"]))
    }
    for annotation in content["annotations"]:
        if any(annotation["keypoints"][2::3]):
            people[str(annotation["image_id"])].append(annotation)
    # Visibility is 0 for absent, 1 for labelled but occluded, 2 for visible.
    poses = (
        _to_body(max(found, key=_number("area"))["keypoints"], "COCO", most_visible=2) if found else _NOBODY
        for found in people.values()
    )
    return stack_poses(poses), sizes.pop()


def _blazepose(content: Any) -> PosesAndSize | None:
    """Frames of 33 landmarks [x, y], [x, y, z] or [x, y, z, visibility]; empty frames show nobody."""
    if not (isinstance(content, list) and any(isinstance(frame, list) and len(frame) == 33 for frame in content)):
        return None
    return stack_poses(_blazepose_body(frame) if frame else _NOBODY for frame in content), None


def _blazepose_body(landmarks: ArrayLike) -> np.ndarray:
    landmarks = np.asarray(landmarks, np.float32)
    if landmarks.ndim != 2 or len(landmarks) != 33 or not 2 <= landmarks.shape[1] <= 4:
        raise ValueError("landmarks are not 33 rows of two to four numbers")
    visibility = landmarks[:, 3:] if landmarks.shape[1] == 4 else np.ones((len(landmarks), 1), np.float32)
    return blazepose_to_body(np.concatenate([landmarks[:, :2], visibility, landmarks[:, 2:3]], axis=1))


def _mpii(content: Any) -> PosesAndSize | None:
    """The person of the largest extent of every image."""
    if not _are_objects(content, "image", "joints", "joints_vis"):
        return None
    people = ([_mpii_person(person) for person in image] for image in _by_image(content, "image"))
    return stack_poses(map(_largest, people)), None


def _mpii_person(person: dict) -> np.ndarray:
    points = np.asarray(person["joints"], np.float32).reshape(-1, 2)
    visible = (np.asarray(person["joints_vis"], np.float32) > 0) & (points != -1).any(axis=1)
    # MPII counts pixels from 1, as MATLAB does.
    return _to_body(np.concatenate([points - 1, visible[:, None]], axis=1), "MPII")


_READERS: dict[str, tuple[Callable[..., PosesAndSize | None], str]] = {
    "OpenPose": (
        _openpose,
        '{"people": [{"pose_keypoints_2d": [...]}]} with x, y and confidence of 25 or 18 keypoints',
    ),
    "COCO results": (
        _coco_results,
        '[{"image_id": ..., "keypoints": [...], "score": ...}] with x, y and score of 17 keypoints',
    ),
    "COCO annotations": (
        _coco_annotations,
        'an object with "images" (id, width, height; all of one size) and "annotations" (image_id, area, keypoints: '
        "x, y and visibility of 17)",
    ),
    "BlazePose": (_blazepose, "a list of frames of 33 landmarks, each x, y, and if known z and visibility"),
    "MPII": (_mpii, '[{"image": ..., "joints": [[x, y] * 16], "joints_vis": [16 times 0 or 1]}]'),
}


def _are_objects(content: Any, *keys: str) -> bool:
    return (
        isinstance(content, list)
        and len(content) > 0
        and all(isinstance(entry, dict) and set(keys) <= entry.keys() for entry in content)
    )


def _to_body(values: ArrayLike, *formats: str, most_visible: float = 1) -> np.ndarray:
    """Joints [23, 3] of x, y and visibility, of that format which has as many keypoints.

    Visibilities, 0 to `most_visible`, become 0..1.
    """
    values = np.asarray(values, np.float32).reshape(-1, 3) / np.float32([1, 1, most_visible])
    for name in formats:
        if len(FORMATS[name].keypoints) == len(values):
            return FORMATS[name].to_joints(values)
    raise ValueError(f"{len(values)} keypoints are not those of {' or '.join(formats)}")


def stack_poses(poses: Iterable[np.ndarray]) -> np.ndarray:
    """Poses [J, 3 or 4] in pixels as one array: [T, J, 4] where every one that shows somebody has z, else [T, J, 3]."""
    poses = list(poses)
    columns = min((pose.shape[1] for pose in poses if (pose[:, 2] > 0).any()), default=3)
    return np.stack([np.pad(pose[:, :columns], ((0, 0), (0, max(0, columns - pose.shape[1])))) for pose in poses])


def _largest(people: list[np.ndarray]) -> np.ndarray:
    """The person whose visible joints' box has the longest diagonal."""
    return max(people, key=_extent, default=_NOBODY)


def _extent(joints: np.ndarray) -> float:
    visible = joints[joints[:, 2] > 0, :2]
    return float(np.hypot(*np.ptp(visible, axis=0))) if len(visible) else -1.0


def _number(key: str) -> Callable[[dict], float]:
    return lambda entry: float(entry[key])


def _by_image(entries: list[dict], key: str) -> list[list[dict]]:
    """The entries of every image, in the order of the images' names or numbers."""
    images: dict[str, list[dict]] = {}
    for entry in entries:
        images.setdefault(str(entry[key]), []).append(entry)
    return [images[image] for image in sorted(images, key=_natural)]


def _natural(name: str | int) -> list[str | int]:
    """Sorts names by the numbers in them."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", str(name))]


def _require_pixels(joints: np.ndarray, path: Path) -> None:
    visible = joints[joints[..., 2] > 0, :2]
    if len(visible) and np.abs(visible).max() <= _MOST_RELATIVE:
        raise UserError(
            f"The coordinates of {path} are parts of the image's width and height; multiply them by these for pixels."
        )
