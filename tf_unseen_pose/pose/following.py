"""Follows one of several people through a video, also past others who cross their way.

Everybody is followed, so that people are not confused: detections are assigned by the distance of their joints from the
extrapolated motion and by colours, the surest pair first. While people pass each other, a detector sees one of two or a
mixture, so nothing is learned; afterwards they are told apart by their direction.
"""

from collections.abc import Sequence

import numpy as np

from tf_unseen_pose.pose.people import Detection, box_overlap, distinct
from tf_unseen_pose.pose.search import Find, about

# Size of the searched square relative to the person; the whole picture is searched, too.
_ROOM = 1.8
# Maximum mean distance of joints from the expected ones, as a fraction of the person's size; its growth per frame
# without a detection; and its limit.
_NEAR, _FURTHER, _FAR = 0.3, 0.05, 1.0
# Cost of entirely different colours in the same unit; update rate of the remembered colours.
_COLOUR, _LEARNING = 0.5, 0.1
# Steps per channel of the colour histogram.
_STEPS = 6
# Frames for which others' motion is extrapolated, and for which neighbours are remembered.
_MOVING_ON, _REMEMBERED = 15, 30
# People pass each other if their boxes, enlarged by this factor, overlap.
_PASSING = 1.5


class Follower:
    """One person of a video.

    Args:
        person: as found in the first frame.
        others: the other people in it.
        image: that frame, uint8 [H, W, 3].
        find: detects people in a picture.
    """

    def __init__(self, person: Detection, others: Sequence[Detection], image: np.ndarray, find: Find):
        self._find = find
        self._followed = _Track(person, image)
        self._others = [_Track(other, image) for other in others]

    def __call__(self, image: np.ndarray) -> Detection | None:
        """The person in the next frame; None if not seen."""
        found = distinct([*about(image, self._find, self._followed.box, _ROOM), *self._find(image)])
        tracks = [self._followed, *self._others]
        pairs = _assigned(np.array([[track.cost(person, image) for person in found] for track in tracks]))
        near = {number for number, track in enumerate(tracks) if self._followed.is_near(track)}
        unclear = len(near & pairs.keys()) < len(near)
        for number, track in enumerate(tracks):
            if number not in pairs or (unclear and number in near):
                track.lost += 1
            else:
                track.take(found[pairs[number]], image)
        self._others = [track for track in self._others if track.lost < _REMEMBERED]
        self._others += [_Track(found[number], image) for number in set(range(len(found))) - set(pairs.values())]
        return found[pairs[0]] if 0 in pairs else None


def _assigned(costs: np.ndarray) -> dict[int, int]:
    """Greedy assignment of rows to columns, cheapest pair first, without infinite costs."""
    pairs = {}
    while costs.size and costs.min() < np.inf:
        row, column = (int(number) for number in np.unravel_index(np.argmin(costs), costs.shape))
        pairs[row] = column
        costs[row], costs[:, column] = np.inf, np.inf
    return pairs


class _Track:
    """A person as last seen, with velocity."""

    def __init__(self, person: Detection, image: np.ndarray):
        self.last, self._colours = person, _colours(person, image)
        self._velocity, self.lost = np.zeros(2), 0

    @property
    def _shift(self) -> np.ndarray:
        return self._velocity * min(self.lost + 1, _MOVING_ON)

    @property
    def box(self) -> np.ndarray:
        """The expected box, float64 [4]."""
        return self.last.box + np.tile(self._shift, 2)

    def is_near(self, other: "_Track") -> bool:
        """Whether the two pass each other; true for the same person."""
        return box_overlap(_grown(self.box), _grown(other.box)) > 0

    def cost(self, person: Detection, image: np.ndarray) -> float:
        """Cost of assigning a detection to this person; infinite if it is too far away."""
        apart = _apart(person, self.last, self.last.joints[:, :2] + self._shift)
        if apart > min(_NEAR + _FURTHER * self.lost, _FAR):
            return np.inf
        return apart + _COLOUR * _unlike(_colours(person, image), self._colours)

    def take(self, person: Detection, image: np.ndarray) -> None:
        """Assigns a detection to this person."""
        moved = (person.joints - self.last.joints)[:, :2].mean(axis=0) / (self.lost + 1)
        self._velocity = (self._velocity + moved) / 2
        self._colours = self._colours + _LEARNING * (_colours(person, image) - self._colours)
        self.last, self.lost = person, 0


def _grown(box: np.ndarray) -> np.ndarray:
    middle, half = (box[:2] + box[2:]) / 2, _PASSING * (box[2:] - box[:2]) / 2
    return np.concatenate([middle - half, middle + half])


def _apart(person: Detection, last: Detection, expected: np.ndarray) -> float:
    """Mean distance of the common joints, as a fraction of the last size."""
    both = (person.joints[:, 2] > 0) & (last.joints[:, 2] > 0)
    if not both.any():
        return np.inf
    return float(np.linalg.norm((person.joints[:, :2] - expected)[both], axis=1).mean() / max(last.size, 1))


def _colours(person: Detection, image: np.ndarray) -> np.ndarray:
    """Colour histogram of a person's pixels, float64 [steps ** 3]."""
    pixels = image[person.mask >= 128].astype(int) * _STEPS // 256
    if not len(pixels):
        return np.zeros(_STEPS**3)
    return np.bincount(pixels @ [_STEPS**2, _STEPS, 1], minlength=_STEPS**3) / len(pixels)


def _unlike(first: np.ndarray, second: np.ndarray) -> float:
    """Difference of two histograms: 0 for equal ones to 1 without a common colour."""
    return float(1 - np.minimum(first, second).sum())
