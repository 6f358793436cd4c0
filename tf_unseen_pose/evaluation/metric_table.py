"""The measurements of one kind of samples as arrays, the basis of all reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from tf_unseen_pose.evaluation.evaluation_pairs import EvaluationPair, PairSequence
from tf_unseen_pose.evaluation.intervals import Estimate, estimate
from tf_unseen_pose.evaluation.metric_columns import MetricColumn

Kind = TypeVar("Kind", EvaluationPair, PairSequence)


@dataclass(frozen=True, eq=False)
class MetricTable(Generic[Kind]):
    """N samples, measured with M methods.

    Attributes:
        samples: the evaluated samples.
        clips: int [N], the clip of every sample's source, the unit of resampling.
        actions: the action of every sample's target.
        movement: [N], how far the pose moves; see `Example.movement`.
        methods: names of the methods.
        metrics: the measured ones.
        values: by the metric's key float64 [N, M]; NaN if undefined.
    """

    samples: tuple[Kind, ...]
    clips: np.ndarray
    actions: tuple[str, ...]
    movement: np.ndarray
    methods: tuple[str, ...]
    metrics: tuple[MetricColumn, ...]
    values: dict[str, np.ndarray]

    @classmethod
    def collect(
        cls,
        samples: Sequence[Kind],
        clips: Sequence[int],
        actions: Sequence[str],
        movement: Sequence[float],
        methods: Sequence[str],
        metrics: Sequence[MetricColumn],
        measured: Sequence[dict[str, dict[str, float]]],
    ) -> "MetricTable[Kind]":
        """Builds the table from every sample's measurements by method and metric, without metrics never measured."""
        values = {}
        for metric in metrics:
            rows = [[of.get(method, {}).get(metric.key, np.nan) for method in methods] for of in measured]
            if any(metric.key in found for of in measured for found in of.values()):
                values[metric.key] = np.array(rows, np.float64)
        kept = tuple(metric for metric in metrics if metric.key in values)
        return cls(tuple(samples), np.array(clips), tuple(actions), np.array(movement), tuple(methods), kept, values)

    @property
    def action_names(self) -> list[str]:
        """The actions, those with most samples first."""
        names = sorted(set(self.actions))
        return sorted(names, key=self.actions.count, reverse=True)

    def column(self, key: str, method: str) -> np.ndarray:
        """[N]: one metric of one method."""
        return self.values[key][:, self.methods.index(method)]

    def estimates(self, seed: int, action: str | None = None) -> dict[str, dict[str, Estimate]]:
        """Means with intervals by metric and method, of all samples or of one action's; absent where unknown."""
        chosen = np.array([action in (None, name) for name in self.actions])
        found = {}
        for key, values in self.values.items():
            columns = {
                method: estimate(values[chosen, i], self.clips[chosen], seed) for i, method in enumerate(self.methods)
            }
            found[key] = {method: of for method, of in columns.items() if of is not None}
        return found

    def comparison(self, key: str, other: str, seed: int) -> tuple[int, int, Estimate] | None:
        """The first method against another one, sample by sample.

        Returns:
            The number of samples in which it is better, the number of common ones, and the difference of values (first
            minus other); None without common samples.
        """
        metric = next(metric for metric in self.metrics if metric.key == key)
        one, two = self.column(key, self.methods[0]), self.column(key, other)
        difference = estimate(one - two, self.clips, seed)
        if difference is None:
            return None
        both = np.isfinite(one) & np.isfinite(two)
        return int(metric.better(one[both], two[both]).sum()), int(both.sum()), difference
