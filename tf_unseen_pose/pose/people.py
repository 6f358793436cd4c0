"""Choosing one of several people in a picture.

People are numbered from left to right, from 1. A person is chosen by that number, by a point (x, y) on them, or by a
box (x0, y0, x1, y1) around them, in pixels of the picture; by default the largest is taken.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from tf_unseen_pose.errors import UserError

# None: the largest.
Choice = int | tuple[float, ...] | None

# Detections whose masks share this fraction of the smaller one are one person.
MOST_OVERLAP = 1 / 2
# A person counts if this fraction of the joints is visible.
LEAST_SEEN = 1 / 2
# Other people of at least this relative size may be meant. Of 103 photographs of one person each, parts of nine
# showed "somebody" smaller.
_LEAST_SIZE = 0.6
# A box chooses a person whose box has at least this intersection over union with it.
_LEAST_SHARED = 0.1
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


@dataclass(frozen=True, eq=False)
class Detection:
    """A detected person.

    Attributes:
        joints: float32 [23, 4] of `BODY`: x, y in pixels of the image, visibility 0..1, z.
        mask: uint8 [H, W], soft, 255 = person.
    """

    joints: np.ndarray
    mask: np.ndarray

    @property
    def box(self) -> np.ndarray:
        """float32 [4] x0, y0, x1, y1 around the visible joints, or around all if none is visible."""
        seen = self.joints[:, 2] > 0
        points = self.joints[seen if seen.any() else slice(None), :2]
        return np.concatenate([points.min(axis=0), points.max(axis=0)])

    @property
    def extent(self) -> np.ndarray:
        """float32 [4] x0, y0, x1, y1, about the largest connected part of the mask; the box where the mask is empty."""
        count, _, parts, _ = cv2.connectedComponentsWithStats(np.uint8(self.mask >= 128))
        if count == 1:
            return self.box
        # The first part is the background.
        part = parts[1 + parts[1:, cv2.CC_STAT_AREA].argmax()]
        low = part[[cv2.CC_STAT_LEFT, cv2.CC_STAT_TOP]]
        return np.float32([*low, *(low + part[[cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]] - 1)])

    @property
    def size(self) -> float:
        """The diagonal of the box, in pixels."""
        x0, y0, x1, y1 = self.box
        return float(np.hypot(x1 - x0, y1 - y0))


def parse_choice(text: str | None) -> Choice:
    """Parses a choice: "2", "120,80" or "100,40,220,300".

    Raises:
        UserError: an invalid choice.

    Example:
        >>> from tf_unseen_pose.pose.people import parse_choice
        >>> parse_choice("2"), parse_choice("120,80"), parse_choice(None)
        (2, (120.0, 80.0), None)
    """
    if text is None:
        return None
    try:
        numbers = tuple(float(part) for part in text.split(","))
        choice: Choice = int(text) if len(numbers) == 1 else numbers
    except ValueError:
        choice = ()
    return checked_choice(choice, text)


def checked_choice(choice: Choice, said: object = None) -> Choice:
    """Checks a choice: a number from 1 on, a point, or a box with its corners in order.

    Raises:
        UserError: an invalid choice; the message names `said`.
    """
    if choice is None or (isinstance(choice, int) and choice > 0):
        return choice
    numbers = () if isinstance(choice, int) else tuple(choice)
    is_box = len(numbers) == 4 and numbers[0] < numbers[2] and numbers[1] < numbers[3]
    if not (len(numbers) == 2 or is_box) or not np.isfinite(numbers).all():
        raise UserError(
            f"'{choice if said is None else said}' does not choose a person; give a number from the left, a "
            "point x,y or a box x0,y0,x1,y1 in pixels."
        )
    return numbers


def distinct(found: Sequence[Detection]) -> list[Detection]:
    """Every person once, from left to right; of several detections the first counts."""
    kept: list[Detection] = []
    for person in found:
        if np.mean(person.joints[:, 2] > 0.5) >= LEAST_SEEN and not any(_is_same(person, other) for other in kept):
            kept.append(person)
    return sorted(kept, key=lambda person: float(person.box[[0, 2]].mean()))


def _is_same(first: Detection, second: Detection) -> bool:
    return mask_overlap(first, second) > MOST_OVERLAP or box_overlap(first.box, second.box) > MOST_OVERLAP


def is_alone(person: Detection, people: Sequence[Detection]) -> bool:
    """Whether all others are too small to be meant: passers-by, posters, mirrors, false detections."""
    return all(other.size < _LEAST_SIZE * person.size or _is_same(other, person) for other in people)


def mask_overlap(first: Detection, second: Detection) -> float:
    """Intersection of two masks relative to the smaller one."""
    # Every fourth row and column is enough.
    masks = [person.mask[::4, ::4] >= 128 for person in (first, second)]
    return float(np.sum(masks[0] & masks[1]) / max(1, min(mask.sum() for mask in masks)))


def box_overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two boxes [4], 0 to 1.

    Args:
        first, second: [4] x0, y0, x1, y1.
    """
    sides = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    shared = float(np.prod(np.maximum(sides, 0)))
    both = float(np.prod(first[2:] - first[:2]) + np.prod(second[2:] - second[:2])) - shared
    return shared / both if both > 0 else 0.0


def index_of(people: Sequence[Detection], choice: Choice) -> int | None:
    """Index of the chosen person, from left to right; None if nobody matches."""
    if not people:
        return None
    if choice is None:
        return int(np.argmax([person.size for person in people]))
    if isinstance(choice, int):
        return choice - 1 if choice <= len(people) else None
    if len(choice) == 2:
        return _at_point(people, np.array(choice))
    shared = [box_overlap(person.box, np.array(choice)) for person in people]
    return int(np.argmax(shared)) if max(shared) >= _LEAST_SHARED else None


def _at_point(people: Sequence[Detection], point: np.ndarray) -> int | None:
    """The person whose mask contains the point, else the smallest whose box does."""
    column, row = np.round(point).astype(int)
    height, width = people[0].mask.shape
    if 0 <= column < width and 0 <= row < height:
        covering = [float(person.mask[row, column]) for person in people]
        if max(covering) >= 128:
            return int(np.argmax(covering))
    sizes = [
        person.size if (person.box[:2] <= point).all() and (point <= person.box[2:]).all() else np.inf
        for person in people
    ]
    return int(np.argmin(sizes)) if min(sizes) < np.inf else None


def told(count: int, index: int, choice: Choice, name: str, option: str) -> str:
    """The message about which of several people is used.

    Args:
        count: number of people found.
        index: of the one used, from the left.
        name: the picture's name.
        option: the option for choosing.
    """
    place = f"{_ORDINALS[index]} from the left" if index < len(_ORDINALS) else f"number {index + 1} from the left"
    if choice is not None:
        return f"{count} people were found in {name}; the {place} is used."
    return f"{count} people were found in {name}; the largest, {place}, is used; choose with {option}."


def nobody_meant(count: int, choice: Choice, name: str, option: str) -> UserError:
    """The error if people were found, but not the chosen one."""
    written = choice if isinstance(choice, int) else ",".join(f"{number:g}" for number in choice or ())
    found = "1 person was" if count == 1 else f"{count} people were"
    return UserError(f"{found} found in {name}; {option} {written} matches nobody.")
