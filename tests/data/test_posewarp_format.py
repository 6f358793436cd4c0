import numpy as np
import pytest
import scipy.io

from tf_unseen_pose.data.clips import BrokenClip, Rejected, encode_picture
from tf_unseen_pose.data.posewarp_format import posewarp_clips
from tf_unseen_pose.known_skeletons import PERSON
from tf_unseen_pose.pose.posewarp_joints import read_posewarp_joints


@pytest.fixture
def layout(tmp_path, make_picture):
    """Writes a clip as MATLAB would and returns its root and its 1-based points [14, 2, N]."""

    def write(name="A player in 4k", frames=4, missing=()):
        (tmp_path / "info").mkdir(exist_ok=True)
        pictures = tmp_path / "frames" / name
        pictures.mkdir(parents=True)
        points = np.random.default_rng(0).uniform(1, 100, (14, 2, frames))
        low, high = points.min(axis=0), points.max(axis=0)
        box = np.concatenate([low, high - low]).T
        scipy.io.savemat(tmp_path / "info" / f"{name}.mat", {"data": {"X": points, "bbox": box}})
        for number in set(range(1, frames + 1)) - set(missing):
            (pictures / f"{number}.jpg").write_bytes(encode_picture(make_picture(number, 110, 130), "JPEG"))
        return tmp_path, points

    return write


def test_round_trip(layout):
    root, points = layout()
    (clip,) = posewarp_clips(root)
    frames = list(clip.frames())
    assert (clip.name, clip.action, clip.fps) == ("A player in 4k", "", 0)
    assert [frame.number for frame in frames] == [1, 2, 3, 4]
    for index, frame in enumerate(frames):
        np.testing.assert_allclose(frame.joints[:, :2], points[:, :, index] - 1, rtol=1e-5)
        assert (frame.joints[:, 2] == 1).all()
        np.testing.assert_allclose(frame.box[:2], frame.joints[:, :2].min(axis=0), rtol=1e-5)
        assert frame.jpeg == (root / "frames" / clip.name / f"{index + 1}.jpg").read_bytes()


def test_frames_without_a_picture_are_rejected(layout):
    root, points = layout(missing=(2, 4))
    (clip,) = posewarp_clips(root)
    frames = list(clip.frames())
    assert [frame.number for frame in frames] == [1, 2, 3, 4]
    assert frames[1::2] == [Rejected("no picture", 2), Rejected("no picture", 4)]
    np.testing.assert_allclose(frames[2].joints[:, :2], points[:, :, 2] - 1, rtol=1e-5)


def test_a_clip_of_one_frame_as_matlab_writes_it(tmp_path):
    points = np.arange(28.0).reshape(14, 2)
    points[3, 1] = np.nan
    scipy.io.savemat(tmp_path / "one.mat", {"data": {"X": points}})
    joints, boxes = read_posewarp_joints(tmp_path / "one.mat")
    assert joints.shape == (1, 14, 3) and boxes is None
    np.testing.assert_array_equal(joints[0, 3], [0, 0, 0])
    np.testing.assert_array_equal(joints[0, 4], [7, 8, 1])


def test_damaged_info_breaks_its_clip_alone(layout):
    root, _ = layout()
    good = (root / "info" / "A player in 4k.mat").read_bytes()
    (root / "info" / "cut.mat").write_bytes(good[: len(good) // 2])
    (root / "info" / "text.mat").write_text("no matrix")
    scipy.io.savemat(root / "info" / "shape.mat", {"data": {"X": np.zeros((3, 2, 4)), "bbox": np.zeros((4, 4))}})
    clips = {clip.name: clip for clip in posewarp_clips(root)}
    for name in ("cut", "text", "shape"):
        with pytest.raises(BrokenClip, match=f"{name}.mat"):
            list(clips[name].frames())
    assert len(list(clips["A player in 4k"].frames())) == 4


def test_wrong_folders_are_refused(tmp_path, refuses):
    refuses(lambda: posewarp_clips(tmp_path / "nowhere"), "nowhere")
    refuses(lambda: posewarp_clips(tmp_path), "'frames'")
    (tmp_path / "frames").mkdir()
    refuses(lambda: posewarp_clips(tmp_path), "'info'")
    (tmp_path / "info").mkdir()
    refuses(lambda: posewarp_clips(tmp_path), "no .mat file")


def test_the_authors_sample(shared):
    (clip,) = posewarp_clips(shared / "data" / "posewarp_sample" / "train")
    frames = list(clip.frames())
    assert len(frames) == 8
    for frame in frames:
        low, high = frame.joints[:, :2].min(axis=0), frame.joints[:, :2].max(axis=0)
        np.testing.assert_allclose(frame.box, [*low, *(high - low)], atol=1e-3)
    # She serves facing us in the first frame: her right side is on our left.
    right, left = frames[0].joints[PERSON.joint_index("right_hip", "left_hip"), 0]
    assert right < left
