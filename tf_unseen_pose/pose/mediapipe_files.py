"""MediaPipe's 33 landmarks, of its Python and JavaScript interfaces, old and new.

A frame is a list of 33 landmarks, in order or with their names, or an object that holds such a list or has a key for
each landmark's name. A landmark is an object with x, y, and optionally z and visibility, or a list of these.
"""

from pathlib import Path
from typing import Any

import numpy as np

from tf_unseen_pose.pose.foreign_people import FrameOfPeople, Person, Unexpected, field, number, numbers
from tf_unseen_pose.pose.joint_formats import FORMATS, blazepose_to_body

_NAMES = FORMATS["BlazePose"].keypoints
# Keys of landmarks: of Python's results, of JavaScript's, and of messages as dictionaries.
_HOLDERS = ("pose_landmarks", "poseLandmarks", "landmarks", "landmark", "pose")


def mediapipe_frames(content: Any, path: Path) -> list[FrameOfPeople] | None:
    """A frame, or a list of them, also below the key 'frames'. Frames that are empty or null show nobody.

    Raises:
        Unexpected: another number of landmarks, or invalid ones.
    """
    if isinstance(content, dict) and isinstance(content.get("frames"), list):
        content = content["frames"]
    if _is_one_frame(content):
        content = [content]
    if not isinstance(content, list) or not any(_is_one_frame(frame) for frame in content):
        return None
    return [FrameOfPeople(_people(frame, f"frame {i + 1}")) for i, frame in enumerate(content)]


def _is_one_frame(content: Any) -> bool:
    if isinstance(content, dict):
        held = _held(content)
        people = held if isinstance(held, list) and not _are_landmarks(held) else [held]
        return _has_names(content) or any(_are_landmarks(one) or _is_one_frame(one) for one in people)
    return _are_landmarks(content) and len(content) == len(_NAMES)


def _held(frame: dict) -> Any:
    return next((frame[key] for key in _HOLDERS if isinstance(frame.get(key), (list, dict))), None)


def _has_names(frame: dict) -> bool:
    return set(_NAMES) <= {key.lower() for key in frame}


def _are_landmarks(content: Any) -> bool:
    return isinstance(content, list) and len(content) > 0 and all(map(_is_landmark, content))


def _is_landmark(entry: Any) -> bool:
    if isinstance(entry, dict):
        return {"x", "y"} <= entry.keys()
    return isinstance(entry, list) and len(entry) > 0 and all(isinstance(value, (int, float)) for value in entry)


def _people(frame: Any, name: str) -> list[Person]:
    """The people of a frame; the new interface writes a list of people."""
    if not frame:
        return []
    if isinstance(frame, dict):
        if (held := _held(frame)) is not None:
            return _people(held, name)
        landmarks = {key.lower(): value for key, value in frame.items()}
        return [Person(_joints([field(landmarks, landmark) for landmark in _NAMES]))] if _has_names(frame) else []
    if not isinstance(frame, list):
        raise Unexpected(f"{name} is no list of landmarks")
    if not _is_landmark(frame[0]):
        return [person for landmarks in frame for person in _people(landmarks, name)]
    if len(frame) != len(_NAMES):
        raise Unexpected(f"{name} has {len(frame)} landmarks; {len(_NAMES)} were expected")
    return [Person(_joints(_in_order(frame)))]


def _in_order(landmarks: list) -> list:
    names = [str(mark.get("name", "")).lower() if isinstance(mark, dict) else "" for mark in landmarks]
    return [landmarks[names.index(name)] for name in _NAMES] if set(names) == set(_NAMES) else landmarks


def _joints(landmarks: list) -> np.ndarray:
    if all(isinstance(mark, dict) for mark in landmarks):
        known = [key for key in ("z", "visibility") if any(mark.get(key) is not None for mark in landmarks)]
        columns = ["x", "y", *known]
        # Messages as dictionaries leave out what is 0.
        points = np.float32([[number(mark, key) or 0 for key in columns] for mark in landmarks])
    else:
        points = numbers(landmarks, "landmarks")
        columns = ["x", "y", "z", "visibility"][: points.shape[1] if points.ndim == 2 else 0]
        if points.ndim != 2 or not 2 <= points.shape[1] <= 4:
            raise Unexpected("a landmark is not x, y, and if known z and visibility")
    visibility = points[:, columns.index("visibility")] if "visibility" in columns else np.ones(len(points))
    depth = [points[:, columns.index("z")]] if "z" in columns else []
    return blazepose_to_body(np.stack([points[:, 0], points[:, 1], visibility, *depth], axis=1))
