from fractions import Fraction

import numpy as np
import pytest

from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.imaging.image_files import save_image
from tf_unseen_pose.imaging.time_span import TimeSpan
from tf_unseen_pose.imaging.video_writer import VideoWriter
from tf_unseen_pose.known_skeletons import PERSON
from tf_unseen_pose.pose.pose_files import Poses, write_poses
from tf_unseen_pose.pose.sources import find_poses
from tf_unseen_pose.skeleton import Limb, Skeleton

NTSC = Fraction(30000, 1001)


@pytest.fixture(scope="module")
def frames():
    return list(synthetic_clip(4, 8, 240, 320, "dance"))


def error(found, truth):
    """Mean distance in parts of the person's height."""
    return np.linalg.norm(found[..., :2] - truth[..., :2], axis=-1).mean() / np.ptp(truth[..., 1])


def test_poses_of_a_file_a_photo_and_a_video(tmp_path, frames, has_model):
    truth = np.stack([frame.joints for frame in frames])
    write_poses(tmp_path / "poses.json", Poses(truth, 320, 240, 12.5))
    save_image(tmp_path / "photo.png", frames[0].image)
    with VideoWriter(tmp_path / "video.mp4", NTSC) as writer:
        for frame in frames:
            writer.write(frame.image)
    read, photo, video = (
        find_poses(tmp_path / name, progress=False) for name in ("poses.json", "photo.png", "video.mp4")
    )
    np.testing.assert_allclose(read.joints, np.pad(truth, [(0, 0), (0, 9), (0, 0)]), atol=1e-3)
    assert photo.joints.shape == (1, 23, 4) and error(photo.joints[0, :14], truth[0]) < 0.05
    assert video.joints.shape == (8, 23, 4) and error(video.joints[:, :14], truth) < 0.05
    few = find_poses(tmp_path / "photo.png", PERSON)
    np.testing.assert_array_equal(few.joints, photo.joints[:, :14])
    assert {(poses.width, poses.height) for poses in (read, photo, video)} == {(320, 240)}
    assert (read.fps, photo.fps, video.fps) == (12.5, 0, float(NTSC))


def test_a_part_of_a_pose_file(tmp_path, frames, refuses):
    truth, path = np.stack([frame.joints for frame in frames]), tmp_path / "poses.json"
    write_poses(path, Poses(truth, 320, 240, 10))
    # The pose at 0.25 s is the one that holds from 0.2 s on.
    np.testing.assert_allclose(find_poses(path, PERSON, span=TimeSpan(0.25, 0.6)).joints, truth[2:6], atol=1e-3)
    assert len(find_poses(path, span=TimeSpan(0.71)).joints) == 1
    refuses(lambda: find_poses(path, span=TimeSpan(0.8)), "end after 0.8 s")
    write_poses(path, Poses(truth, 320, 240))
    refuses(lambda: find_poses(path, span=TimeSpan(0.1)), "how fast")


def test_refusals(tmp_path, frames, has_model, refuses):
    save_image(tmp_path / "nobody.png", np.full((90, 120, 3), 128, np.uint8))
    with VideoWriter(tmp_path / "nobody.mp4", NTSC) as writer:
        for _ in range(3):
            writer.write(np.full((90, 120, 3), 128, np.uint8))
    (tmp_path / "torn.mp4").write_bytes(b"torn")
    for name, words in (
        ("nobody.png", "No person"), ("nobody.mp4", "No person"),
        ("torn.mp4", "damaged"), ("none.jpg", "no file"), ("none.mp4", "no file"), ("none.json", "no pose file"),
    ):  # fmt: skip
        refuses(lambda name=name: find_poses(tmp_path / name, progress=False), name, words)
    animal = Skeleton("animal", ("head", "tail"), (Limb("back", ("head", "tail")),), "back")
    refuses(lambda: find_poses(tmp_path / "nobody.png", animal), "'animal'", "pose file")
    refuses(lambda: find_poses(tmp_path / "us.json", person=2), "--person chooses", "us.json holds poses")
