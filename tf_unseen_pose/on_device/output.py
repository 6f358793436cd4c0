"""Outputs for the frames of the demonstration: a picture, a GIF, a video, a window, or none."""

import time
from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path
from typing import Any, Self

import numpy as np
from PIL import Image

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import replacing, require_folder
from tf_unseen_pose.imaging.image_files import save_image
from tf_unseen_pose.imaging.provenance import mark_video

_STILLS = (".png", ".jpg", ".jpeg", ".webp")


def open_output(path: Path | None, fps: float) -> AbstractContextManager:
    """A context with `write(frame)` for the path's suffix; without a path it discards the frames.

    Raises:
        UserError: an unknown suffix, a missing folder, or a package that is not installed.
    """
    if path is None:
        return Nothing()
    require_folder(path)
    if path.suffix.lower() in _STILLS:
        return Still(path)
    if path.suffix.lower() == ".gif":
        return Gif(path, fps)
    if path.suffix.lower() != ".mp4":
        raise UserError(f"{path} is neither .png, .jpg, .webp, .gif nor .mp4; choose one of these endings.")
    return Video(path, fps)


class Nothing:
    """Discards all frames."""

    def write(self, frame: np.ndarray) -> None:
        """Takes uint8 [H, W, 3]."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        pass


class Still(Nothing):
    """Keeps the last frame."""

    def __init__(self, path: Path):
        self._path, self._frame = path, None

    def write(self, frame: np.ndarray) -> None:
        self._frame = frame

    def __exit__(self, kind: type | None, *_: object) -> None:
        if kind is None and self._frame is not None:
            save_image(self._path, self._frame, synthetic=True)


class Gif(Nothing):
    """Writes a looping GIF at the end."""

    def __init__(self, path: Path, fps: float):
        self._path, self._step = path, round(1000 / fps)
        self._frames: list[Image.Image] = []

    def write(self, frame: np.ndarray) -> None:
        self._frames.append(Image.fromarray(frame).quantize(256, Image.Quantize.FASTOCTREE))

    def __exit__(self, kind: type | None, *_: object) -> None:
        if kind is None and self._frames:
            first, *rest = self._frames
            with replacing(self._path) as temporary:
                first.save(temporary, "GIF", save_all=True, append_images=rest, duration=self._step, loop=0)
                mark_video(temporary)


class Video(Nothing):
    """Writes an MP4, frame by frame.

    Raises:
        UserError: PyAV is not installed.
    """

    def __init__(self, path: Path, fps: float):
        try:
            from tf_unseen_pose.imaging.video_writer import VideoWriter
        except ImportError as error:
            raise UserError(
                f"Writing {path} needs the package '{error.name}', which is not installed; install it, or write a .gif."
            ) from error
        self._replacing = replacing(path)
        self._writer = VideoWriter(self._replacing.__enter__(), Fraction(fps).limit_denominator(1001), True, path)

    def write(self, frame: np.ndarray) -> None:
        self._writer.write(frame)

    def __exit__(self, *error: Any) -> None:
        try:
            self._writer.__exit__(*error)
        except BaseException as failed:
            self._replacing.__exit__(type(failed), failed, failed.__traceback__)
            raise
        self._replacing.__exit__(*error)


class Window:
    """Shows frames on the screen with OpenCV.

    Raises:
        UserError: OpenCV is not installed.
    """

    _NAME = "unseen pose (q ends)"

    def __init__(self) -> None:
        try:
            import cv2
        except ImportError as error:
            raise UserError("A window needs the package 'opencv-python'; install it, or leave --window out.") from error
        self._cv2 = cv2

    def show(self, frame: np.ndarray) -> bool:
        """Shows uint8 [H, W, 3] RGB; returns false once the user presses q or Escape.

        Raises:
            UserError: there is no screen.
        """
        try:
            self._cv2.imshow(self._NAME, frame[..., ::-1])
            return self._cv2.waitKey(1) & 0xFF not in (ord("q"), 27)
        except self._cv2.error as error:
            raise UserError("OpenCV cannot show a window here; leave out --window.") from error


class Pace:
    """Frames per second, recently and overall."""

    _LAST = 30

    def __init__(self) -> None:
        self._times = [time.perf_counter()]

    def tick(self) -> float:
        """Counts a frame; returns the recent frames per second."""
        self._times.append(time.perf_counter())
        recent = self._times[-1 - self._LAST :]
        return (len(recent) - 1) / (recent[-1] - recent[0])

    @property
    def overall(self) -> float:
        """Overall frames per second."""
        return self.count / (self._times[-1] - self._times[0])

    @property
    def count(self) -> int:
        """How many frames were counted."""
        return len(self._times) - 1
