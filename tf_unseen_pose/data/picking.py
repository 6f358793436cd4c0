"""The command `pick`: extracts a photo, its pose and a motion from a dataset.

FOLDER/photo.jpg     a frame of a clip
FOLDER/photo.json    its pose
FOLDER/motion.json   the poses of a clip, another one if possible
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import replacing
from tf_unseen_pose.pose.pose_files import Poses, write_poses


@dataclass(frozen=True)
class Picked:
    """The written files, and the names of their clips."""

    photo: Path
    pose: Path
    motion: Path
    photo_clip: str
    motion_clip: str


def pick(dataset: ClipDataset, folder: Path, clip: str | None = None, motion: str | None = None) -> Picked:
    """Writes the first frame of one clip and the poses of another one.

    Rejected frames of the motion's clip, with an unchanged pose or without a person, become poses without a visible
    joint, for which `animate` repeats the frame before.

    Args:
        folder: created if missing.
        clip: name of the photo's clip; by default the first one for validation, or the first of all.
        motion: name of the motion's clip; by default the next one for validation, or else the next of all.

    Raises:
        UserError: the dataset has no clip of that name, or nothing can be written to the folder.
    """
    names = [entry.name for entry in dataset.clips]
    validation = [entry.name for entry in dataset.clips if entry.split == "validation"]
    photo_clip = clip or (validation or names)[0]
    others = [*validation, *names]
    motion_clip = motion or next((name for name in others if name != photo_clip), photo_clip)
    source, driving = (_position(dataset, name, names) for name in (photo_clip, motion_clip))
    photo, pose, poses = (folder / name for name in ("photo.jpg", "photo.json", "motion.json"))
    frame, entry = dataset.read_frame(source, 0), dataset.clips[source].frames[0]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(photo) as temporary:
            temporary.write_bytes(frame.jpeg)
        write_poses(pose, Poses(frame.joints[None], entry.width, entry.height))
        write_poses(poses, _motion(dataset, driving))
    except OSError as error:
        raise UserError(f"Cannot write to {folder}: {error.strerror}; free space or choose another folder.") from error
    return Picked(photo, pose, poses, photo_clip, motion_clip)


def _position(dataset: ClipDataset, name: str, names: list[str]) -> int:
    if name not in names:
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        raise UserError(f"{dataset.path} has no clip '{name}'; it has {shown}.")
    return names.index(name)


def _motion(dataset: ClipDataset, clip: int) -> Poses:
    """The clip's poses in pixels of its first frame, one for every number from the first frame's to the last's."""
    entry = dataset.clips[clip]
    width, height = entry.frames[0].width, entry.frames[0].height
    first = entry.frames[0].number
    joints = np.zeros((entry.frames[-1].number - first + 1, dataset.skeleton.joint_count, 3), np.float32)
    for i, frame in enumerate(entry.frames):
        pose = dataset.read_frame(clip, i).joints[None]
        joints[frame.number - first] = Poses(pose, frame.width, frame.height).scaled_to(width, height).joints[0]
    return Poses(joints, width, height, entry.fps)
