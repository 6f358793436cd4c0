"""Follows one of several people through a video, frame by frame, past others who cross their way.

Everybody is followed, lest a person be taken for another: of those found in a frame, each is whose joints lie where
that one is expected to be, moving on as before, and whose colours are theirs; the surest pair is settled first. Where
people pass each other, a detector sees one of two, or a mixture: nothing is learned from it, and who they are is
settled when they have parted, by which way each was going.
"""

from collections.abc import Sequence

import numpy as np

from tf_unseen_pose.pose.people import Detection, box_overlap, distinct
from tf_unseen_pose.pose.search import Find, about

# How much larger than the person is what is looked at beside the whole picture.
_ROOM = 1.8
# How far the joints may lie from where they are expected, on average, in parts of the person's size, and how much
# further a frame after a frame in which they were not seen; no further than the last.
_NEAR, _FURTHER, _FAR = 0.3, 0.05, 1.0
# What quite other colours weigh, in the same parts; how fast the colours remembered take up new ones.
_COLOUR, _LEARNING = 0.5, 0.1
# Colours are counted in so many steps a channel.
_STEPS = 6
# Frames for which another's way is guessed, and for which those beside the followed person are remembered.
_MOVING_ON, _REMEMBERED = 15, 30
# People pass each other whose boxes, made so many times as large, have something in common.
_PASSING = 1.5


class Follower:
    """One person of a video.

    Args:
        person: as found in the first frame.
        others: who else was found in it.
        image: that frame, uint8 [H, W, 3].
        find: what finds people in a picture.
    """

    def __init__(self, person: Detection, others: Sequence[Detection], image: np.ndarray, find: Find):
        self._find = find
        self._followed = _Track(person, image)
        self._others = [_Track(other, image) for other in others]

    def __call__(self, image: np.ndarray) -> Detection | None:
        """The person in the next frame; None where they are not seen."""
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
    """Rows of a matrix with the column of each: the cheapest pair first, none of infinite cost, each used once."""
    pairs = {}
    while costs.size and costs.min() < np.inf:
        row, column = (int(number) for number in np.unravel_index(np.argmin(costs), costs.shape))
        pairs[row] = column
        costs[row], costs[:, column] = np.inf, np.inf
    return pairs


class _Track:
    """Somebody, as last seen, and which way they went."""

    def __init__(self, person: Detection, image: np.ndarray):
        self.last, self._colours = person, _colours(person, image)
        self._velocity, self.lost = np.zeros(2), 0

    @property
    def _shift(self) -> np.ndarray:
        return self._velocity * min(self.lost + 1, _MOVING_ON)

    @property
    def box(self) -> np.ndarray:
        """Where the person is expected, float64 [4]."""
        return self.last.box + np.tile(self._shift, 2)

    def is_near(self, other: "_Track") -> bool:
        """Whether the two pass each other; everybody passes themselves."""
        return box_overlap(_grown(self.box), _grown(other.box)) > 0

    def cost(self, person: Detection, image: np.ndarray) -> float:
        """How unlikely it is that somebody found is this one; infinite where they are too far off."""
        apart = _apart(person, self.last, self.last.joints[:, :2] + self._shift)
        if apart > min(_NEAR + _FURTHER * self.lost, _FAR):
            return np.inf
        return apart + _COLOUR * _unlike(_colours(person, image), self._colours)

    def take(self, person: Detection, image: np.ndarray) -> None:
        """Believes that somebody found is this one."""
        moved = (person.joints - self.last.joints)[:, :2].mean(axis=0) / (self.lost + 1)
        self._velocity = (self._velocity + moved) / 2
        self._colours = self._colours + _LEARNING * (_colours(person, image) - self._colours)
        self.last, self.lost = person, 0


def _grown(box: np.ndarray) -> np.ndarray:
    middle, half = (box[:2] + box[2:]) / 2, _PASSING * (box[2:] - box[:2]) / 2
    return np.concatenate([middle - half, middle + half])


def _apart(person: Detection, last: Detection, expected: np.ndarray) -> float:
    """Mean distance of the joints that both show, in parts of the last size."""
    both = (person.joints[:, 2] > 0) & (last.joints[:, 2] > 0)
    if not both.any():
        return np.inf
    return float(np.linalg.norm((person.joints[:, :2] - expected)[both], axis=1).mean() / max(last.size, 1))


def _colours(person: Detection, image: np.ndarray) -> np.ndarray:
    """What part of a person's pixels has which colour, float64 [steps ** 3]."""
    pixels = image[person.mask >= 128].astype(int) * _STEPS // 256
    if not len(pixels):
        return np.zeros(_STEPS**3)
    return np.bincount(pixels @ [_STEPS**2, _STEPS, 1], minlength=_STEPS**3) / len(pixels)


def _unlike(first: np.ndarray, second: np.ndarray) -> float:
    """How different two distributions of colours are: 0 for the same to 1 for no colour in common."""
    return float(1 - np.minimum(first, second).sum())
