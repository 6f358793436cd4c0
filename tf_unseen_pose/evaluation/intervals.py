"""Means with confidence intervals, by bootstrap over clips.

Pairs of one clip show the same person and room and are not independent, so resamples draw whole clips, with
replacement.
"""

from dataclasses import dataclass

import numpy as np

RESAMPLES = 1000
# Percentage of the resampled means within the interval.
CONFIDENCE = 95.0
# Resamples per chunk, to bound the memory.
_CHUNK = 100


@dataclass(frozen=True)
class Estimate:
    """A mean and its interval.

    Attributes:
        mean: over all values.
        low, high: percentiles of the mean over resampled clips; None for a single clip.
        count: values.
        clips: clips that they come from.
    """

    mean: float
    low: float | None
    high: float | None
    count: int
    clips: int


def estimate(values: np.ndarray, clips: np.ndarray, seed: int, resamples: int = RESAMPLES) -> Estimate | None:
    """The mean of values [N] with its 95 % percentile interval over the clips [N] that they belong to.

    NaN values are ignored; None is returned without others. Resamples depend only on clips and seed.
    """
    known = np.isfinite(values)
    values, (names, groups) = values[known], np.unique(clips[known], return_inverse=True)
    if not len(values):
        return None
    mean = float(values.mean())
    if len(names) < 2:
        return Estimate(mean, None, None, len(values), len(names))
    sums = np.bincount(groups, values)
    counts = np.bincount(groups)
    rng, means = np.random.default_rng(seed), []
    for first in range(0, resamples, _CHUNK):
        drawn = rng.integers(len(names), size=(min(_CHUNK, resamples - first), len(names)))
        means.append(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
    tail = (100 - CONFIDENCE) / 2
    low, high = np.percentile(np.concatenate(means), [tail, 100 - tail])
    return Estimate(mean, float(low), float(high), len(values), len(names))
