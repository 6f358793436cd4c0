from fractions import Fraction

import numpy as np
import pytest
from sounding_films import RATE, codec_of, film

from tf_unseen_pose.imaging.time_span import WHOLE
from tf_unseen_pose.imaging.video import probe, read_video
from tf_unseen_pose.imaging.video_writer import VideoWriter
from tf_unseen_pose.inference.animation import beside_driving, driving_sound, overlaid, write_animation
from tf_unseen_pose.known_skeletons import PERSON
from tf_unseen_pose.pose.pose_files import Poses


def pictures(count=5, height=40, width=64):
    return [np.full((height, width, 3), 30 * i, np.uint8) for i in range(count)]


def test_all_frames_at_the_rate_that_is_asked_for(tmp_path):
    output = tmp_path / "out.mp4"
    assert write_animation(iter(pictures()), 5, output, 29.97002997, progress=False) == (5, True)
    assert probe(output).fps == Fraction(30000, 1001)
    shown = [image.mean() for _, image in read_video(output)]
    np.testing.assert_allclose(shown, [30 * i for i in range(5)], atol=3)


def interrupted(count):
    yield from pictures(count)
    raise KeyboardInterrupt


@pytest.mark.parametrize("suffix", ["mp4", "gif"])
def test_an_interrupted_video_plays(tmp_path, suffix):
    output = tmp_path / f"out.{suffix}"
    output.write_bytes(b"what was there before")
    assert write_animation(interrupted(3), 9, output, 25, progress=False) == (3, False)
    assert len(list(read_video(output))) == 3
    assert [path.name for path in tmp_path.iterdir()] == [output.name]


def test_interrupted_before_the_first_frame_nothing_is_lost(tmp_path):
    output = tmp_path / "out.mp4"
    output.write_bytes(b"what was there before")
    with pytest.raises(KeyboardInterrupt):
        write_animation(interrupted(0), 9, output, 25, progress=False)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"what was there before"]


def test_the_sound_ends_with_the_pictures_and_is_left_out_where_it_does_not_fit(tmp_path, caplog):
    source, output = film(tmp_path / "driving.mp4", "aac"), tmp_path / "out.mp4"
    with driving_sound(source, output, WHOLE, in_time=True) as sound:
        assert write_animation(interrupted(5), 9, output, RATE, progress=False, sound=sound) == (5, False)
    ((kind, duration),) = codec_of(output)
    assert kind == "aac" and duration == pytest.approx(0.2, abs=0.03)
    for given, name in ((None, "out.mp4"), (source, "out.gif"), (tmp_path / "poses.json", "out.mp4")):
        with driving_sound(given, tmp_path / name, WHOLE, in_time=True) as sound:
            assert sound is None
    assert not caplog.records
    with driving_sound(source, output, WHOLE, in_time=False) as sound:
        assert sound is None and "no sound" in caplog.text and "--fps" in caplog.text


@pytest.fixture
def driving(tmp_path, joints):
    """A video of 120 x 80 whose frames get darker, and its poses; in frame 1 nobody is seen."""
    path = tmp_path / "driving.mp4"
    with VideoWriter(path, Fraction(25)) as writer:
        for i in range(3):
            writer.write(np.full((80, 120, 3), 200 - 60 * i, np.uint8))
    found = joints(height=80, width=120, batch=3)
    found[1, :, 2] = 0
    return path, Poses(found, 120, 80, 25)


def test_the_driving_video_stands_to_the_left_with_its_skeleton(driving):
    path, poses = driving
    frames = list(beside_driving(iter(pictures(3)), path, poses, PERSON))
    for i, (frame, picture) in enumerate(zip(frames, pictures(3), strict=True)):
        # 40 pixels high, so the driving video becomes 60 wide.
        assert frame.shape == (40, 124, 3)
        np.testing.assert_array_equal(frame[:, 60:], picture)
        drawn = np.abs(frame[:, :60].astype(int) - (200 - 60 * i)).max(axis=-1) > 30
        assert drawn.any() == (i != 1) and drawn.mean() < 0.3
        if i == 0:
            x, y = poses.joints[0, 2, :2] / 2
            assert drawn[round(y) - 2 : round(y) + 3, round(x) - 2 : round(x) + 3].any()


def test_poses_without_a_video_stand_on_black(driving, tmp_path):
    _, poses = driving
    frames = list(beside_driving(iter(pictures(3)), tmp_path / "poses.json", poses, PERSON))
    assert len(frames) == 3 and frames[1][:, :60].max() == 0 < frames[0][:, :60].max()


def test_overlay_keeps_size_and_length(driving):
    path, poses = driving
    frames = list(overlaid(path, poses, PERSON))
    assert len(frames) == 3 and frames[0].shape == (80, 120, 3)
    assert np.ptp(frames[0]) > 60 > np.ptp(frames[1])
