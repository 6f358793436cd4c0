"""Converts a video's frames to sRGB from BT.601 or 709, wide gamuts, HLG or PQ.

FFmpeg handles matrices and ranges; the rest is a table from `srgb`, in which FFmpeg interpolates.
"""

import tempfile
from fractions import Fraction
from functools import lru_cache

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import Colorspace

from tf_unseen_pose.imaging.srgb import is_other_than_srgb, table_to_srgb

# FFmpeg is fastest here with planes of 16 bits.
_DEEP = "gbrp16le"
_UNKNOWN = 2
# Untagged pictures above standard definition have the colours of high definition.
_OLD_WIDTH, _OLD_HEIGHT = 1024, 576


class ToSrgb:
    """Converts the frames of one video."""

    def __init__(self) -> None:
        self._graph: av.filter.Graph | None = None
        self._kind: tuple | None = None

    def pixels(self, frame: av.VideoFrame, context: VideoCodecContext, width: int) -> np.ndarray:
        """uint8 [H, W, 3] of a decoded frame.

        Args:
            frame: of any format.
            context: of its decoder, which knows the stored colours.
            width: of the result in pixels.
        """
        primaries, transfer = context.color_primaries, context.color_trc
        matrix = Colorspace.ITU709 if _is_untagged_and_large(frame) else None
        if not is_other_than_srgb(primaries, transfer):
            return frame.reformat(width, frame.height, "rgb24", src_colorspace=matrix).to_ndarray()
        deep = frame.reformat(width, frame.height, _DEEP, src_colorspace=matrix)
        kind = width, frame.height, primaries, transfer
        if self._graph is None or kind != self._kind:
            self._graph, self._kind = _table_graph(*kind), kind
        self._graph.push(deep)
        found = self._graph.pull()
        assert isinstance(found, av.VideoFrame)
        return found.to_ndarray()


def _is_untagged_and_large(frame: av.VideoFrame) -> bool:
    return frame.colorspace == _UNKNOWN and (frame.width > _OLD_WIDTH or frame.height > _OLD_HEIGHT)


def _table_graph(width: int, height: int, primaries: int, transfer: int) -> av.filter.Graph:
    """A filter from stored 16-bit RGB to 8-bit sRGB."""
    graph = av.filter.Graph()
    with tempfile.NamedTemporaryFile("w", suffix=".cube") as file:
        file.write(_cube(primaries, transfer))
        file.flush()
        pixels = av.VideoFormat(_DEEP, width, height)
        source = graph.add_buffer(width=width, height=height, format=pixels, time_base=Fraction(1, 1000))
        table, kind, sink = graph.add("lut3d", file=file.name), graph.add("format", "rgb24"), graph.add("buffersink")
        source.link_to(table)
        table.link_to(kind)
        kind.link_to(sink)
        graph.configure()
    return graph


@lru_cache(maxsize=2)
def _cube(primaries: int, transfer: int) -> str:
    """The table in FFmpeg's format."""
    table = table_to_srgb(primaries, transfer)
    rows = table.reshape(-1, 3)
    return f"LUT_3D_SIZE {len(table)}\n" + "%.5f %.5f %.5f\n" * len(rows) % tuple(rows.flat)
