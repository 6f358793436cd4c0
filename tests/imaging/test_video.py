from fractions import Fraction

import av
import numpy as np
import pytest

from tf_unseen_pose.imaging import video
from tf_unseen_pose.imaging.image_files import save_image
from tf_unseen_pose.imaging.time_span import TimeSpan
from tf_unseen_pose.imaging.video import VideoInfo, probe, read_video, steady_frames
from tf_unseen_pose.imaging.video_writer import VideoWriter

RATE = Fraction(30000, 1001)


def moving_square(count=7, height=48, width=80):
    """A saturated square that moves right and down over a dull gradient."""
    background = np.linspace(60, 180, width).astype(np.uint8)[None, :, None].repeat(height, 0).repeat(3, 2)
    frames = []
    for number in range(count):
        frame = background.copy()
        frame[4 + number : 20 + number, 8 + 4 * number : 24 + 4 * number] = (220, 40, 30)
        frames.append(frame)
    return frames


def write(path, frames, fps=RATE):
    with VideoWriter(path, fps) as writer:
        for frame in frames:
            writer.write(frame)
    return path


@pytest.mark.parametrize("suffix, error", [("mp4", 6), ("gif", 4)])
def test_round_trip(tmp_path, suffix, error):
    frames = moving_square()
    path = write(tmp_path / f"video.{suffix}", frames, Fraction(25))
    info = probe(path)
    assert (info.width, info.height, info.fps) == (80, 48, 25)
    times, read = zip(*read_video(path), strict=True)
    np.testing.assert_allclose(np.diff(times), 1 / 25, atol=1e-6)
    assert len(read) == len(frames)
    for written, seen in zip(frames, read, strict=True):
        assert seen.dtype == np.uint8 and seen.shape == written.shape
        assert np.abs(seen.astype(int) - written).mean() < error
        # Colours, not only brightness: the square's middle.
        row, column = (np.argwhere(written[..., 0] == 220).mean(axis=0)).astype(int)
        assert np.abs(seen[row, column].astype(int) - written[row, column]).max() < 12


def test_a_rotated_recording_is_turned_upright(tmp_path):
    frames = moving_square()
    plain = write(tmp_path / "plain.mp4", frames)
    turned = tmp_path / "turned.mov"
    # The display matrix that phones write for a quarter turn, in the file's 16.16 fixed point.
    with av.open(plain) as source, av.open(turned, "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    data = bytearray(turned.read_bytes())
    matrix = b"".join(v.to_bytes(4, "big", signed=True) for v in (65536, 0, 0, 0, 65536, 0, 0, 0, 1 << 30))
    quarter = b"".join(v.to_bytes(4, "big", signed=True) for v in (0, 65536, 0, -65536, 0, 0, 48 << 16, 0, 1 << 30))
    at = data.index(matrix, data.index(b"tkhd"))
    data[at : at + len(matrix)] = quarter
    turned.write_bytes(data)
    info = probe(turned)
    assert (info.width, info.height) == (48, 80)
    _, first = next(read_video(turned))
    # A quarter turn clockwise brings the first row to the last column.
    assert np.abs(first.astype(int) - np.rot90(frames[0], -1)).mean() < 8


def test_files_that_are_no_videos_are_refused(tmp_path, refuses):
    path = write(tmp_path / "good.mp4", moving_square(60))
    data = path.read_bytes()
    for name, content in (
        ("empty.mp4", b""),
        ("text.mp4", b"hello " * 99),
        ("cut.mp4", data[: data.index(b"mdat") + 9]),
    ):
        (tmp_path / name).write_bytes(content)
        refuses(lambda name=name: list(read_video(tmp_path / name)), name)
    save_image(tmp_path / "picture.png", moving_square()[0])
    (tmp_path / "poses.json").write_text("[]")
    for name in ("picture.png", "poses.json"):
        refuses(lambda name=name: probe(tmp_path / name), name, "video")
    refuses(lambda: probe(tmp_path / "none.mp4"), "none.mp4", "no file")
    refuses(lambda: probe(tmp_path), tmp_path)


def noise(count, height=48, width=80):
    return list(np.random.default_rng(0).integers(0, 256, (count, height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("suffix", ["avi", "mkv"])
def test_of_a_file_that_ends_early_all_that_is_there_is_used(tmp_path, caplog, suffix):
    path = tmp_path / f"long.{suffix}"
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 80, 48, "yuv420p"
        for frame in noise(50):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame)))
        container.mux(stream.encode(None))
    assert probe(path) == VideoInfo(80, 48, Fraction(25), 50)
    assert len(list(read_video(path))) == 50 and not caplog.records
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    assert 25 <= len(list(read_video(path))) <= 36
    assert f"long.{suffix} is damaged or cut off" in caplog.text and "of 2.0 s" in caplog.text


def test_damaged_packets_are_left_out_and_counted(tmp_path, caplog):
    path = tmp_path / "a.mp4"
    # Each frame for itself, so that one does not spoil the next.
    with av.open(path, "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = 80, 48, "yuvj420p"
        for frame in moving_square(9):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame)))
        container.mux(stream.encode(None))
    data = bytearray(path.read_bytes())
    starts = [at for at in range(len(data)) if data[at : at + 3] == b"\xff\xd8\xff"]
    data[starts[4] : starts[5]] = bytes(starts[5] - starts[4])
    path.write_bytes(data)
    assert len(list(read_video(path))) == 8
    assert "1 bad packet," in caplog.text and "8 frames" in caplog.text


def frames_shown_at(path, times, duration, shape=(48, 80)):
    """A video whose frames are shown from given times on, in 1/100 s."""
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=100)
        stream.width, stream.height, stream.pix_fmt, stream.time_base = *shape[::-1], "yuv420p", Fraction(1, 100)
        for number, time in enumerate(times):
            frame = av.VideoFrame.from_ndarray(np.full((*shape, 3), 20 * number % 256, np.uint8))
            frame.pts, frame.time_base = time, Fraction(1, 100)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_a_variable_rate_becomes_steady(tmp_path):
    path = tmp_path / "phone.mp4"
    # Ten frames a second, then a pause of half a second, then one frame too many.
    frames_shown_at(path, [0, 10, 20, 30, 80, 85, 90, 100], 110)
    assert probe(path).fps == 10
    shown = [round(image.mean() / 20) for image in steady_frames(path)]
    assert shown[:4] == [0, 1, 2, 3] and shown[4:8] == [3, 3, 3, 3] and shown[-1] == 7
    assert len(shown) == pytest.approx(11, abs=1) and shown == sorted(shown)


def test_a_steady_rate_is_left_alone(tmp_path):
    path = write(tmp_path / "a.mp4", moving_square(9))
    both = zip(steady_frames(path), read_video(path), strict=True)
    assert probe(path).fps == RATE and all(np.array_equal(image, frame) for image, (_, frame) in both)


def shown(path, span):
    """When the frames of `moving_square` are shown, and which ones they are, by the square's place."""
    for time, image in read_video(path, span):
        yield round(float(time), 3), round((np.argwhere(image[..., 0] > 1.5 * image[..., 1]).min(axis=0)[1] - 8) / 4)


@pytest.mark.parametrize("suffix", ["mp4", "gif", "mkv"])
def test_of_a_span_the_first_frame_is_the_one_shown_at_its_start(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    if suffix == "mkv":
        with av.open(path, "w") as container:
            stream = container.add_stream("libx264", rate=10, options={"g": "4", "bf": "2", "crf": "10"})
            stream.width, stream.height, stream.pix_fmt = 80, 48, "yuv420p"
            for frame in moving_square(9):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame)))
            container.mux(stream.encode(None))
    else:
        write(path, moving_square(9), Fraction(10))
    assert list(shown(path, TimeSpan(0.5, 0.8))) == [(0.5, 5), (0.6, 6), (0.7, 7)]
    assert list(shown(path, TimeSpan(0.57, 0.7))) == [(0.57, 5), (0.6, 6)]
    assert list(shown(path, TimeSpan(0.85))) == [(0.85, 8)]
    assert probe(path, TimeSpan(0.5, 0.8)).frame_count == 3 == len(list(steady_frames(path, TimeSpan(0.5, 0.8))))


def test_what_begins_after_the_end_is_refused(tmp_path, refuses):
    path = write(tmp_path / "a.mp4", moving_square(9), Fraction(10))
    refuses(lambda: list(read_video(path, TimeSpan(0.9))), "a.mp4 ends after 0.9 s")
    refuses(lambda: probe(path, TimeSpan(7)), "a.mp4 ends after 0.9 s", "7 s")


def test_decoding_begins_near_the_start(tmp_path, monkeypatch):
    path = tmp_path / "long.mp4"
    frames_shown_at(path, range(0, 1000), 1000, (16, 16))
    decoded = []
    monkeypatch.setattr(
        video, "_timed", lambda *given, whole=video._timed: (decoded.append(1) or one for one in whole(*given))
    )
    assert len(list(read_video(path, TimeSpan(9.9)))) == 10 and len(decoded) < 400


def test_a_long_frame_is_shown_in_all_spans_that_it_covers(tmp_path):
    path = tmp_path / "phone.mp4"
    frames_shown_at(path, [0, 10, 20, 30, 80, 90, 100], 110)
    (one,) = read_video(path, TimeSpan(0.4, 0.6))
    assert one[0] == 0.4 and round(one[1].mean() / 20) == 3
    assert [round(image.mean() / 20) for image in steady_frames(path, TimeSpan(0.4, 0.9))] == [3, 3, 3, 3, 4]


def test_pixels_become_square(tmp_path):
    path = tmp_path / "television.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 80, 48, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(3, 2)
        for frame in moving_square(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame)))
        container.mux(stream.encode(None))
    info = probe(path)
    assert (info.width, info.height) == (120, 48)
    _, image = next(read_video(path))
    reddest = np.argwhere(image[..., 0].astype(int) - image[..., 1] > 90)
    # The square is as high as before, and half as wide again.
    np.testing.assert_allclose(np.ptp(reddest, axis=0) + 1, [16, 24], atol=3)
