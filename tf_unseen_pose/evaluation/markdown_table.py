"""What of an evaluation goes into a text: one table in Markdown, and one sheet of pairs beside it."""

import numpy as np

from tf_unseen_pose.data.clip_poses import spread
from tf_unseen_pose.evaluation.evaluate import COPY, TARGET, WARP, Evaluation
from tf_unseen_pose.evaluation.intervals import Estimate
from tf_unseen_pose.evaluation.metric_columns import BY_KEY, MetricColumn
from tf_unseen_pose.imaging.drawing import contact_sheet

LABELS = {COPY: "copying the source", WARP: "warp only", TARGET: "target photographs"}
_COLUMNS = ("vgg", "vgg_inside", "ssim", "ssim_inside", "pckh", "background")
_SHOWN, _SIDE = 8, 160


def as_markdown(evaluation: Evaluation) -> str:
    """Markdown: a row a method, every mean with its 95 % interval over clips."""
    estimates = evaluation.within.estimates(evaluation.options.seed)
    columns = [BY_KEY[key] for key in _COLUMNS if key in estimates]
    lines = ["| | " + " | ".join(f"{column.label} {_arrow(column)}" for column in columns) + " |"]
    lines += ["|---|" + "--:|" * len(columns)]
    for method in (*evaluation.methods, *_bounds(estimates)):
        cells = [_cell(estimates[column.key].get(method), column) for column in columns]
        lines.append(f"| {LABELS.get(method, method)} | " + " | ".join(cells) + " |")
    pairs, clips = len(evaluation.within.samples), len(set(evaluation.within.clips.tolist()))
    steps = {model.config.train.steps for model in evaluation.models.values()}
    trained = f"{steps.pop()} steps each; " if len(steps) == 1 else ""
    return "\n".join([*lines, "", f"{trained}{pairs} pairs of {clips} clips. {evaluation.perceptual}", ""])


def _bounds(estimates: dict[str, dict[str, Estimate]]) -> list[str]:
    """The target photographs, where anything was measured on them: no method can be expected to do better."""
    return [TARGET] if any(TARGET in estimates[key] for key in _COLUMNS if key in estimates) else []


def _arrow(metric: MetricColumn) -> str:
    return "↑" if metric.higher_is_better else "↓"


def _cell(estimate: Estimate | None, metric: MetricColumn) -> str:
    if estimate is None:
        return "–"
    mean, low, high = (
        "?" if value is None or not np.isfinite(value) else f"{value:.{metric.digits}f}"
        for value in (estimate.mean, estimate.low, estimate.high)
    )
    return f"{mean} ({low}–{high})"


def pair_sheet(evaluation: Evaluation) -> np.ndarray:
    """A contact sheet, uint8 [H, W, 3], of pairs that are spread over those evaluated: source, target, every method."""
    panels = []
    for position in spread(len(evaluation.within.samples), _SHOWN):
        example = evaluation.reader.within(evaluation.within.samples[position])
        results = [(LABELS.get(name, name), picture) for name, picture in evaluation.render(example).items()]
        panels += [("source", example.source), ("target", example.target), *results]
    return contact_sheet(panels, columns=2 + len(evaluation.methods), side=_SIDE)
