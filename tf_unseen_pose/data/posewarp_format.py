"""The layout of the authors' released data: pictures in `frames/NAME/N.jpg`, joints in `info/NAME.mat`.

N counts from 1. The joints' file is that of `pose.posewarp_joints`. No frame rate is given: it is 0 (unknown).
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tf_unseen_pose.data.clips import BrokenClip, Clip, Frame, Rejected, read_frame
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.pose.posewarp_joints import read_posewarp_joints


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
    try:
        joints, boxes = read_posewarp_joints(info)
    except ValueError as error:
        raise BrokenClip(str(error)) from error
    for index, pose in enumerate(joints):
        picture = root / "frames" / info.stem / f"{index + 1}.jpg"
        if picture.is_file():
            box = None if boxes is None else boxes[index]
            yield read_frame(picture, pose, index + 1, box, max_side=max_side)
        else:
            yield Rejected("no picture", index + 1)
