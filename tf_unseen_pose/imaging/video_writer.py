"""Writes frames, and the sound of another video, to an MP4 that browsers play or to a GIF, with PyAV.

Convention: frames are uint8 [H, W, 3] RGB; rates are frames per second, kept as fractions, since 30000/1001 is common.
"""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import OutputContainer
from av.video.reformatter import ColorRange, Colorspace

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import require_folder
from tf_unseen_pose.imaging.provenance import COMMENT, mark_video
from tf_unseen_pose.imaging.sound import Sound

_SUFFIXES = (".mp4", ".gif")
# High quality: libx264's default is 23, lower is better. More effort would take longer than preset `lite` takes to make
# the frame; this one costs a quarter more bytes than `superfast`.
_X264 = {"crf": "17", "preset": "ultrafast", "x264-params": "cabac=1"}


def require_video_name(path: Path) -> None:
    """Checks, before minutes of work, that a video can be written.

    Raises:
        UserError: the name does not end in .mp4 or .gif, or its folder does not exist.
    """
    require_folder(path)
    if path.suffix.lower() not in _SUFFIXES:
        raise UserError(f"{path} has no known video format; end it in .mp4 or .gif.")


class VideoWriter:
    """Writes frames to an H.264 MP4 that browsers play, or to a GIF, by the path's suffix. A context manager.

    The file is playable once the context is left, also by an exception.

    Args:
        path: file to write; for a name that appears only when whole, give a temporary one (`files.replacing`).
        fps: frames per second.
        synthetic: mark the file as synthetic (see `provenance`).
        name: the file's name in messages, if `path` is temporary.
        sound: sound of an MP4, from the first frame to the last.
    """

    def __init__(
        self,
        path: Path,
        fps: Fraction,
        synthetic: bool = False,
        name: Path | None = None,
        sound: Sound | None = None,
    ):
        self._path, self._fps, self._synthetic, self._name = path, fps, synthetic, name or path
        self._sound, self._written = sound, 0
        self._container: OutputContainer | None = None
        self._stream: Any = None
        self._palette: av.filter.Graph | None = None

    def write(self, frame: np.ndarray) -> None:
        """Appends uint8 [H, W, 3]; all frames have the first one's size.

        An odd height or width loses its last row or column in an MP4, as H.264 requires.

        Raises:
            UserError: the disk is full or not writable.
        """
        try:
            container = self._container or self._open(*frame.shape[:2])
            whole = np.ascontiguousarray(frame[: self._stream.height, : self._stream.width])
            for ready in self._converted(av.VideoFrame.from_numpy_buffer(whole, format="rgb24")):
                container.mux(self._stream.encode(ready))
            self._written += 1
            if self._sound:
                for packet in self._sound.packets_until(float(self._written / self._fps)):
                    container.mux(packet)
        except OSError as error:
            raise self._refused(error) from error

    def _open(self, height: int, width: int) -> OutputContainer:
        if self._path.suffix.lower() == ".gif":
            self._container = container = av.open(self._path, "w", format="gif")
            self._stream = container.add_stream("gif", rate=self._fps)
            self._stream.pix_fmt = "pal8"
            self._palette, self._sound = _palette_graph(height, width, self._fps), None
        else:
            height, width = height - height % 2, width - width % 2
            self._container = container = av.open(self._path, "w", format="mp4", options={"movflags": "+faststart"})
            if self._synthetic:
                container.metadata["comment"] = COMMENT
            self._stream = container.add_stream("libx264", rate=self._fps, options=_X264)
            self._stream.pix_fmt = "yuv420p"
            context = self._stream.codec_context
            context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
            context.color_primaries = context.color_trc = 1  # BT.709
            if self._sound:
                self._sound.add_to(container)
        self._stream.width, self._stream.height = width, height
        return container

    def _converted(self, picture: av.VideoFrame) -> Iterator[av.VideoFrame]:
        if self._palette is None:
            yield picture.reformat(
                self._stream.width, self._stream.height, "yuv420p",
                dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG,
            )  # fmt: skip
            return
        self._palette.push(picture)
        with suppress(av.BlockingIOError, av.EOFError):
            while True:
                ready = self._palette.pull()
                assert isinstance(ready, av.VideoFrame)
                ready.pts = None
                yield ready

    def close(self) -> None:
        """Writes what the encoder still holds, and the file's end.

        Raises:
            UserError: as `write`.
        """
        if self._container is None:
            return
        try:
            self._container.mux(self._stream.encode(None))
            self._container.close()
            if self._synthetic:
                mark_video(self._path)
        except OSError as error:
            raise self._refused(error) from error
        finally:
            self._container = None

    def _refused(self, error: OSError) -> UserError:
        return UserError(f"Cannot write {self._name}: {error.strerror}; free space or choose another place.")

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _palette_graph(height: int, width: int, fps: Fraction) -> av.filter.Graph:
    """A filter that gives every frame its own palette of 256 colours."""
    graph = av.filter.Graph()
    rgb = av.VideoFormat("rgb24", width, height)
    source = graph.add_buffer(width=width, height=height, format=rgb, time_base=1 / fps)
    split, palette = graph.add("split"), graph.add("palettegen", "stats_mode=single")
    use, sink = graph.add("paletteuse", "new=1"), graph.add("buffersink")
    source.link_to(split)
    split.link_to(use, 0, 0)
    split.link_to(palette, 1, 0)
    palette.link_to(use, 0, 1)
    use.link_to(sink)
    graph.configure()
    return graph
