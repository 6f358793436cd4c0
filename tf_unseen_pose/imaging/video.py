"""Reads videos as streams of frames with PyAV, in constant memory.

Convention: frames are uint8 [H, W, 3] in sRGB, upright (a phone's rotation mark is applied), of square pixels; rates
are frames per second, kept as fractions, since 30000/1001 is common; times are seconds from the first picture on.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.time_span import WHOLE, TimeSpan
from tf_unseen_pose.imaging.video_color import ToSrgb
from tf_unseen_pose.words import counted

_log = logging.getLogger(__name__)
# FFmpeg opens pictures and text as videos of one frame.
_NO_VIDEO = ("image2", "_pipe", "tty")
# Below this fraction of the header's duration a file counts as cut off, since headers are slightly inexact.
_LEAST_SHOWN = 0.95
# Rate if the header has none.
_DEFAULT_RATE = Fraction(25)
# Of a constant rate no gap between frames is so many times as long as another.
_UNEVEN = 1.5
# Times that people write are as fine as this, time stamps as coarse.
_TIME_TOLERANCE = 1e-3


@dataclass(frozen=True)
class VideoInfo:
    """Facts from a video's header and its frames' times.

    Attributes:
        width, height: of the upright frames, in pixels.
        fps: the frame rate, the typical one if it varies.
        frame_count: frames of the span; edit lists hide some of the stored ones.
    """

    width: int
    height: int
    fps: Fraction
    frame_count: int


def probe(path: Path, span: TimeSpan = WHOLE) -> VideoInfo:
    """Reads a video's header, the times of its frames, and the first of them.

    Raises:
        UserError: the file is missing, not a video, has no decodable frame, or ends before the span begins.
    """
    with _opened(path) as (container, stream):
        first = next(iter(_decoded(container, stream, Counter())), None)
        if first is None:
            raise UserError(f"The video {path} has no readable frame; record it again.")
        width, height = _square_width(first, stream), first.height
        if _quarters(first) % 2:
            width, height = height, width
    with _opened(path) as (container, stream):
        # Without times, stored frames are counted.
        packets = [packet for packet in container.demux(stream) if packet.size and not packet.is_discard]
        times = np.sort([float(packet.pts * (stream.time_base or 0)) for packet in packets if packet.pts is not None])
        fps = _rate(times, stream)
        # A picture is shown until the next one.
        ends = np.append(times[1:], times[-1:] + float(1 / fps)) - _start(stream)
        count = int(((ends > span.start) & (times - _start(stream) < span.end)).sum())
        if len(times) and not count:
            raise _too_short(path, ends[-1], span)
        return VideoInfo(width, height, fps, count or len(packets))


def read_video(path: Path, span: TimeSpan = WHOLE) -> Iterator[tuple[float, np.ndarray]]:
    """Yields the time of every frame in seconds, and the frame, uint8 [H, W, 3].

    A damaged file yields all decodable frames, with a warning in the log. A span starts with the frame shown at its
    start, at that time.

    Raises:
        UserError: as `probe`.
    """
    count, shown, damage, to_srgb = 0, 0.0, Counter[str](), ToSrgb()
    with _opened(path) as (container, stream):
        length = float(1 / (stream.average_rate or _DEFAULT_RATE))
        if span.start and _leads_to(path, span.start):
            _seek(container, stream, span.start)
        for time, frame in _within(span, _timed(container, stream, damage), path, length):
            shown, count = time + length, count + 1
            yield time, _upright(frame, stream, to_srgb)
        if not count:
            raise UserError(f"The video {path} has no readable frame; record it again.")
        promised = _promised(container, stream, length) if span.end == WHOLE.end else 0.0
    if damage or shown < _LEAST_SHOWN * promised:
        _log.warning(
            "%s is damaged or cut off (%s, %.1f of %.1f s): %s can be read and used.",
            path, counted(damage["packets"], "bad packet"), shown, max(promised, shown), counted(count, "frame"),
        )  # fmt: skip


def steady_frames(path: Path, span: TimeSpan = WHOLE) -> Iterator[np.ndarray]:
    """The frames uint8 [H, W, 3] at the constant rate of `probe`.

    For videos of variable rate, as from phones and screen recorders, frames are repeated or left out.

    Raises:
        UserError: as `read_video`.
    """
    fps, made, held = probe(path).fps, 0, None
    begin = end = last = 0.0
    for time, image in read_video(path, TimeSpan(span.start)):
        if held is None:
            begin = end = time
        last, end = time - end, min(time, span.end)
        while held is not None and made < (end - begin) * fps - 0.5:
            yield held
            made += 1
        if time >= span.end - _TIME_TOLERANCE:
            last = 0.0
            break
        held = image
    while held is not None and (not made or made < (min(end + last, span.end) - begin) * fps - 0.5):
        yield held
        made += 1


def _rate(times: np.ndarray, stream: VideoStream) -> Fraction:
    """The frame rate by times in seconds, the typical one if it varies."""
    # PyAV 19 has a type of its own for fractions.
    average = Fraction(str(stream.average_rate)) if stream.average_rate else _DEFAULT_RATE
    gaps = np.diff(times)
    gaps = gaps[gaps > 0]
    if not len(gaps) or np.percentile(gaps, 95) <= _UNEVEN * np.percentile(gaps, 5):
        return average
    return Fraction(1 / float(np.median(gaps))).limit_denominator(1001)


def _promised(container: InputContainer, stream: VideoStream, length: float) -> float:
    """The header's duration in seconds, 0 without one; `length` is that of a frame."""
    seconds = float(stream.duration * stream.time_base) if stream.duration and stream.time_base else 0.0
    # Matroska has a clock's time in a tag of its own.
    with suppress(ValueError):
        clock = stream.metadata.get("DURATION", "0").split(":")
        seconds = max(seconds, sum(float(part) * 60**place for place, part in enumerate(reversed(clock))))
    # An MP4 may count frames that its edit list hides.
    return seconds if "mp4" in container.format.name else max(seconds, stream.frames * length)


def _start(stream: VideoStream) -> float:
    """The time stamp of the first picture, in seconds."""
    return float((stream.start_time or 0) * (stream.time_base or 0))


def _timed(
    container: InputContainer, stream: VideoStream, damage: Counter[str]
) -> Iterator[tuple[float, av.VideoFrame]]:
    fps = stream.average_rate or _DEFAULT_RATE
    for number, frame in enumerate(_decoded(container, stream, damage)):
        yield float(number / fps) if frame.time is None else frame.time - _start(stream), frame


def _leads_to(path: Path, time: float) -> bool:
    """Whether decoding can begin near a time instead of at the beginning."""
    with _opened(path) as (container, stream), suppress(av.FFmpegError):
        _seek(container, stream, time)
        first = next(_timed(container, stream, Counter()), None)
        return first is not None and first[0] <= time + _TIME_TOLERANCE and first[1].pts is not None
    return False


def _seek(container: InputContainer, stream: VideoStream, time: float) -> None:
    """Seeks to the last keyframe before a time."""
    container.seek(round((time + _start(stream)) / (stream.time_base or 1)), stream=stream)


def _within(
    span: TimeSpan, frames: Iterator[tuple[float, av.VideoFrame]], path: Path, length: float
) -> Iterator[tuple[float, av.VideoFrame]]:
    """The frames within a span, the first at its start; `length` is the duration of the last one."""
    time, before = 0.0, None
    for time, frame in frames:
        if before is not None and time > span.start + _TIME_TOLERANCE:
            yield span.start, before
        if time > span.end - _TIME_TOLERANCE:
            return
        before = frame if time < span.start - _TIME_TOLERANCE else None
        if before is None:
            yield time, frame
    if before is not None:
        if time + length <= span.start:
            raise _too_short(path, time + length, span)
        yield span.start, before


def _too_short(path: Path, length: float, span: TimeSpan) -> UserError:
    return UserError(f"The video {path} ends after {length:.4g} s; begin before that, not at {span.start:g} s.")


def _decoded(container: InputContainer, stream: VideoStream, damage: Counter[str]) -> Iterator[av.VideoFrame]:
    """All decodable frames; bad packets are counted in `damage["packets"]`."""
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
    """The container and its video stream; FFmpeg's errors become a `UserError`."""
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
        raise UserError(f"{path} is not a readable video, or is damaged; copy or record it again.") from error


def _upright(frame: av.VideoFrame, stream: VideoStream, to_srgb: ToSrgb) -> np.ndarray:
    image = to_srgb.pixels(frame, stream.codec_context, _square_width(frame, stream))
    return np.rot90(image, _quarters(frame))


def _square_width(frame: av.VideoFrame, stream: VideoStream) -> int:
    """The width with square pixels, which those of old cameras and television are not."""
    return round(frame.width * float(stream.sample_aspect_ratio or 1))


def _quarters(frame: av.VideoFrame) -> int:
    """Quarter turns counterclockwise for a frame, by its rotation mark in degrees."""
    return round(frame.rotation / 90) % 4
