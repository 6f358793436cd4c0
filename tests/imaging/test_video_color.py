from fractions import Fraction

import av
import numpy as np
import pytest
from coded_colours import HLG, PATCHES, PQ, SRGB, coded, in_planes

from tf_unseen_pose.imaging.video import read_video

# Numbers that say that nothing is said.
UNKNOWN, LIMITED, FULL = 2, 1, 2


def stored(path, planes, primaries, transfer, matrix, is_full, width):
    """A lossless video of a row of patches, each so many pixels wide."""
    deep = planes.max() > 255
    frame = av.VideoFrame(width * len(planes), 16, "yuv444p10le" if deep else "yuv444p")
    for plane, values in zip(frame.planes, planes.T, strict=True):
        rows = np.zeros((16, plane.line_size // (1 + deep)), np.uint16 if deep else np.uint8)
        rows[:, : frame.width] = values.repeat(width)
        plane.update(rows.tobytes())
    frame.colorspace, frame.color_range = matrix, FULL if is_full else LIMITED
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=Fraction(25))
        stream.width, stream.height, stream.pix_fmt = frame.width, 16, frame.format.name
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace = primaries, transfer, matrix
        context.color_range = frame.color_range
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@pytest.mark.parametrize(
    "primaries, transfer, matrix, is_full, bits, width",
    [
        (9, HLG, 9, False, 10, 16),
        (9, PQ, 9, False, 10, 16),
        (9, PQ, 9, True, 10, 16),
        (9, 14, 9, False, 10, 16),  # BT.2020 without HDR
        (12, 1, 1, False, 10, 16),  # Display P3
        (1, 1, 1, False, 8, 16),
        (6, 6, 6, True, 8, 16),
        # Without a tag, small pictures are of old television's colours, large ones of new.
        (UNKNOWN, UNKNOWN, UNKNOWN, False, 8, 16),
        (UNKNOWN, UNKNOWN, UNKNOWN, False, 8, 192),
    ],
)
def test_colours_are_srgb_whatever_is_stored(tmp_path, primaries, transfer, matrix, is_full, bits, width):
    wide = primaries if primaries in (9, 12) else 1
    signal = coded(PATCHES, wide, transfer if transfer in (PQ, HLG) else SRGB)
    meant = matrix if matrix != UNKNOWN else 1 if width > 100 else 6
    planes = in_planes(signal, meant, is_full, bits)
    stored(tmp_path / "a.mkv", planes, primaries, transfer, matrix, is_full, width)
    _, image = next(read_video(tmp_path / "a.mkv"))
    found = image[8, width // 2 :: width]
    np.testing.assert_allclose(found, PATCHES, atol=3)
    # Nothing of a patch is another's.
    assert np.abs(image[4:12, width // 4 : width // 2].astype(int) - PATCHES[0]).max() < 4
