from fractions import Fraction

import av
import numpy as np
import pytest

from tf_unseen_pose.imaging.video import read_video
from tf_unseen_pose.imaging.video_writer import VideoWriter, require_video_name

RATE = Fraction(30000, 1001)


def gradients(count=4, height=48, width=80):
    """Pictures that get darker to the right, and more so from one to the next."""
    steps = np.arange(width)[None, :, None].repeat(height, 0).repeat(3, 2)
    return [(240 - (1 + number % 3) * steps).clip(0, 255).astype(np.uint8) for number in range(count)]


def write(path, frames):
    with VideoWriter(path, RATE) as writer:
        for frame in frames:
            writer.write(frame)
    return path


def test_an_mp4_is_what_browsers_play(tmp_path):
    path = write(tmp_path / "video.mp4", gradients(5, 49, 81))
    with av.open(path) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert (stream.average_rate, stream.frames) == (RATE, 5)
        # H.264 stores colours for blocks of 2 x 2.
        assert (stream.width, stream.height) == (80, 48)
    # The index comes before the pictures, so that playing begins before all is loaded.
    data = path.read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_what_was_written_before_an_interruption_plays(tmp_path):
    path = tmp_path / "video.mp4"
    with pytest.raises(KeyboardInterrupt), VideoWriter(path, RATE) as writer:
        for frame in gradients(4):
            writer.write(frame)
        raise KeyboardInterrupt
    assert len(list(read_video(path))) == 4


def test_names_are_checked_before_the_work(tmp_path, refuses):
    require_video_name(tmp_path / "out.MP4")
    refuses(lambda: require_video_name(tmp_path / "out.avi"), ".mp4")
    refuses(lambda: require_video_name(tmp_path / "none" / "out.gif"), "none")


def test_odd_sizes_lose_their_last_row_and_column(tmp_path):
    """Nothing is squeezed: stripes of one pixel would become grey."""
    stripes = (np.arange(81) % 2 * 200 + 20).astype(np.uint8)[None, :, None].repeat(49, 0).repeat(3, 2)
    ((_, image),) = read_video(write(tmp_path / "a.mp4", [stripes]))
    assert image.shape == (48, 80, 3)
    assert np.abs(image.astype(int) - stripes[:48, :80]).mean() < 8
