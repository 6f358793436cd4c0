"""Keypoints in COCO's style: COCO's results and annotations, and the lists of AlphaPose, MMPose, ViTPose and YOLO.

The number of keypoints determines the format.
"""

from pathlib import Path
from typing import Any

import numpy as np

from tf_unseen_pose.pose.foreign_people import (
    FrameOfPeople,
    Person,
    Unexpected,
    are_objects,
    by_image,
    counts,
    field,
    natural,
    number,
    numbers,
)
from tf_unseen_pose.pose.joint_formats import FORMATS

_COUNTS = {
    name: len(FORMATS[name].keypoints) for name in ("COCO-17", "Halpe-26", "COCO-WholeBody", "Halpe-136")
}  # fmt: skip
# Further keys of a COCO-WholeBody annotation, in the order of the format.
_PARTS = {"foot_kpts": 6, "face_kpts": 68, "lefthand_kpts": 21, "righthand_kpts": 21}
_SCORES_OF_POINTS = ("keypoint_scores", "kp_scores", "scores")
_SCORES = ("score", "bbox_score", "confidence")


def result_frames(content: Any, path: Path) -> list[FrameOfPeople] | None:
    """COCO's results and AlphaPose's: a list of people, each with its image.

    Raises:
        Unexpected: keypoints of another number, or that are none.
    """
    if not are_objects(content, "image_id", "keypoints"):
        return None
    return [FrameOfPeople([_person(entry) for entry in image]) for image in by_image(content, "image_id")]


def annotation_frames(content: Any, path: Path) -> list[FrameOfPeople] | None:
    """COCO's annotations, ordered by file name, else by id; an image may have nobody.

    Raises:
        Unexpected: keypoints of another number, or that are none; somebody in an image that is not listed.
    """
    if not (isinstance(content, dict) and {"images", "annotations"} <= content.keys()):
        return None
    if not (images := content["images"]):
        raise Unexpected("'images' lists none")
    named = are_objects(images, "file_name")
    images = sorted(images, key=lambda image: natural(field(image, "file_name" if named else "id")))
    people: dict[str, list[Person | None]] = {str(field(image, "id")): [] for image in images}
    for annotation in content["annotations"] or []:
        image = str(field(annotation, "image_id"))
        if image not in people:
            raise Unexpected(f"'images' has no image {image}, which one of 'annotations' is of")
        people[image].append(_annotated(annotation))
    return [FrameOfPeople(people[str(image["id"])], _size(image)) for image in images]


def list_frames(content: Any, path: Path) -> list[FrameOfPeople] | None:
    """People without the names of images, as MMPose, ViTPose and YOLO write them.

    For each image: its people, a list of them, or an object with 'instances'; MMPose also nests them below
    'instance_info' or 'predictions'.

    Raises:
        Unexpected: keypoints of another number, or that are none.
    """
    if isinstance(content, dict):
        content = content.get("instance_info", content.get("predictions"))
    if not isinstance(content, list):
        return None
    if are_objects(content, "keypoints"):
        content = [content]
    elif are_objects(content, "instances"):
        content = [frame["instances"] for frame in content]
    frames = [frame or [] for frame in content]
    if not any(frames) or not all(frame == [] or are_objects(frame, "keypoints") for frame in frames):
        return None
    return [FrameOfPeople([_person(entry) for entry in frame]) for frame in frames]


def _size(image: dict) -> tuple[int, int] | None:
    width, height = number(image, "width"), number(image, "height")
    return (int(width), int(height)) if width and height else None


def _person(entry: dict) -> Person | None:
    """A person from flat keypoints, rows of two or three, or YOLO's columns; None without keypoints."""
    if not (values := entry["keypoints"]):
        return None
    if isinstance(values, dict):
        x, y = (numbers(field(values, axis), axis) for axis in "xy")
        visible = numbers(values.get("visible") or np.ones(x.shape), "visible")
        if not x.shape == y.shape == visible.shape:
            raise Unexpected("'x', 'y' and 'visible' of 'keypoints' are not equally long")
        points = np.stack([x, y, visible], axis=-1)
    else:
        points = _rows(entry, numbers(values, "keypoints"))
    return _of_points(points, entry)


def _rows(entry: dict, values: np.ndarray) -> np.ndarray:
    """float32 [K, 3]."""
    if values.ndim == 1:
        expected = {name: 3 * count for name, count in _COUNTS.items()}
        if len(values) not in expected.values():
            raise Unexpected(f"'keypoints' has {len(values)} numbers; {counts(expected)} were expected")
        return values.reshape(-1, 3)
    if values.ndim != 2 or values.shape[1] not in (2, 3):
        raise Unexpected("'keypoints' has rows that are not x, y and score")
    if values.shape[1] == 3:
        return values
    key = next((key for key in _SCORES_OF_POINTS if entry.get(key)), None)
    scores = numbers(entry[key], key) if key else np.ones(len(values), np.float32)
    if scores.shape != (len(values),):
        raise Unexpected(f"'{key}' has {scores.size} numbers; {len(values)} were expected, one for each of 'keypoints'")
    return np.concatenate([values, scores[:, None]], axis=1)


def _of_points(points: np.ndarray, entry: dict) -> Person:
    for name, count in _COUNTS.items():
        if len(points) == count:
            return Person(FORMATS[name].to_joints(points), number(entry, *_SCORES), number(entry, "area"))
    raise Unexpected(f"'keypoints' has {len(points)} points; {counts(_COUNTS)} were expected")


def _annotated(annotation: dict) -> Person | None:
    if not (values := field(annotation, "keypoints")):
        return None
    points = _seen(_rows(annotation, numbers(values, "keypoints")))
    if any(annotation.get(key) for key in _PARTS):
        parts = [numbers(annotation.get(key) or np.zeros(3 * count), key) for key, count in _PARTS.items()]
        for (key, count), part in zip(_PARTS.items(), parts, strict=True):
            if part.size != 3 * count:
                raise Unexpected(f"'{key}' has {part.size} numbers; {3 * count} were expected")
        points = np.concatenate([points, *(_seen(part.reshape(-1, 3)) for part in parts)])
    return _of_points(points, annotation)


def _seen(points: np.ndarray) -> np.ndarray:
    """Points with visibility 0..1; COCO's is 0 for absent, 1 for labelled but occluded, 2 for visible."""
    flags = np.isin(points[:, 2], (0, 1, 2)).all()
    return points / np.float32([1, 1, 2]) if flags else points
