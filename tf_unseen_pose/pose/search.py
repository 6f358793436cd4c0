"""Detects small people, whom the detector misses in the whole picture, in overlapping parts.

The detector reduces pictures to 224 x 224 pixels, where a person of a quarter of the height has 56.

Convention: boxes are x0, y0, x1, y1 in pixels, the last ones not included.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from tf_unseen_pose.imaging.image_files import shrink
from tf_unseen_pose.pose.people import LEAST_SEEN, Choice, Detection, distinct

# Rows and columns of parts, each of which overlaps the next one by half; the last where the others show nobody.
_GRIDS, _FINEST_GRID = (2, 3), 5
# Pictures are searched at this longer side: a fifth of it still has more pixels than any network sees.
_MOST_PIXELS = 2560
# What is looked at about a box and about a point: in parts of the box; in parts of the picture's sides.
_ABOUT_BOX, _ABOUT_POINT = (1.3, 1.0, 2.0), (0.6, 0.35, 0.2)

Find = Callable[[np.ndarray], Sequence[Detection]]


def everybody(image: np.ndarray, find: Find) -> list[Detection]:
    """All people detected in uint8 [H, W, 3] as a whole or in parts, from left to right.

    Args:
        find: detects people in a picture.
    """
    small = shrink(image, _MOST_PIXELS)
    found = [(_shown(person, small), person) for person in find(small)]
    for count in (*_GRIDS, _FINEST_GRID):
        if count == _FINEST_GRID and found:
            break
        found += [pair for part in _grid(small, count) for pair in _in_part(small, part, find)]
    # Among equals the earlier, from the larger part, counts.
    people = distinct([person for _, person in sorted(found, key=lambda pair: -round(pair[0], 1))])
    whole = _clipped(np.zeros(2), np.array(image.shape[1::-1]), np.array(image.shape[1::-1]))
    return [_placed(person, small, whole, image) for person in people]


def where_meant(image: np.ndarray, find: Find, choice: Choice) -> list[Detection]:
    """People detected near a point or in a box of uint8 [H, W, 3], from left to right."""
    if choice is None or isinstance(choice, int):
        return []
    size = np.array(image.shape[1::-1])
    numbers = np.array(choice)
    if len(choice) == 2:
        parts = [(numbers - part * size / 2, numbers + part * size / 2) for part in _ABOUT_POINT]
    else:
        middle, half = (numbers[:2] + numbers[2:]) / 2, (numbers[2:] - numbers[:2]) / 2
        parts = [(middle - part * half, middle + part * half) for part in _ABOUT_BOX]
    found = [pair for low, high in parts for pair in _in_part(image, _clipped(low, high, size), find)]
    return distinct([person for _, person in sorted(found, key=lambda pair: -pair[0])])


def about(image: np.ndarray, find: Find, box: np.ndarray, room: float) -> list[Detection]:
    """People in a square about a box [4] of uint8 [H, W, 3] whose side is `room` times the box's longer one."""
    middle, half = (box[:2] + box[2:]) / 2, room * max(box[2:] - box[:2]) / 2
    part = _clipped(middle - half, middle + half, np.array(image.shape[1::-1]))
    return [person for _, person in _in_part(image, part, find)]


def _grid(image: np.ndarray, count: int) -> list[np.ndarray]:
    size = np.array(image.shape[1::-1])
    step = size / (count + 1)
    return [
        _clipped(step * [column, row], step * [column + 2, row + 2], size)
        for row in range(count)
        for column in range(count)
    ]


def _clipped(low: np.ndarray, high: np.ndarray, size: np.ndarray) -> np.ndarray:
    return np.concatenate([np.clip(np.floor(low), 0, size), np.clip(np.ceil(high), 0, size)]).astype(int)


def _in_part(image: np.ndarray, part: np.ndarray, find: Find) -> list[tuple[float, Detection]]:
    """People in a part of a picture, in pixels of the picture, each with their visibility in the part."""
    x0, y0, x1, y1 = part
    if min(x1 - x0, y1 - y0) < 2:
        return []
    cut = np.ascontiguousarray(shrink(image[y0:y1, x0:x1], _MOST_PIXELS))
    found = ((_shown(person, cut), person) for person in find(cut))
    return [(shown, _placed(person, cut, part, image)) for shown, person in found if shown >= LEAST_SEEN]


def _shown(person: Detection, part: np.ndarray) -> float:
    """The mean visibility of the joints, those outside of the part being unseen."""
    x, y, visibility = person.joints[:, :3].T
    inside = (x >= 0) & (y >= 0) & (x < part.shape[1]) & (y < part.shape[0])
    return float((inside * visibility).mean())


def _placed(person: Detection, cut: np.ndarray, part: np.ndarray, image: np.ndarray) -> Detection:
    """A person of a part of a picture, which was cut out and perhaps made smaller, in pixels of the picture."""
    x0, y0, x1, y1 = part
    scale, joints = (x1 - x0) / cut.shape[1], person.joints.copy()
    joints[:, :2] = (joints[:, :2] + 0.5) * scale - 0.5 + part[:2]
    joints[:, 3] *= scale
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[y0:y1, x0:x1] = cv2.resize(person.mask, (int(x1 - x0), int(y1 - y0)))
    return Detection(joints, mask)
