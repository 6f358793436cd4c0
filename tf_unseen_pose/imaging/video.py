"""Videos in and out, as streams of pictures: a frame at a time, whatever the video's length. PyAV does the work.

Convention: frames are uint8 [H, W, 3] RGB, upright (a phone's rotation mark is applied); rates are frames a second,
kept as fractions, since 30000/1001 is a common one.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.files import require_folder
from tf_unseen_pose.imaging.provenance import COMMENT, mark_video

_log = logging.getLogger(__name__)
# FFmpeg opens pictures and text as videos of one frame.
_NO_VIDEO = ("image2", "_pipe", "tty")
# Less than this part of the time that the header promises means that the file was cut off. Headers are off by a little.
_LEAST_SHOWN = 0.95
# Where the header tells no rate.
_DEFAULT_RATE = Fraction(25)
# Of a constant rate no gap between frames is so many times as long as another.
_UNEVEN = 1.5
_SUFFIXES = (".mp4", ".gif")
# For material that is looked at closely: 23 is libx264's default quality, lower is better. At a higher effort it takes
# longer than preset `lite` takes to make the frame; this one costs a quarter more bytes than `superfast`.
_X264 = {"crf": "17", "preset": "ultrafast", "x264-params": "cabac=1"}


@dataclass(frozen=True)
class VideoInfo:
    """What a video's header says.

    Attributes:
        width, height: of the upright frames, in pixels.
        fps: the frame rate, the usual one where it varies.
        frame_count: number of frames, 0 where the header does not know it.
    """

    width: int
    height: int
    fps: Fraction
    frame_count: int


def probe(path: Path) -> VideoInfo:
    """Reads a video's header, the times of its frames, and the first of them.

    Raises:
        UserError: no such file, not a video, or one of which not even the first frame can be decoded.
    """
    with _opened(path) as (container, stream):
        first = next(iter(_decoded(container, stream, Counter())), None)
        if first is None:
            raise UserError(f"The video {path} holds no frame that can be read; record it anew.")
        height, width = _upright(first, stream).shape[:2]
        count = stream.frames
    with _opened(path) as (container, stream):
        return VideoInfo(width, height, _rate(container, stream), count)


def read_video(path: Path) -> Iterator[tuple[float, np.ndarray]]:
    """The time of every frame in seconds, and the frame, uint8 [H, W, 3], of square pixels.

    Of a damaged file all frames that can be decoded are given; a warning in the log says what was missing.

    Raises:
        UserError: as `probe`.
    """
    count, first, damage = 0, 0.0, Counter[str]()
    with _opened(path) as (container, stream):
        fps = stream.average_rate or _DEFAULT_RATE
        for frame in _decoded(container, stream, damage):
            time = frame.time if frame.time is not None else float(count / fps)
            first = time if not count else first
            yield time, _upright(frame, stream)
            count += 1
        if not count:
            raise UserError(f"The video {path} holds no frame that can be read; record it anew.")
        promised = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
        if "mp4" not in container.format.name:
            # An MP4 may count frames that its edit list hides.
            promised = max(promised, float(stream.frames / fps))
    shown = time - first + float(1 / fps)
    if damage or shown < _LEAST_SHOWN * promised:
        _log.warning(
            "%s is damaged or cut off (%d bad packets, %.1f of %.1f s): %d frames can be read and are used.",
            path, damage["packets"], shown, max(promised, shown), count,
        )  # fmt: skip


def steady_frames(path: Path) -> Iterator[np.ndarray]:
    """The frames uint8 [H, W, 3] as they are shown at the constant rate that `probe` tells.

    Of a video of variable rate, as phones and screen recorders write them, some are repeated or left out.

    Raises:
        UserError: as `read_video`.
    """
    fps, made, held = probe(path).fps, 0, None
    begin = end = last = 0.0
    for time, image in read_video(path):
        if held is None:
            begin = time
        else:
            last = time - begin - end
            while made < (time - begin) * fps - 0.5:
                yield held
                made += 1
        held, end = image, time - begin
    while held is not None and made < (end + last) * fps - 0.5:
        yield held
        made += 1
    if held is not None and not made:
        yield held


def _rate(container: InputContainer, stream: VideoStream) -> Fraction:
    """The rate at which frames follow each other, the usual one where it varies."""
    times = sorted(packet.pts for packet in container.demux(stream) if packet.pts is not None)
    # PyAV 19 has a type of its own for fractions.
    average = Fraction(str(stream.average_rate)) if stream.average_rate else _DEFAULT_RATE
    gaps = np.diff(np.array(times, float)) * float(stream.time_base or 0)
    gaps = gaps[gaps > 0]
    if not len(gaps) or np.percentile(gaps, 95) <= _UNEVEN * np.percentile(gaps, 5):
        return average
    return Fraction(1 / float(np.median(gaps))).limit_denominator(1001)


def _decoded(container: InputContainer, stream: VideoStream, damage: Counter[str]) -> Iterator[av.VideoFrame]:
    """All frames that can be decoded; bad packets are counted as `damage["packets"]`."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets)
            frames = packet.decode()
        except StopIteration:
            return
        except av.InvalidDataError:
            damage["packets"] += 1
            continue
        yield from frames


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """The container and its video stream; FFmpeg's errors become sentences."""
    try:
        with av.open(path) as container:
            kind = container.format.name
            if not container.streams.video or any(mark in kind for mark in _NO_VIDEO):
                raise UserError(f"{path} is not a video; name an MP4, MOV, AVI, MKV, WebM or GIF file.")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            yield container, stream
    except FileNotFoundError as error:
        raise UserError(f"There is no file {path}; name an existing video.") from error
    except (av.FFmpegError, OSError, ValueError) as error:
        raise UserError(f"{path} is no video that can be read, or is damaged; copy or record it anew.") from error


def _upright(frame: av.VideoFrame, stream: VideoStream) -> np.ndarray:
    aspect = stream.sample_aspect_ratio
    if aspect and aspect != 1:
        # Pixels of old cameras and of television are not square.
        frame = frame.reformat(round(frame.width * float(aspect)), frame.height, "rgb24")
    image = frame.to_ndarray(format="rgb24")
    # The mark says how far to turn counterclockwise, in degrees.
    return np.rot90(image, round(frame.rotation / 90) % 4)


def require_video_name(path: Path) -> None:
    """Finds out before minutes of work whether a video can be written.

    Raises:
        UserError: the name does not end in .mp4 or .gif, or its folder does not exist.
    """
    require_folder(path)
    if path.suffix.lower() not in _SUFFIXES:
        raise UserError(f"{path} does not say in which format to write; end it in .mp4 or .gif.")


class VideoWriter:
    """Writes frames to an H.264 MP4 that browsers play, or to a GIF, by the name's ending. A context manager.

    What was written is playable once the context is left, also when an exception leaves it.

    Args:
        path: file to write; for a name that appears only when whole, give a temporary one (`files.replacing`).
        fps: frames a second.
        synthetic: the frames show a re-posed person, and the file says so (see `provenance`).
        name: what messages call the file, where `path` is temporary.
    """

    def __init__(self, path: Path, fps: Fraction, synthetic: bool = False, name: Path | None = None):
        self._path, self._fps, self._synthetic, self._name = path, fps, synthetic, name or path
        self._container: OutputContainer | None = None
        self._stream: Any = None
        self._palette: av.filter.Graph | None = None

    def write(self, frame: np.ndarray) -> None:
        """Appends uint8 [H, W, 3]; all frames have the first one's size.

        An odd height or width loses its last row or column in an MP4, which H.264's colours demand.

        Raises:
            UserError: the disk is full or may not be written.
        """
        try:
            container = self._container or self._open(*frame.shape[:2])
            picture = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(frame), format="rgb24")
            for ready in self._converted(picture):
                container.mux(self._stream.encode(ready))
        except OSError as error:
            raise self._refused(error) from error

    def _open(self, height: int, width: int) -> OutputContainer:
        if self._path.suffix.lower() == ".gif":
            self._container = container = av.open(self._path, "w", format="gif")
            self._stream = container.add_stream("gif", rate=self._fps)
            self._stream.pix_fmt = "pal8"
            self._palette = _palette_graph(height, width, self._fps)
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
    """A filter that gives every frame the 256 colours that suit it."""
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
