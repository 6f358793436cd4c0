"""Copies the sound of a video into another one of the same times.

Packets are copied unchanged, or converted to AAC if browsers do not play their format in an MP4.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.imaging.time_span import WHOLE, TimeSpan

_log = logging.getLogger(__name__)
# Formats that browsers play in an MP4.
_KEPT = ("aac", "mp3", "opus")
_RATE = 48000


@contextmanager
def opened_sound(path: Path, span: TimeSpan = WHOLE) -> "Iterator[Sound | None]":
    """The first sound track of a video from the start of a span on; None without one.

    A track that cannot be decoded counts as none, with a warning in the log.

    Raises:
        UserError: the file cannot be opened.
    """
    try:
        source = av.open(path)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise UserError(f"{path} is not a readable video, or is damaged; copy or record it again.") from error
    with source:
        track = next(iter(source.streams.audio), None)
        # PyAV's types do not know that FFmpeg may lack a decoder.
        if track is not None and track.codec_context is None:  # type: ignore[unreachable, unused-ignore]
            _log.warning("The sound of %s is of an unknown kind; the result has none.", path)
            track = None
        yield None if track is None else Sound(source, track, span.start)


class Sound:
    """A sound track on its way into another video.

    Args:
        source: a video,
        track: and the one of its tracks that is wanted.
        start: time of the first sound, in seconds from the video's first picture.
    """

    def __init__(self, source: InputContainer, track: AudioStream, start: float):
        self._source, self._track = source, track
        picture = source.streams.video[0]
        self._begin = start + float((picture.start_time or 0) * (picture.time_base or 0))
        self._packets: Iterator[Packet] = iter(())
        self._next: Packet | None = None

    def add_to(self, target: OutputContainer) -> None:
        """Adds a track to a video before its first packet."""
        if self._begin > 0:
            self._source.seek(round(self._begin * av.time_base))
        is_kept = self._track.codec_context.codec.canonical_name in _KEPT
        self._packets = self._copied(target) if is_kept else self._encoded(target)
        self._next = next(self._packets, None)

    def packets_until(self, time: float) -> Iterator[Packet]:
        """The remaining packets before a time, in seconds from the start."""
        while self._next is not None and (self._next.pts or 0) * self._next.time_base < time:
            yield self._next
            self._next = next(self._packets, None)

    def _read(self) -> Iterator[Packet]:
        """The track's packets, to the first damage of the file."""
        try:
            yield from self._source.demux(self._track)
        except av.FFmpegError:
            _log.warning("The sound is damaged; what comes later in the file is left out.")

    def _copied(self, target: OutputContainer) -> Iterator[Packet]:
        stream = target.add_stream_from_template(self._track)
        return self._shifted(stream)

    def _shifted(self, stream: AudioStream) -> Iterator[Packet]:
        for packet in self._read():
            if packet.pts is None or packet.dts is None:
                continue
            shift = round(self._begin / packet.time_base)
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            # Decoders need the packet before; players do not play it.
            if packet.pts + 2 * (packet.duration or 0) > 0:
                packet.stream = stream
                yield packet

    def _encoded(self, target: OutputContainer) -> Iterator[Packet]:
        layout = "mono" if self._track.codec_context.channels == 1 else "stereo"
        stream = target.add_stream("aac", rate=_RATE, layout=layout)
        return (packet for frame in self._resampled(layout) for packet in stream.encode(frame))

    def _resampled(self, layout: str) -> Iterator[av.AudioFrame | None]:
        """Decoded sound from the start on; None at the end."""
        graph = None
        for packet in self._read():
            # Undecodable packets leave a gap.
            with suppress(av.FFmpegError):
                for frame in packet.decode():
                    assert isinstance(frame, av.AudioFrame)
                    graph = graph or _resampling(frame, layout)
                    if frame.pts is not None and frame.time_base:
                        frame.pts -= round(self._begin / frame.time_base)
                    graph.push(frame)
            if graph:
                yield from _pulled(graph)
        if graph:
            graph.push(None)
            yield from _pulled(graph)
        yield None


def _resampling(frame: av.AudioFrame, layout: str) -> av.filter.Graph:
    """A filter that starts at time 0, cutting earlier sound, and fills gaps with silence."""
    graph = av.filter.Graph()
    source = graph.add_abuffer(
        sample_rate=frame.sample_rate, format=frame.format, layout=frame.layout, time_base=frame.time_base
    )
    steady = graph.add("aresample", f"{_RATE}:async=1:first_pts=0")
    kind = graph.add("aformat", f"sample_fmts=fltp:channel_layouts={layout}")
    graph.link_nodes(source, steady, kind, graph.add("abuffersink"))
    graph.configure()
    return graph


def _pulled(graph: av.filter.Graph) -> Iterator[av.AudioFrame]:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        assert isinstance(frame, av.AudioFrame)
        yield frame
