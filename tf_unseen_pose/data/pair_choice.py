"""The choice of pairs: usually any two frames of a training clip that are far enough apart."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tf_unseen_pose.config import DataConfig
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError

# Multiples of the golden ratio modulo 1 fill 0..1 more evenly than random numbers, also over short runs.
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class ClipPairs:
    """The ordered pairs of a clip's frames that are far enough apart.

    Attributes:
        clip: position in the dataset.
        numbers: int [N], the frames' numbers.
        gap: least difference of the numbers of a pair.
        partners: int [N], cumulative: pairs whose source is this frame or an earlier one.
    """

    clip: int
    numbers: np.ndarray
    gap: float
    partners: np.ndarray

    @classmethod
    def find(cls, clip: int, numbers: np.ndarray, min_gap: float) -> "ClipPairs":
        """The pairs of a clip's frames [N] that are at least `min_gap` of their span, and one number, apart."""
        gap = max(1.0, min_gap * np.ptp(numbers))
        ordered = np.sort(numbers)
        too_near = np.searchsorted(ordered, numbers + gap, "left") - np.searchsorted(ordered, numbers - gap, "right")
        return cls(clip, numbers, gap, np.cumsum(len(numbers) - too_near))

    def choose(self, generator: np.random.Generator) -> tuple[int, int]:
        """Source and target frame, uniformly over pairs."""
        pair = generator.integers(self.partners[-1])
        source = int(np.searchsorted(self.partners, pair, "right"))
        far = np.flatnonzero(np.abs(self.numbers - self.numbers[source]) >= self.gap)
        return source, int(far[self.partners[source] - pair - 1])

    def neighbours(self, generator: np.random.Generator) -> tuple[int, int]:
        """Source and target frame, one behind the other."""
        first, order = int(generator.integers(len(self.numbers) - 1)), int(generator.integers(2))
        return first + order, first + 1 - order


def find_pairs(dataset: ClipDataset, min_gap: float, actions: tuple[str, ...] = ()) -> list[ClipPairs]:
    """The pairs of every training clip that has any, with frames at least `min_gap` of the clip's span apart.

    Args:
        actions: take clips of these actions only; of all when empty.

    Raises:
        UserError: no training clip has a pair, or an action that the dataset does not have.
    """
    known = sorted({clip.action for clip in dataset.clips})
    for action in actions:
        if action not in known:
            raise UserError(f"{dataset.path} has no clip of the action '{action}'; it has {', '.join(known)}.")
    found = [
        ClipPairs.find(position, np.array([frame.number for frame in clip.frames]), min_gap)
        for position, clip in enumerate(dataset.clips)
        if clip.split == "train" and (not actions or clip.action in actions)
    ]
    found = [pairs for pairs in found if pairs.partners[-1] > 0]
    if not found:
        of = f" of {', '.join(actions)}" if actions else ""
        raise UserError(
            f"No training clip{of} in {dataset.path} has two frames; training needs pairs: add longer clips."
        )
    return found


class Pair(NamedTuple):
    """A clip's position in the dataset, and those of two frames within it.

    Attributes:
        near: whether the frames are neighbours, or one and the same.
    """

    clip: int
    source: int
    target: int
    near: bool = False


class PairChoice:
    """Chooses the pair of example number i.

    Attributes:
        clips: positions of all clips that have pairs.

    Raises:
        UserError: as `find_pairs`; shares of missing formats, or neighbours without videos.
    """

    def __init__(self, dataset: ClipDataset, config: DataConfig):
        pairs = find_pairs(dataset, config.min_gap, config.actions)
        self.clips = [of_clip.clip for of_clip in pairs]
        self._config = config
        self._shares = _shared(dataset, pairs, config.shares)
        self._videos = [of_clip for of_clip in pairs if dataset.clips[of_clip.clip].fps > 0]
        if config.neighbours and not self._videos:
            raise UserError(f"No training clip of {dataset.path} is a video, which data.neighbours needs; set it to 0.")

    def __call__(self, number: int, generator: np.random.Generator) -> Pair:
        """The pair of example `number`, by the number and the generator."""
        identity, neighbours = self._config.identity, self._config.neighbours
        kind = generator.random() if identity or neighbours else 1.0
        clips = self._of(number) if kind >= neighbours else self._videos
        pairs = clips[generator.integers(len(clips))]
        if kind < neighbours:
            source, target = pairs.neighbours(generator)
            return Pair(pairs.clip, source, target, near=True)
        if kind < neighbours + identity:
            frame = int(generator.integers(len(pairs.numbers)))
            return Pair(pairs.clip, frame, frame, near=True)
        return Pair(pairs.clip, *pairs.choose(generator))

    def _of(self, number: int) -> list[ClipPairs]:
        """The clips for example `number`; shares hold within every batch, too."""
        place = number * _GOLDEN % 1
        return next(clips for until, clips in self._shares if place < until)


def _shared(
    dataset: ClipDataset, pairs: list[ClipPairs], shares: Mapping[str, float]
) -> list[tuple[float, list[ClipPairs]]]:
    """Groups of clips, and the end of each one's share within 0..1."""
    by_format: dict[str, list[ClipPairs]] = {}
    for of_clip in pairs:
        by_format.setdefault(dataset.clips[of_clip.clip].format, []).append(of_clip)
    parts: list[tuple[float, list[ClipPairs]]] = []
    others = [of_clip for of_clip in pairs if dataset.clips[of_clip.clip].format not in shares]
    # Where there are no others, the shares are all.
    whole, until = 1.0 if others else sum(shares.values()), 0.0
    for name, share in sorted(shares.items()):
        if share and name not in by_format:
            known = ", ".join(sorted(filter(None, by_format))) or "clips of unknown origin"
            raise UserError(
                f"No training clip of {dataset.path} was prepared from '{name}' (it has {known}); set "
                f"data.shares.{name}=0."
            )
        if share:
            until += share / whole
            parts.append((until, by_format[name]))
    if not (parts or others):
        raise UserError(f"data.shares leaves nothing of {dataset.path}; give one of its formats a share above 0.")
    return [*parts, (np.inf, others or parts[-1][1])]
