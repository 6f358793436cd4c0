"""An evaluation as plain numbers, for the JSON file and for programs that compare runs."""

import math

from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.evaluation.evaluate import Evaluation
from tf_unseen_pose.evaluation.evaluation_pairs import EvaluationPair, FrameSequence
from tf_unseen_pose.evaluation.intervals import Estimate
from tf_unseen_pose.evaluation.metric_table import MetricTable


def summary(evaluation: Evaluation) -> dict:
    """What was found, as JSON takes it. Two evaluations of the same things differ in "seconds_per_picture" alone.

    Returns:
        data, split, seed; models: path by name; seconds_per_picture: by method; vgg: a sentence on the VGG error's
        units, or why there is none; drawn_masks, left_out: see `Evaluation`; and
        within, sequences, across: None, or a dict of
          - count, clips: cases and the clips that they are of
          - all: {metric: {method: {mean, low, high, count}}}; low and high are null where one clip is all there is
          - actions: the same for every action
          - against: {method: {metric: {better, of, mean, low, high}}}, the first model case by case: in how many
            it is better, and its value less the other's
          - cases: every case: clips, frame numbers, and values {method: {metric: number or null}}

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
        "models": {name: str(model.path) for name, model in evaluation.models.items()},
        "vgg": evaluation.perceptual,
        "drawn_masks": evaluation.drawn_masks,
        "left_out": evaluation.left_out,
        "seconds_per_picture": {name: _rounded(value) for name, value in evaluation.seconds.items()},
        **{name: None if results is None else _numbers(results, dataset, seed) for name, results in tables.items()},
    }


def _numbers(results: MetricTable, dataset: ClipDataset, seed: int) -> dict:
    against = {}
    for other in results.methods[1:]:
        compared = {key: results.comparison(key, other, seed) for key in results.values}
        against[other] = {
            key: {"better": found[0], "of": found[1], **_estimate(found[2])} for key, found in compared.items() if found
        }
    return {
        "count": len(results.cases),
        "clips": len(set(results.clips.tolist())),
        "all": _estimates(results.estimates(seed)),
        "actions": {action: _estimates(results.estimates(seed, action)) for action in results.action_names},
        "against": against,
        "cases": [
            {
                **_described(case, dataset),
                "movement": _rounded(results.movement[i]),
                "values": {
                    method: {key: _rounded(table[i, m]) for key, table in results.values.items()}
                    for m, method in enumerate(results.methods)
                },
            }
            for i, case in enumerate(results.cases)
        ],
    }


def _described(case: EvaluationPair | FrameSequence, dataset: ClipDataset) -> dict:
    def number(clip: int, frame: int) -> int:
        return dataset.clips[clip].frames[frame].number

    if isinstance(case, EvaluationPair):
        return {
            "source": [dataset.clips[case.source_clip].name, number(case.source_clip, case.source_frame)],
            "target": [dataset.clips[case.target_clip].name, number(case.target_clip, case.target_frame)],
        }
    name = dataset.clips[case.clip].name
    return {
        "source": [name, number(case.clip, case.source_frame)],
        "targets": [name, *(number(case.clip, frame) for frame in case.frames)],
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
    """To six digits, for a stable file; null for what is not known."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")
