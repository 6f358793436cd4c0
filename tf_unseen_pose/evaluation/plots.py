"""Plots of a report: the distribution of a metric over pairs, and its dependence on the pose's movement."""

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tf_unseen_pose.evaluation.metric_columns import BY_KEY
from tf_unseen_pose.evaluation.metric_table import MetricTable

# Okabe and Ito's colour-blind-safe colours; a method has the same in all plots.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")


def distribution(table: MetricTable, key: str, labels: dict[str, str]) -> bytes:
    """A PNG: for every method the share of pairs whose value is at most x.

    Args:
        labels: the methods' names.
    """
    figure = Figure(figsize=(4.8, 3), layout="constrained")
    axes = figure.subplots()
    for method, values in _columns(table, key, labels):
        known = np.sort(values[np.isfinite(values)])
        if len(known):
            axes.ecdf(known, color=_colour(table, method), label=labels[method])
    axes.set(xlabel=BY_KEY[key].label, ylabel="share of cases", ylim=(0, 1))
    _finish(axes)
    return _png(figure)


def by_movement(table: MetricTable, key: str, labels: dict[str, str]) -> bytes:
    """A PNG: every pair of every method as a dot, by how far its joints move."""
    figure = Figure(figsize=(4.8, 3), layout="constrained")
    axes = figure.subplots()
    for method, values in _columns(table, key, labels):
        colour = _colour(table, method)
        axes.scatter(100 * table.movement, values, s=14, alpha=0.6, linewidths=0, color=colour, label=labels[method])
    axes.set(xlabel="mean way of a joint, % of the canvas", ylabel=BY_KEY[key].label)
    _finish(axes)
    return _png(figure)


def _columns(table: MetricTable, key: str, labels: dict[str, str]) -> list[tuple[str, np.ndarray]]:
    return [(method, table.column(key, method)) for method in labels]


def _colour(table: MetricTable, method: str) -> str:
    return _COLOURS[table.methods.index(method) % len(_COLOURS)]


def _finish(axes: Axes) -> None:
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        for handle in axes.legend(frameon=False, fontsize="small").legend_handles:
            handle.set_alpha(1)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=144, metadata={"Software": None})
    return buffer.getvalue()
