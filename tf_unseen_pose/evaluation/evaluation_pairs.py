"""Chooses the evaluated pairs and sequences, reproducibly for a dataset, a number and a seed.

Pairs are spread evenly over the shuffled clips; the draw of one clip does not depend on the others.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tf_unseen_pose.data.pair_choice import ClipPairs
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.words import counted

# Most and fewest successive frames of a sequence; flicker shows within little more than half a second.
MOST_FRAMES, LEAST_FRAMES = 16, 3
# Streams of random numbers, one per purpose.
_ORDER, _WITHIN, _ACROSS = range(3)


@dataclass(frozen=True, order=True)
class EvaluationPair:
    """A source frame and a target frame, by their positions in the dataset's index."""

    source_clip: int
    source_frame: int
    target_clip: int
    target_frame: int


@dataclass(frozen=True)
class PairSequence:
    """Frames in succession of one clip, and the frame of it that they are rendered from, by their positions."""

    clip: int
    source_frame: int
    frames: tuple[int, ...]


def clips_of_split(dataset: ClipDataset, split: str) -> list[int]:
    """Positions of the clips of "train", "validation" or "all".

    Raises:
        UserError: there is none.
    """
    clips = [i for i, clip in enumerate(dataset.clips) if split in ("all", clip.split)]
    if not clips:
        ways = {
            "validation": "prepare it with --validation above 0, or evaluate with --split train on what was trained on",
            "train": "evaluate with --split validation",
        }
        raise UserError(f"{dataset.path} has no clip for {split}; {ways[split]}.")
    return clips


def pairs_within(
    dataset: ClipDataset, clips: Sequence[int], count: int, seed: int, min_gap: float
) -> list[EvaluationPair]:
    """At most `count` different pairs of frames of one clip, sorted.

    Args:
        clips: positions of the clips to draw from.
        min_gap: least distance of a pair's frames, as a part of the clip's span; see `data.pair_choice.find_pairs`.

    Raises:
        UserError: no clip has a pair.
    """
    numbers = {clip: np.array([frame.number for frame in dataset.clips[clip].frames]) for clip in clips}
    found = [ClipPairs.find(clip, numbers[clip], min_gap) for clip in _shuffled(clips, seed)]
    found = [pairs for pairs in found if pairs.partners[-1] > 0]
    if not found:
        raise UserError(f"No clip of {dataset.path} to evaluate on has two frames; prepare longer clips.")
    shares = even_shares([int(pairs.partners[-1]) for pairs in found], count)
    chosen = []
    for pairs, share in zip(found, shares, strict=True):
        rng = np.random.default_rng([seed, _WITHIN, pairs.clip])
        frames: set[tuple[int, int]] = set()
        while len(frames) < share:
            frames.add(pairs.choose(rng))
        chosen += [EvaluationPair(pairs.clip, source, pairs.clip, target) for source, target in frames]
    return sorted(chosen)


def pairs_across(dataset: ClipDataset, clips: Sequence[int], count: int, seed: int) -> list[EvaluationPair]:
    """At most `count` different pairs with the source of one action and the target pose of another, sorted.

    Clips give sources in turn; the other action, its clip and both frames are drawn. Clips whose action is not named
    are left out.

    Raises:
        UserError: fewer than two actions.
    """
    by_action = defaultdict(list)
    for clip in clips:
        if dataset.clips[clip].action:
            by_action[dataset.clips[clip].action].append(clip)
    if len(by_action) < 2:
        raise UserError(
            f"The clips of {dataset.path} to evaluate on show {counted(len(by_action), 'named action')}; --across "
            "needs two: leave it out, or choose a --split with more."
        )
    rng = np.random.default_rng([seed, _ACROSS])
    sources = [clip for clip in _shuffled(clips, seed) if dataset.clips[clip].action]
    pairs = set()
    for i in range(count):
        source = sources[i % len(sources)]
        others = [action for action in sorted(by_action) if action != dataset.clips[source].action]
        choice = by_action[others[rng.integers(len(others))]]
        target = choice[rng.integers(len(choice))]
        frames = (int(rng.integers(len(dataset.clips[clip].frames))) for clip in (source, target))
        pairs.add(EvaluationPair(source, next(frames), target, next(frames)))
    return sorted(pairs)


def sequences(dataset: ClipDataset, clips: Sequence[int], count: int, seed: int) -> list[PairSequence]:
    """Of at most `count` clips the longest run of frames without a gap, or its first 16 frames; sorted by clip.

    Frames are in succession if their numbers differ by the clip's least step. The source is the frame whose number
    is furthest from the run's middle. Stills (rate 0) and clips with fewer than 3 frames in succession have none.
    """
    found: list[PairSequence] = []
    for clip in _shuffled(clips, seed):
        entry = dataset.clips[clip]
        if entry.fps <= 0 or len(found) == count:
            continue
        numbers = np.array([frame.number for frame in entry.frames])
        run = _longest_run(numbers)[:MOST_FRAMES]
        if len(run) >= LEAST_FRAMES:
            middle = numbers[run].mean()
            found.append(PairSequence(clip, int(np.argmax(np.abs(numbers - middle))), tuple(run.tolist())))
    return sorted(found, key=lambda sequence: sequence.clip)


def even_shares(capacities: Sequence[int], count: int) -> list[int]:
    """Distributes `count` in turn among those with capacity left; the first ones get the remainder."""
    shares = [0] * len(capacities)
    while count > 0 and (open_ := [i for i, capacity in enumerate(capacities) if shares[i] < capacity]):
        for i in open_[:count]:
            shares[i] += 1
        count -= len(open_)
    return shares


def _longest_run(numbers: np.ndarray) -> np.ndarray:
    """Positions of the longest run of rising numbers with the least step between them; the first of equals."""
    if len(numbers) < 2:
        return np.arange(len(numbers))
    steps = np.diff(numbers)
    runs = np.split(np.arange(len(numbers)), np.flatnonzero(steps != steps.min()) + 1)
    return max(runs, key=len)


def _shuffled(clips: Sequence[int], seed: int) -> list[int]:
    return np.random.default_rng([seed, _ORDER]).permutation(np.array(clips)).tolist()
