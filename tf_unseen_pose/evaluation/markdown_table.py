"""An evaluation as Markdown: a table for canvases, and one for whole photos."""

from collections.abc import Sequence

import numpy as np

from tf_unseen_pose.evaluation.case_pictures import LABELS
from tf_unseen_pose.evaluation.evaluate import TARGET, Evaluation
from tf_unseen_pose.evaluation.intervals import Estimate
from tf_unseen_pose.evaluation.metric_columns import BY_KEY, PHOTOS, MetricColumn
from tf_unseen_pose.words import counted

_COLUMNS = ("vgg", "vgg_inside", "ssim", "ssim_inside", "pckh", "choice", "fine_choice", "background")


def as_markdown(evaluation: Evaluation) -> str:
    """Markdown with a row per method, and every mean with its 95 % interval over clips."""
    estimates = evaluation.within.estimates(evaluation.options.seed)
    tables = _table(evaluation, estimates, [BY_KEY[key] for key in _COLUMNS]), _table(evaluation, estimates, PHOTOS)
    pairs, clips = len(evaluation.within.samples), len(set(evaluation.within.clips.tolist()))
    steps = {model.config.train.steps for model in evaluation.models.values()}
    trained = f"{counted(steps.pop(), 'step')} each; " if len(steps) == 1 else ""
    given = "" if evaluation.options.joints == "all" else ", 14 joints a pose"
    last = f"{trained}{counted(pairs, 'pair')} of {counted(clips, 'clip')}{given}. {evaluation.perceptual}"
    return "\n".join([line for table in tables if table for line in (*table, "")] + [last, ""])


def _table(
    evaluation: Evaluation, estimates: dict[str, dict[str, Estimate]], metrics: Sequence[MetricColumn]
) -> list[str]:
    """Lines with a row per method."""
    columns = [metric for metric in metrics if metric.key in estimates]
    if not columns:
        return []
    lines = ["| | " + " | ".join(f"{column.label} {_arrow(column)}" for column in columns) + " |"]
    lines += ["|---|" + "--:|" * len(columns)]
    # The target photographs, if measured: the limit for all methods.
    bounds = [TARGET] if any(TARGET in estimates[column.key] for column in columns) else []
    for method in (*evaluation.methods, *bounds):
        cells = [_cell(estimates[column.key].get(method), column) for column in columns]
        lines.append(f"| {LABELS.get(method, method)} | " + " | ".join(cells) + " |")
    return lines


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
