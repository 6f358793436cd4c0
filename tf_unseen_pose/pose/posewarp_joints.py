"""Reads the joints of the authors' released data: `info/NAME.mat`.

It holds a struct `data` with `X` [14, 2, N], joints with (1, 1) as the centre of the top-left pixel, and `bbox` [N, 4],
x, y, width and height of the box around them. All finite joints count as visible.

Deviation: the authors' code subtracts 1 from the joints but not from the boxes; here from both.
"""

import struct
import zlib
from pathlib import Path

import numpy as np
import scipy.io

from tf_unseen_pose.known_skeletons import PERSON

# What scipy raises for files that are no .mat, are cut short, or hold something else.
_MAT_ERRORS = (
    scipy.io.matlab.MatReadError,
    OSError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    NotImplementedError,
    struct.error,
    zlib.error,
)


def read_posewarp_joints(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Joints float32 [N, 14, 3] and boxes float32 [N, 4], in pixels, of the authors' .mat file.

    Boxes are None if the file has none.

    Raises:
        ValueError: the file is damaged or of another layout.
    """
    try:
        data = scipy.io.loadmat(path)["data"][0, 0]
        points = np.asarray(data["X"], np.float64)
        boxes = np.asarray(data["bbox"], np.float64) if "bbox" in data.dtype.names else None
    except _MAT_ERRORS as error:
        raise ValueError(f"{path} cannot be read as the authors' .mat file") from error
    # MATLAB drops the last axis of a clip of one frame.
    points = points[..., None] if points.ndim == 2 else points
    if points.ndim != 3 or points.shape[:2] != (PERSON.joint_count, 2):
        raise ValueError(f"data.X of {path} has the shape {points.shape} instead of (14, 2, N)")
    points = points.transpose(2, 0, 1)
    if boxes is not None and boxes.shape != (len(points), 4):
        raise ValueError(f"data.bbox of {path} has the shape {boxes.shape} instead of ({len(points)}, 4)")
    present = np.isfinite(points).all(axis=-1, keepdims=True)
    joints = np.concatenate([np.where(present, points - 1, 0), present], axis=-1).astype(np.float32)
    if boxes is None or not np.isfinite(boxes).all():
        return joints, None
    return joints, (boxes - [1, 1, 0, 0]).astype(np.float32)
