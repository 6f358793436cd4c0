"""OpenPose's JSON, as OpenPose, ControlNet's annotators (DWPose among them) and pose editors write it.

Hands and separate feet are read with the body. A file does not state which of two models of 25 keypoints it uses: the
one with the shorter limbs is taken.
"""

import logging
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.pose.foreign_people import FrameOfPeople, Person, Unexpected, are_objects, counts, field, numbers
from tf_unseen_pose.pose.joint_formats import FORMATS, LEAST_VISIBILITY, with_parts

_log = logging.getLogger(__name__)

_BODY = "pose_keypoints_2d"
# Parts after the body in this order, with their numbers of keypoints. Only a body of 18 has separate feet.
_PARTS = {"foot_keypoints_2d": 6, "hand_left_keypoints_2d": 21, "hand_right_keypoints_2d": 21}
_FORMATS = {name: with_parts(name) for name in ("BODY_18", "BODY_25", "BODY_25B")}
# Of 1534 people whose 25 keypoints are all seen none was mistaken, of as many that lack a fifth of them 1 in 100.
_BONES = [
    ("left_shoulder", "right_shoulder"),
    ("left_hip", "right_hip"),
    *(
        (start.format(side), end.format(side))
        for side in ("left", "right")
        for start, end in (
            ("nose", "{}_eye"), ("nose", "{}_ear"), ("{}_shoulder", "{}_elbow"), ("{}_elbow", "{}_wrist"),
            ("{}_shoulder", "{}_hip"), ("{}_hip", "{}_knee"), ("{}_knee", "{}_ankle"), ("{}_ankle", "{}_heel"),
        )
    ),
]  # fmt: skip
# How much longer the other reading's limbs are where there is no doubt.
_NO_DOUBT = 1.2


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


def openpose_frames(content: Any, path: Path) -> list[FrameOfPeople] | None:
    """One object per frame; `people` is null without people.

    Raises:
        Unexpected: an unknown number of keypoints, or an invalid size.
    """
    frames = content if isinstance(content, list) else [content]
    if not are_objects(frames, "people"):
        return None
    people = [[_keypoints(person) for person in _listed(frame)] for frame in frames]
    name = _model_of_25([points for group in people for points in group if points is not None], path)
    return [
        FrameOfPeople([_person(points, name) for points in group], _size(frame))
        for group, frame in zip(people, frames, strict=True)
    ]


def _listed(frame: dict) -> list:
    people = frame["people"] or []
    if not isinstance(people, list):
        raise Unexpected("'people' is no list")
    return [person for person in people if person]


def _size(frame: dict) -> tuple[int, int] | None:
    """The canvas, which pose editors write beside the people."""
    width, height = frame.get("canvas_width"), frame.get("canvas_height")
    if not (width and height):
        return None
    return int(numbers(width, "canvas_width")), int(numbers(height, "canvas_height"))


def _keypoints(person: Any) -> np.ndarray | None:
    """float32 [18 or 25, 3] followed by the parts' keypoints, those that are not there being 0; None for nobody."""
    if not (values := field(person, _BODY)):
        return None
    body = numbers(values, _BODY)
    expected = {name: 3 * len(FORMATS[name].keypoints) for name in _FORMATS}
    if body.size not in expected.values():
        raise Unexpected(f"'{_BODY}' has {body.size} numbers; {counts(expected)} were expected")
    parts = [_part(person, key, count) for key, count in _PARTS.items() if body.size == 54 or "hand" in key]
    return np.concatenate([body.reshape(-1, 3), *parts])


def _part(person: dict, key: str, count: int) -> np.ndarray:
    values = numbers(person.get(key) or np.zeros(3 * count), key)
    if values.size != 3 * count:
        raise Unexpected(f"'{key}' has {values.size} numbers; {3 * count} were expected")
    return values.reshape(-1, 3)


def _person(points: np.ndarray | None, model_of_25: str) -> Person | None:
    if points is None:
        return None
    name = "BODY_18" if len(points) == len(_FORMATS["BODY_18"].keypoints) else model_of_25
    return Person(_FORMATS[name].to_joints(points))


def _model_of_25(people: Sequence[np.ndarray], path: Path) -> str:
    """BODY_25 or BODY_25B, whichever makes the shorter limbs."""
    lengths = {name: _mean_bone(people, name) for name in ("BODY_25", "BODY_25B")}
    name = min(lengths, key=lambda name: lengths[name])
    if name == "BODY_25B" or _NO_DOUBT * lengths["BODY_25"] > lengths["BODY_25B"] > 0:
        _log.warning("The 25 keypoints of %s were read as OpenPose's %s, by the lengths of limbs.", path, name)
    return name


def _mean_bone(people: Sequence[np.ndarray], name: str) -> float:
    """Mean length of the bones of which both ends are visible; 0 where there is none."""
    format, lengths = _FORMATS[name], []
    for points in people:
        if len(points) != len(format.keypoints):
            continue
        for bone in _BONES:
            start, end = points[[format.keypoints.index(joint) for joint in bone]]
            if min(start[2], end[2]) >= LEAST_VISIBILITY:
                lengths.append(float(np.hypot(*(start - end)[:2])))
    return float(np.mean(lengths)) if lengths else 0.0
