"""An evaluation as plain numbers, for the JSON file and for programs that compare runs."""

import math

from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.evaluation.evaluate import Evaluation
from tf_unseen_pose.evaluation.evaluation_pairs import EvaluationPair, PairSequence
from tf_unseen_pose.evaluation.intervals import Estimate
from tf_unseen_pose.evaluation.metric_table import MetricTable


def summary(evaluation: Evaluation) -> dict:
    """The results as JSON values. Equal evaluations differ only in "seconds_per_picture".

    Returns:
        data, split, seed, joints: see `evaluate.Options`; models: path by name; seconds_per_picture: by method; vgg: a
        sentence on the VGG error's units, or why there is none; drawn_masks, left_out: see `Evaluation`; and
        within, sequences, across: None, or a dict of
          - count, clips: samples, pairs or sequences, and the clips that they are of
          - all: {metric: {method: {mean, low, high, count}}}; low and high are null where one clip is all there is
          - actions: the same for every action
          - against: {method: {metric: {better, of, mean, low, high}}}, the first model sample by sample: in how many
            it is better, and its value less the other's
          - cases: every sample: clips, frame numbers, and values {method: {metric: number or null}}

        Metrics are those of `metric_columns`, methods the models' names, "copy", "warp" and "target".
    """
    dataset, seed = evaluation.dataset, evaluation.options.seed
    tables: dict[str, MetricTable | None] = {
        "within": evaluation.within,
        "sequences": evaluation.sequences,
        "across": evaluation.across,
    }
    return {
        "data": str(dataset.path),
        "split": evaluation.options.split,
        "seed": seed,
        "joints": evaluation.options.joints,
        "models": {name: str(model.path) for name, model in evaluation.models.items()},
        "vgg": evaluation.perceptual,
        "drawn_masks": evaluation.drawn_masks,
        "left_out": evaluation.left_out,
        "seconds_per_picture": {name: _rounded(value) for name, value in evaluation.seconds.items()},
        **{name: None if table is None else _table(table, dataset, seed) for name, table in tables.items()},
    }


def _table(table: MetricTable, dataset: ClipDataset, seed: int) -> dict:
    against = {}
    for other in table.methods[1:]:
        compared = {key: table.comparison(key, other, seed) for key in table.values}
        against[other] = {
            key: {"better": found[0], "of": found[1], **_estimate(found[2])} for key, found in compared.items() if found
        }
    return {
        "count": len(table.samples),
        "clips": len(set(table.clips.tolist())),
        "all": _estimates(table.estimates(seed)),
        "actions": {action: _estimates(table.estimates(seed, action)) for action in table.action_names},
        "against": against,
        "cases": [
            {
                **_described(sample, dataset),
                "movement": _rounded(table.movement[i]),
                "values": {
                    method: {key: _rounded(values[i, m]) for key, values in table.values.items()}
                    for m, method in enumerate(table.methods)
                },
            }
            for i, sample in enumerate(table.samples)
        ],
    }


def _described(sample: EvaluationPair | PairSequence, dataset: ClipDataset) -> dict:
    def number(clip: int, frame: int) -> int:
        return dataset.clips[clip].frames[frame].number

    if isinstance(sample, EvaluationPair):
        return {
            "source": [dataset.clips[sample.source_clip].name, number(sample.source_clip, sample.source_frame)],
            "target": [dataset.clips[sample.target_clip].name, number(sample.target_clip, sample.target_frame)],
        }
    name = dataset.clips[sample.clip].name
    return {
        "source": [name, number(sample.clip, sample.source_frame)],
        "targets": [name, *(number(sample.clip, frame) for frame in sample.frames)],
    }


def _estimates(found: dict[str, dict[str, Estimate]]) -> dict:
    return {key: {method: _estimate(of) for method, of in methods.items()} for key, methods in found.items()}


def _estimate(found: Estimate) -> dict:
    return {
        "mean": _rounded(found.mean),
        "low": _rounded(found.low),
        "high": _rounded(found.high),
        "count": found.count,
    }


def _rounded(value: float | None) -> float | None:
    """Rounds to six digits, for a stable file; null if unknown."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")
