"""Smooths the poses of a video: fills short gaps and removes outliers and jitter.

A running median removes errors of a frame or two and keeps steady motion. The One-Euro filter follows, a low-pass whose
cutoff rises with the speed, so that resting joints are still and fast ones are followed closely. Forward in time it
lags, backward it leads by as much, so the mean of both runs does neither.

Convention: joints are [T, J, 3] in pixels with visibility, 0 meaning absent, or [T, J, 4] with depth z, which is
filtered as x and y are; frequencies are in Hz, speeds in lengths of the person a second, so that the picture's
resolution does not matter.

Source: Casiez, Roussel, Vogel: 1 Euro Filter, CHI 2012.
"""

import numpy as np


def smooth(
    joints: np.ndarray,
    fps: float,
    longest_gap: float = 0.3,
    median_span: float = 0.1,
    least_cutoff: float = 2.0,
    cutoff_slope: float = 20.0,
    speed_cutoff: float = 1.0,
) -> np.ndarray:
    """Fills short gaps and filters every coordinate of every joint on its own.

    Args:
        joints: [T, J, 3 or 4]; at least one joint is visible somewhere.
        fps: frames per second, positive.
        longest_gap: in seconds; longer gaps stay, and the filter restarts after them.
        median_span: in seconds; below three frames there is no median.
        least_cutoff: cutoff for a joint at rest.
        cutoff_slope: increase of the cutoff per unit of speed.
        speed_cutoff: cutoff of the low-pass for the speed.

    Returns:
        float32 [T, J, 3 or 4]. A filled joint has the lesser visibility of both ends of its gap; absent joints are
        zero.
    """
    joints = fill_gaps(np.asarray(joints, np.float32), round(longest_gap * fps))
    size = person_size(joints)
    present = joints[..., 2] > 0
    points = np.delete(joints, 2, axis=-1).astype(np.float64) / size
    points = _running_median(points, present, reach=int(median_span * fps / 2))
    cutoffs = (least_cutoff, cutoff_slope, speed_cutoff)
    forward = _one_euro(points, present, fps, *cutoffs)
    backward = _one_euro(points[::-1], present[::-1], fps, *cutoffs)[::-1]
    steady = np.insert((forward + backward) / 2 * size, 2, joints[..., 2], axis=-1)
    return np.where(present[..., None], steady, 0).astype(np.float32)


def fill_gaps(joints: np.ndarray, longest: int) -> np.ndarray:
    """Interpolates joints [T, J, 3 or 4] that are absent for at most `longest` frames between two that are visible."""
    filled = joints.copy()
    for joint in filled.swapaxes(0, 1):
        seen = np.flatnonzero(joint[:, 2] > 0)
        for start, end in zip(seen[:-1], seen[1:], strict=True):
            if 1 < end - start <= longest + 1:
                part = np.linspace(0, 1, end - start + 1)[1:-1, None]
                joint[start + 1 : end] = joint[start] + part * (joint[end] - joint[start])
                joint[start + 1 : end, 2] = min(joint[start, 2], joint[end, 2])
    return filled


def person_size(joints: np.ndarray) -> float:
    """The median over time of the larger side of the visible joints' box, in pixels; of joints [T, J, 3 or 4]."""
    points = np.where(joints[..., 2:3] > 0, joints[..., :2], np.nan)
    points = points[~np.isnan(points).all(axis=(1, 2))]
    sides = np.nanmax(points, axis=1) - np.nanmin(points, axis=1)
    return max(1.0, float(np.median(sides.max(axis=1))))


def _running_median(points, present, reach):
    """The median of points [T, J, 2 or 3] over `reach` frames to both sides.

    Windows stay symmetric at ends and gaps, so that steady motion is not held back.
    """
    points = np.where(present[..., None], points, np.nan)
    points = np.pad(points, ((reach, reach), (0, 0), (0, 0)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(points, 2 * reach + 1, axis=0)
    windows = np.where(np.isnan(windows[..., ::-1]), np.nan, windows)
    return np.nanmedian(np.where(present[..., None, None], windows, 0), axis=-1)


def _one_euro(points, present, fps, least_cutoff, cutoff_slope, speed_cutoff):
    """The filter, forward in time, over points [T, J, 2 or 3]; it restarts wherever a joint [T, J] appears."""
    filtered = np.empty_like(points)
    position, speed = points[0], np.zeros_like(points[0])
    seen = np.zeros_like(present[0])
    for t, point in enumerate(points):
        restart = ~seen[:, None]
        position = np.where(restart, point, position)
        speed = np.where(restart, 0, speed)
        speed += _weight(speed_cutoff, fps) * ((point - position) * fps - speed)
        position = position + _weight(least_cutoff + cutoff_slope * np.abs(speed), fps) * (point - position)
        filtered[t] = position
        seen = present[t]
    return filtered


def _weight(cutoff, fps):
    """The weight of a new value in exponential smoothing with this cutoff."""
    return 1 / (1 + fps / (2 * np.pi * cutoff))
