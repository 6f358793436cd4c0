"""Sizes and movements of people, measured on frames spread over a clip.

Convention: a person's size is `person_measures.person_height`. Normalized poses have the
hips' centre at (0, 0), x to the picture's right, y down, in units of the clip's median size; NaN where absent.
"""

from dataclasses import dataclass

import numpy as np

from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.imaging.person_measures import person_height

# On a canvas of 256 a person is about 228 pixels tall, so smaller people are enlarged more than twice.
SMALL_PERSON = 114
# 11 pixels on that canvas, the width of a limb's prior: two such poses ask for nearly the same picture.
SMALL_MOVEMENT = 0.05


@dataclass(frozen=True, eq=False)
class ClipPoses:
    """Poses of T frames, spread over one clip.

    Attributes:
        joints: float32 [T, J, 3].
        sizes: [T], of the person in pixels.
        shares: [T], the size as a part of the picture's longer side.
        normalized: [T, J, 2].
    """

    joints: np.ndarray
    sizes: np.ndarray
    shares: np.ndarray
    normalized: np.ndarray

    @classmethod
    def read(cls, dataset: ClipDataset, clip: int, frame_limit: int) -> "ClipPoses":
        """Reads the poses of at most `frame_limit` frames of a clip, by its position in the dataset.

        Raises:
            UserError: the dataset was changed since it was opened.
        """
        skeleton, entries = dataset.skeleton, dataset.clips[clip].frames
        frames = spread(len(entries), frame_limit)
        joints = np.stack([dataset.read_frame(clip, frame).joints for frame in frames])
        sizes = np.array([person_height(pose, skeleton) for pose in joints])
        shares = sizes / [max(entries[frame].width, entries[frame].height) for frame in frames]
        points = np.where(joints[..., 2:3] > 0, joints[..., :2], np.nan)
        hips = points[:, skeleton.joint_index("left_hip", "right_hip")].mean(axis=1, keepdims=True)
        return cls(joints, sizes, shares, (points - hips) / np.median(sizes))

    @property
    def size(self) -> float:
        """The median of `sizes`."""
        return float(np.median(self.sizes))

    @property
    def movement(self) -> float:
        """Root mean square distance of joints between frames; NaN if unknown."""
        variance = np.ma.masked_invalid(self.normalized).var(axis=0, ddof=1).sum(axis=-1)
        return float(np.ma.filled(np.ma.sqrt(2 * variance.mean()), np.nan))


def spread(count: int, limit: int) -> list[int]:
    """At most `limit` of `count` positions, evenly spread from the first to the last."""
    return np.linspace(0, count - 1, min(count, limit)).round().astype(int).tolist()
