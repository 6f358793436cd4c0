"""The layout of the authors' released data: pictures in `frames/NAME/N.jpg`, joints in `info/NAME.mat`.

N counts from 1. The .mat file holds a struct `data` with `X` [14, 2, N], joints with (1, 1) as the centre of the
top-left pixel, and `bbox` [N, 4], x, y, width and height of the box about them. Neither visibility nor a frame rate
is given: all finite joints are visible, and the rate is 0 (unknown).

Deviation: the authors' code takes 1 off the joints but not off the boxes; here both lose it.
"""

import struct
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import scipy.io

from tf_unseen_pose.data.clips import BrokenClip, Clip, Frame, Rejected, read_frame
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.skeleton import PERSON

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


def posewarp_clips(root: Path, max_side: int | None = None) -> list[Clip]:
    """The clips below `root`, by name; files are read when a clip's frames are.

    Args:
        root: folder that holds `frames` and `info`.
        max_side: shrinks larger pictures.

    Raises:
        UserError: `root` is not of that layout, or holds no clip.
    """
    if not root.is_dir():
        raise UserError(f"There is no folder {root}; name the folder that holds 'frames' and 'info'.")
    for part in ("frames", "info"):
        if not (root / part).is_dir():
            raise UserError(f"{root} has no folder '{part}'; name the folder that holds 'frames' and 'info'.")
    clips = [
        Clip(info.stem, "", 0.0, partial(_frames, root, info, max_side))
        for info in sorted((root / "info").glob("*.mat"))
    ]
    if not clips:
        raise UserError(f"{root / 'info'} holds no .mat file; each clip needs one that names its joints.")
    return clips


def _frames(root: Path, info: Path, max_side: int | None) -> Iterator[Frame | Rejected]:
    joints, boxes = read_info(info)
    for index, pose in enumerate(joints):
        picture = root / "frames" / info.stem / f"{index + 1}.jpg"
        if picture.is_file():
            box = None if boxes is None else boxes[index]
            yield read_frame(picture, pose, index + 1, box, max_side=max_side)
        else:
            yield Rejected("no picture", index + 1)


def read_info(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Joints float32 [N, 14, 3] and boxes float32 [N, 4] (None where there are none) of the authors' .mat file.

    Raises:
        BrokenClip: the file is damaged or of another layout.
    """
    try:
        data = scipy.io.loadmat(path)["data"][0, 0]
        points = np.asarray(data["X"], np.float64)
        boxes = np.asarray(data["bbox"], np.float64) if "bbox" in data.dtype.names else None
    except _MAT_ERRORS as error:
        raise BrokenClip(f"{path} cannot be read as the authors' .mat file") from error
    # MATLAB drops the last axis of a clip of one frame.
    points = points[..., None] if points.ndim == 2 else points
    if points.ndim != 3 or points.shape[:2] != (PERSON.joint_count, 2):
        raise BrokenClip(f"data.X of {path} has the shape {points.shape} instead of (14, 2, N)")
    points = points.transpose(2, 0, 1)
    if boxes is not None and boxes.shape != (len(points), 4):
        raise BrokenClip(f"data.bbox of {path} has the shape {boxes.shape} instead of ({len(points)}, 4)")
    present = np.isfinite(points).all(axis=-1, keepdims=True)
    joints = np.concatenate([np.where(present, points - 1, 0), present], axis=-1).astype(np.float32)
    if boxes is None or not np.isfinite(boxes).all():
        return joints, None
    return joints, (boxes - [1, 1, 0, 0]).astype(np.float32)
