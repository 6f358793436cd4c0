import json

import numpy as np
import pytest

from tf_unseen_pose.known_skeletons import BODY, GOLF, PERSON
from tf_unseen_pose.pose.pose_files import Poses, as_joints, read_poses, write_poses


def test_round_trip(tmp_path, standing):
    poses = Poses(np.stack([standing, standing + np.float32([3.25, -1.5, 0])]), 200, 240, 12.5)
    write_poses(tmp_path / "poses.json", poses)
    read = read_poses(tmp_path / "poses.json", PERSON)
    np.testing.assert_allclose(read.joints, poses.joints, atol=1e-3)
    assert (read.width, read.height, read.fps) == (200, 240, 12.5)


@pytest.fixture
def deep(standing):
    """float32 [14, 4]: the standing person with a depth, another one for every joint."""
    return np.concatenate([standing, np.linspace(-60.5, 81, 14, dtype=np.float32)[:, None]], axis=1)


def test_depth_makes_the_round_trip_and_scales(tmp_path, standing, deep):
    nobody = deep * np.float32([1, 1, 0, 1])
    poses = Poses(np.stack([deep, nobody, deep[::-1]]), 200, 240)
    write_poses(tmp_path / "poses.json", poses)
    read = read_poses(tmp_path / "poses.json", PERSON).joints
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, poses.joints, atol=1e-3)
    scaled = poses.scaled_to(500, 480).joints  # twice the size
    np.testing.assert_allclose(scaled[..., 3], 2 * poses.joints[..., 3])
    np.testing.assert_array_equal(scaled[0, :, :3], Poses(standing[None], 200, 240).scaled_to(500, 480).joints[0])
    np.testing.assert_array_equal(as_joints(deep.tolist(), PERSON, "the pose"), deep)


def test_depth_is_known_for_everybody_or_for_nobody(tmp_path, standing, deep):
    nobody = (standing * np.float32([1, 1, 0])).tolist()
    for poses, columns in (([deep, standing], 3), ([nobody, deep, deep], 4), ([deep * [1, 1, 0, 1], standing], 3)):
        content = {"width": 200, "height": 240, "poses": [{"joints": np.array(pose).tolist()} for pose in poses]}
        (tmp_path / "poses.json").write_text(json.dumps(content))
        joints = read_poses(tmp_path / "poses.json", PERSON).joints
        assert joints.shape == (len(poses), 14, columns)
        np.testing.assert_array_equal(joints[-1], np.array(poses[-1])[:, :columns])
        np.testing.assert_array_equal(joints[0, :, :2], standing[:, :2])


def test_files_of_persons_and_bodies_are_read_for_either(tmp_path, deep, refuses):
    body = np.concatenate([deep, deep[:9] + np.float32([4, 7, 0, 1])])
    path = tmp_path / "poses.json"
    for joints, skeleton, expected in (
        (deep, BODY, np.concatenate([deep, np.zeros((9, 4))])),
        (body, PERSON, deep),
        (body, BODY, body),
    ):
        write_poses(path, Poses(joints[None], 200, 240))
        np.testing.assert_allclose(read_poses(path, skeleton).joints[0], expected, atol=1e-3)
        np.testing.assert_array_equal(as_joints(joints, skeleton, "a pose"), expected)
        # Of two columns, those that are not given are not visible either.
        np.testing.assert_array_equal(as_joints(joints[:, :2], skeleton, "a pose")[:, 2], expected[:, 2] > 0)
        refuses(lambda: read_poses(path, GOLF), "'golf' has 16")
    body[:14, 2] = 0
    write_poses(path, Poses(body[None], 200, 240))
    refuses(lambda: read_poses(path, PERSON), "No joint")


def test_one_object_a_frame(tmp_path, standing):
    moved = standing + np.float32([3, -1, 0])
    frames = [{"width": 200, "height": 240, "fps": 12.5, "joints": pose.tolist()} for pose in (standing, moved)]
    wrapped = [{"width": 200, "height": 240, "poses": [{"joints": pose.tolist()}]} for pose in (standing, moved)]
    for content, fps in ((frames, 12.5), (wrapped, 0), ([wrapped[0], frames[1]], 0)):
        (tmp_path / "poses.json").write_text(json.dumps(content))
        poses = read_poses(tmp_path / "poses.json", PERSON, size=(7, 8))
        np.testing.assert_array_equal(poses.joints, np.stack([standing, moved]))
        assert (poses.width, poses.height, poses.fps) == (200, 240, fps)
    (tmp_path / "poses.json").write_text(json.dumps(frames[1]))
    np.testing.assert_array_equal(read_poses(tmp_path / "poses.json", PERSON).joints, moved[None])


def test_lists_that_are_no_sequence_are_refused(tmp_path, standing, refuses):
    frame = {"width": 200, "height": 240, "joints": standing.tolist()}
    two = {"width": 200, "height": 240, "poses": [frame, frame]}
    for content, words in (([frame, {**frame, "width": 201}], "several sizes"), ([frame, two], "one pose")):
        (tmp_path / "bad.json").write_text(json.dumps(content))
        refuses(lambda: read_poses(tmp_path / "bad.json", PERSON), "bad.json", words)


@pytest.mark.parametrize("fps", [-1.0, float("nan"), float("inf")])
def test_impossible_frame_rates_are_refused(tmp_path, standing, refuses, fps):
    write_poses(tmp_path / "bad.json", Poses(standing[None], 200, 240, fps))
    refuses(lambda: read_poses(tmp_path / "bad.json", PERSON), "bad.json", "frame rate")


def test_nobody_need_be_seen_in_every_frame(tmp_path, standing, refuses):
    nobody = standing * np.float32([1, 1, 0])
    write_poses(tmp_path / "poses.json", Poses(np.stack([nobody, standing, nobody]), 200, 240))
    joints = read_poses(tmp_path / "poses.json", PERSON).joints
    np.testing.assert_array_equal(joints[..., 2].max(axis=1), [0, 1, 0])
    write_poses(tmp_path / "none.json", Poses(np.stack([nobody, nobody]), 200, 240))
    refuses(lambda: read_poses(tmp_path / "none.json", PERSON), "No joint", "none.json")
    refuses(lambda: as_joints(nobody, PERSON, "the pose"), "No joint of the pose")


def test_scaling_keeps_the_centre_and_proportions(standing):
    poses = Poses(standing[None], 200, 240, extent=np.float32([9.5, 19.5, 119.5, 229.5]))
    scaled = poses.scaled_to(500, 480).joints[0]  # the height limits: twice the size
    assert poses.scaled_to(500, 480).extent.tolist() == [69.5, 39.5, 289.5, 459.5]
    centre = np.array([99.5, 119.5])
    np.testing.assert_allclose(scaled[:, :2], (standing[:, :2] - centre) * 2 + [249.5, 239.5], atol=1e-4)
    np.testing.assert_array_equal(poses.scaled_to(200, 240).joints, poses.joints)


@pytest.mark.parametrize(
    "change, words",
    [
        (lambda joints: joints[:-1], "has 13 joints"),
        (lambda joints: [[*joints[0][:2], float("nan")], *joints[1:]], "head"),
        (lambda joints: [[float("inf"), 3, 1], *joints[1:]], "head"),
        (lambda joints: [[x, y, 0] for x, y, _ in joints], "No joint"),
        (lambda joints: [[x, y, 2] for x, y, _ in joints], "visibility"),
        (lambda joints: "arms up", "not rows"),
        (lambda joints: [[1], *joints[1:]], "not rows"),
        (lambda joints: [[*joints[0], 5], *joints[1:]], "z in all or none"),
        (lambda joints: [[*joint, 5, 6] for joint in joints], "not rows"),
        (lambda joints: [*([*joint, 5] for joint in joints[:-1]), [*joints[-1], float("nan")]], "left_ankle"),
        (lambda joints: [[10**400, 3, 1], *joints[1:]], "not rows"),
    ],
)
def test_bad_joints_are_refused(tmp_path, standing, refuses, change, words):
    content = {"width": 200, "height": 240, "poses": [{"joints": change(standing.tolist())}]}
    (tmp_path / "bad.json").write_text(json.dumps(content))
    refuses(lambda: read_poses(tmp_path / "bad.json", PERSON), words, "bad.json")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"width": 3, "height": 4}',
        '{"width": 3, "height": 4, "poses": []}',
        '{"width": 0, "height": 4, "poses": [{}]}',
        '{"width": Infinity, "height": 4, "joints": [[1, 2]]}',
        "[" * 100000,
        "\x80",
    ],
    ids=lambda text: text[:40],
)
def test_other_files_are_refused(tmp_path, refuses, text):
    (tmp_path / "bad.json").write_bytes(text.encode("latin-1"))
    refuses(lambda: read_poses(tmp_path / "bad.json", PERSON), "bad.json")
    refuses(lambda: read_poses(tmp_path / "none.json", PERSON), "none.json")


def test_two_columns_mean_visible(standing):
    joints = as_joints(standing[:, :2].tolist(), PERSON, "a pose")
    np.testing.assert_array_equal(joints, standing)
