"""From a photo and a driving sequence to a video file, frame by frame."""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from tf_unseen_pose.files import replacing
from tf_unseen_pose.imaging.drawing import draw_pose
from tf_unseen_pose.imaging.video import VideoWriter, steady_frames
from tf_unseen_pose.pose.pose_files import Poses
from tf_unseen_pose.pose.sources import is_pose_file
from tf_unseen_pose.skeleton import Skeleton

# Where neither the driving file nor the user says how fast it is.
DEFAULT_FPS = 25.0


def write_animation(
    frames: Iterable[np.ndarray],
    count: int,
    output: Path,
    fps: float,
    progress: bool = True,
    synthetic: bool = True,
) -> tuple[int, bool]:
    """Writes frames to a video, one at a time. Ctrl-C ends the video with the frames that are done.

    Args:
        frames: uint8 [H, W, 3].
        count: how many will come.
        output: an .mp4 or .gif; nothing is left there if no frame was made.
        fps: frames a second; common fractions such as 30000/1001 are kept exactly.
        progress: shows a bar.
        synthetic: the frames show a re-posed person, and the file says so (see `imaging.provenance`).

    Returns:
        How many frames were written, and whether that is all of them.
    """
    rate = Fraction(fps).limit_denominator(1001)
    written, stopped = 0, False
    with replacing(output) as temporary, VideoWriter(temporary, rate, synthetic, output) as writer:
        try:
            for frame in tqdm(frames, "Rendering", count, unit="frame", disable=not progress):
                writer.write(frame)
                written += 1
        except KeyboardInterrupt:
            if not written:
                raise
            stopped = True
    return written, not stopped


def beside_driving(
    frames: Iterable[np.ndarray], driving: Path, poses: Poses, skeleton: Skeleton
) -> Iterator[np.ndarray]:
    """Puts the driving video with its skeleton, or the skeleton alone, to the left of every frame.

    Args:
        frames: uint8 [H, W, 3], one a pose.
        driving: the video or the pose file that the poses are of.
        poses: as they were found, in pixels of the driving video.

    Yields:
        uint8 [H, W', 3].

    Raises:
        UserError: the video cannot be read.
    """
    black = np.zeros((poses.height, poses.width, 3), np.uint8)
    shown = (black for _ in poses.joints) if is_pose_file(driving) else steady_frames(driving)
    for frame, image, joints in zip(frames, shown, poses.joints, strict=True):
        height = frame.shape[0]
        width = max(1, round(poses.width * height / poses.height))
        picture = Image.fromarray(draw_pose(np.ascontiguousarray(image), joints, skeleton)).resize((width, height))
        yield np.concatenate([np.asarray(picture), frame], axis=1)


def overlaid(driving: Path, poses: Poses, skeleton: Skeleton) -> Iterator[np.ndarray]:
    """The frames of a video with its skeleton drawn over them, uint8 [H, W, 3].

    Raises:
        UserError: the video cannot be read.
    """
    for image, joints in zip(steady_frames(driving), poses.joints, strict=True):
        yield draw_pose(np.ascontiguousarray(image), joints, skeleton)
