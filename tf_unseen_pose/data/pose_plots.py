"""Plots of a dataset's poses for its summary page, listed in `PLOTS`.

Convention: a person's size is `person_measures.person_height`. Normalized poses have the
hips' centre at (0, 0), x to the picture's right, y down, in units of the clip's median size; NaN where absent.
"""

import io
from collections.abc import Callable

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tf_unseen_pose.data.clip_poses import SMALL_MOVEMENT, SMALL_PERSON, ClipPoses
from tf_unseen_pose.imaging.drawing import SIDE_COLOURS
from tf_unseen_pose.skeleton import Skeleton

_INK = {"light": "#24292f", "dark": "#d5dae0"}
_INKED = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
# A darker green than over pictures, for white pages.
_COLOURS = {side: np.array(colour) / 255 for side, colour in SIDE_COLOURS.items()} | {"": "#3fae48"}


def plot(draw: Callable, clips: list[ClipPoses], skeleton: Skeleton) -> dict[str, bytes]:
    """One of `PLOTS` in "light" and in "dark" ink on a transparent ground, as PNGs."""
    pictures = {}
    for theme, ink in _INK.items():
        with matplotlib.rc_context(dict.fromkeys(_INKED, ink)):
            figure, buffer = Figure(figsize=(4.8, 3), layout="constrained"), io.BytesIO()
            draw(figure, clips, skeleton)
            figure.savefig(buffer, dpi=144, transparent=True, metadata={"Software": None})
        pictures[theme] = buffer.getvalue()
    return pictures


def _histogram(figure: Figure, values: np.ndarray, dashed: float) -> Axes:
    axes = figure.subplots()
    axes.hist(values, bins=25, range=(0, values.max(initial=dashed)), color=_COLOURS[""])
    axes.axvline(dashed, color=matplotlib.rcParams["text.color"], linestyle="--")
    axes.yaxis.get_major_locator().set_params(integer=True)
    return axes


def _draw_sizes(figure: Figure, clips: list[ClipPoses], skeleton: Skeleton) -> None:
    sizes = np.concatenate([clip.sizes for clip in clips])
    _histogram(figure, sizes, SMALL_PERSON).set(xlabel="person's size, pixels", ylabel="frames")


def _draw_shares(figure: Figure, clips: list[ClipPoses], skeleton: Skeleton) -> None:
    shares = 100 * np.concatenate([clip.shares for clip in clips])
    _histogram(figure, shares, 100).set(xlabel="person's size, % of the picture's longer side", ylabel="frames")


def _draw_movement(figure: Figure, clips: list[ClipPoses], skeleton: Skeleton) -> None:
    movements = 100 * np.array([clip.movement for clip in clips])
    axes = _histogram(figure, movements[np.isfinite(movements)], 100 * SMALL_MOVEMENT)
    axes.set(xlabel="way of a joint between two frames, % of person's size", ylabel="clips")


def _draw_joints(figure: Figure, clips: list[ClipPoses], skeleton: Skeleton) -> None:
    axes = figure.subplots()
    poses = np.concatenate([clip.normalized for clip in clips])
    for side, label in (("right", "person's right"), ("left", "person's left"), ("", "neither")):
        points = poses[:, [i for i, name in enumerate(skeleton.joints) if _side(name) == side]].reshape(-1, 2)
        axes.scatter(*points.T, s=9, alpha=0.35, linewidths=0, color=_COLOURS[side], label=label)
    median = np.ma.median(np.ma.masked_invalid(poses), axis=0).filled(np.nan)
    for limb in skeleton.limbs:
        half = len(limb.joints) // 2
        outline = skeleton.joint_index(*limb.joints[:half], *limb.joints[half:][::-1], limb.joints[0])
        axes.plot(*median[outline].T, color=matplotlib.rcParams["text.color"])
    axes.set(xlim=(-1.2, 1.2), ylim=(0.7, -0.7), aspect="equal", xlabel="right of the hips", ylabel="below the hips")
    for handle in axes.legend(loc="upper left", frameon=False, markerscale=2).legend_handles:
        handle.set_alpha(1)


def _draw_angles(figure: Figure, clips: list[ClipPoses], skeleton: Skeleton) -> None:
    joints = np.concatenate([clip.joints for clip in clips])
    upper_arm, thigh = figure.subplots(1, 2, subplot_kw={"projection": "polar"})
    for axes, title, start, end in (upper_arm, "upper arm", "shoulder", "elbow"), (thigh, "thigh", "hip", "knee"):
        for side in ("right", "left"):
            ends = joints[:, skeleton.joint_index(f"{side}_{start}", f"{side}_{end}")]
            x, y = np.diff(ends[(ends[..., 2] > 0).all(axis=1), :, :2], axis=1)[:, 0].T
            counts, edges = np.histogram(np.arctan2(x, y), bins=36, range=(-np.pi, np.pi))
            axes.bar(edges[:-1], counts, np.diff(edges), align="edge", color=_COLOURS[side], alpha=0.6, label=side)
        axes.set_theta_zero_location("S")
        axes.set_xticks(np.arange(4) * np.pi / 2, ["down", "right", "up", "left"])
        axes.set(title=title, yticklabels=[])
    figure.legend(*axes.get_legend_handles_labels(), loc="lower center", frameon=False, ncols=2)


def _draw_visibility(figure: Figure, clips: list[ClipPoses], skeleton: Skeleton) -> None:
    axes = figure.subplots()
    seen = np.concatenate([clip.joints[..., 2] > 0 for clip in clips]).mean(axis=0)
    names = [name.replace("_", " ") for name in skeleton.joints]
    axes.barh(names, 100 * seen, color=[_COLOURS[_side(name)] for name in skeleton.joints])
    axes.invert_yaxis()
    # As many points as there is room for, and Matplotlib's own 10 at most.
    axes.tick_params(axis="y", labelsize=min(10, 160 / len(names)))
    axes.set(xlim=(0, 100), xlabel="frames in which the joint is seen, %")


def _side(joint: str) -> str:
    side = joint.split("_")[0]
    return side if side in _COLOURS else ""


PLOTS = {
    "sizes": _draw_sizes,
    "shares": _draw_shares,
    "movement": _draw_movement,
    "joints": _draw_joints,
    "angles": _draw_angles,
    "visibility": _draw_visibility,
}
