"""Writes animations to video files, frame by frame."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from tf_unseen_pose.files import replacing
from tf_unseen_pose.imaging.drawing import draw_pose
from tf_unseen_pose.imaging.photos import is_image
from tf_unseen_pose.imaging.sound import Sound, opened_sound
from tf_unseen_pose.imaging.time_span import WHOLE, TimeSpan
from tf_unseen_pose.imaging.video import steady_frames
from tf_unseen_pose.imaging.video_writer import VideoWriter
from tf_unseen_pose.pose.pose_files import Poses
from tf_unseen_pose.pose.sources import is_pose_file
from tf_unseen_pose.skeleton import Skeleton
from tf_unseen_pose.words import counted

_log = logging.getLogger(__name__)

# If neither the driving file nor the user states a frame rate.
DEFAULT_FPS = 25.0


def write_animation(
    frames: Iterable[np.ndarray],
    count: int,
    output: Path,
    fps: float,
    progress: bool = True,
    synthetic: bool = True,
    sound: Sound | None = None,
) -> tuple[int, bool]:
    """Writes frames to a video, one at a time. Ctrl-C ends the video with the frames so far.

    Args:
        frames: uint8 [H, W, 3].
        count: number of frames.
        output: an .mp4 or .gif; not created without a frame.
        fps: frames per second; common fractions such as 30000/1001 are kept exactly.
        progress: shows a bar.
        synthetic: mark the file as synthetic (see `imaging.provenance`).
        sound: sound from the first frame on.

    Returns:
        The number of frames written, and whether that is all of them.
    """
    rate = Fraction(fps).limit_denominator(1001)
    written, stopped = 0, False
    with replacing(output) as temporary, VideoWriter(temporary, rate, synthetic, output, sound) as writer:
        try:
            for frame in tqdm(frames, "Rendering", count, unit="frame", disable=not progress):
                writer.write(frame)
                written += 1
        except KeyboardInterrupt:
            if not written:
                raise
            stopped = True
    return written, not stopped


@contextmanager
def driving_sound(driving: Path | None, output: Path, span: TimeSpan, in_time: bool) -> Iterator[Sound | None]:
    """The sound for a result, if the driving file has one and the output supports it.

    Args:
        driving: a video, or a file without sound; None for no sound.
        in_time: whether the result has the driving video's speed; else the sound is omitted with a warning.

    Raises:
        UserError: as `opened_sound`.
    """
    if driving is None or output.suffix.lower() == ".gif" or is_pose_file(driving) or is_image(driving):
        yield None
        return
    with opened_sound(driving, span) as sound:
        if sound and not in_time:
            _log.warning("The result has no sound, since --fps makes it faster or slower than the driving video.")
        yield sound if in_time else None


def note_of_unseen(joints: np.ndarray) -> str:
    """A note about frames without a visible joint in a sequence [T, J, 3 or 4]; "" without any."""
    unseen = (joints[..., 2] <= 0).all(axis=1)
    count, leading = int(unseen.sum()), int(np.argmin(unseen))
    if not count:
        return ""
    held = "the first pose that is seen is held there"
    if count > leading:
        held = "the pose before is held there" + (", at the beginning the first pose that is seen" if leading else "")
    return f"In {counted(count, 'frame')} nobody is seen; {held}."


def beside_driving(
    frames: Iterable[np.ndarray], driving: Path, poses: Poses, skeleton: Skeleton, span: TimeSpan = WHOLE
) -> Iterator[np.ndarray]:
    """Adds the driving video with its skeleton, or the skeleton alone, on the left of every frame.

    Args:
        frames: uint8 [H, W, 3], one per pose.
        driving: the video or pose file of the poses.
        poses: as detected, in pixels of the driving video.
        span: the part of the video that they are from.

    Yields:
        uint8 [H, W', 3].

    Raises:
        UserError: the video cannot be read.
    """
    black = np.zeros((poses.height, poses.width, 3), np.uint8)
    shown = (black for _ in poses.joints) if is_pose_file(driving) else steady_frames(driving, span)
    for frame, image, joints in zip(frames, shown, poses.joints, strict=True):
        height = frame.shape[0]
        width = max(1, round(poses.width * height / poses.height))
        picture = Image.fromarray(draw_pose(np.ascontiguousarray(image), joints, skeleton)).resize((width, height))
        yield np.concatenate([np.asarray(picture), frame], axis=1)


def overlaid(driving: Path, poses: Poses, skeleton: Skeleton, span: TimeSpan = WHOLE) -> Iterator[np.ndarray]:
    """The frames of a span of a video with its skeleton drawn over them, uint8 [H, W, 3].

    Raises:
        UserError: the video cannot be read.
    """
    for image, joints in zip(steady_frames(driving, span), poses.joints, strict=True):
        yield draw_pose(np.ascontiguousarray(image), joints, skeleton)
