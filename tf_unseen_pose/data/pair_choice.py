"""Which two frames make a pair: any of one training clip that lie far enough apart."""

from dataclasses import dataclass

import numpy as np

from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError


@dataclass(frozen=True)
class ClipPairs:
    """The ordered pairs of a clip's frames that lie far enough apart.

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
        """Source and target frame; every pair is as likely as another."""
        pair = generator.integers(self.partners[-1])
        source = int(np.searchsorted(self.partners, pair, "right"))
        far = np.flatnonzero(np.abs(self.numbers - self.numbers[source]) >= self.gap)
        return source, int(far[self.partners[source] - pair - 1])


def find_pairs(dataset: ClipDataset, min_gap: float, actions: tuple[str, ...] = ()) -> list[ClipPairs]:
    """The pairs of every training clip that has any; frames of a pair are at least `min_gap` of the clip's span apart.

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
