import json

import numpy as np
import pytest
import scipy.io

from tf_unseen_pose.known_skeletons import BODY, PERSON
from tf_unseen_pose.pose.joint_formats import (
    FORMATS,
    blazepose_to_body,
)
from tf_unseen_pose.pose.pose_files import read_poses
from tf_unseen_pose.skeleton import Limb, Skeleton

SIZE = (200, 240)
NOSE, LEFT_SHOULDER, RIGHT_SHOULDER, LEFT_WRIST = 0, 5, 6, 9  # of COCO


def keypoints(count, seed=0, spread=1.0):
    """Random keypoints [count, 3] about (100, 120), wider for a larger spread; all visible."""
    points = np.random.default_rng(seed).uniform(-90, 90, (count, 2)) * spread + [100, 120]
    return np.concatenate([points, np.full((count, 1), 0.75)], axis=1).round(2)


def person(values):
    return {"person_id": [-1], "pose_keypoints_2d": values.ravel().tolist(), "face_keypoints_2d": []}


@pytest.fixture
def read(tmp_path):
    """Writes a content as JSON and reads the poses of it."""

    def write_and_read(content, size=SIZE, name="poses.json"):
        (tmp_path / name).write_text(json.dumps(content))
        return read_poses(tmp_path / name, BODY, size)

    return write_and_read


@pytest.mark.parametrize("name, count", [("BODY_25", 25), ("BODY_18", 18)])
def test_openpose_file(read, name, count):
    small, large = keypoints(count, 1, 0.4), keypoints(count, 2)
    # Widest of all, but by a keypoint that was only guessed.
    guessed = keypoints(count, 3, 0.3)
    guessed[4] = [900, 900, 0.05]
    poses = read({"version": 1.3, "people": [person(small), person(large), person(guessed), person(large * 0)]})
    assert (poses.width, poses.height, poses.fps) == (200, 240, 0)
    np.testing.assert_array_equal(poses.joints, FORMATS[name].to_joints(large)[None])


def test_openpose_folder(tmp_path, refuses):
    folder = tmp_path / "poses"
    folder.mkdir()
    refuses(lambda: read_poses(folder, PERSON, SIZE), folder, "NAME_000000000000_keypoints.json")
    first, last = keypoints(25, 1), keypoints(25, 2)
    for number, people in ((10, [person(last)]), (9, []), (8, [person(first)])):
        (folder / f"take2_{number}_keypoints.json").write_text(json.dumps({"version": 1.3, "people": people}))
    (folder / "notes.txt").write_text("not a pose")
    joints = read_poses(folder, BODY, SIZE).joints
    np.testing.assert_array_equal(joints[[0, 2]], FORMATS["BODY_25"].to_joints(np.stack([first, last])))
    np.testing.assert_array_equal(joints[1], np.zeros((23, 3)))
    np.testing.assert_array_equal(read_poses(folder, PERSON, SIZE).joints, joints[:, :14])

    (folder / "take3_000000000000_keypoints.json").write_text('{"people": []}')
    refuses(lambda: read_poses(folder, PERSON, SIZE), "'take2_'", "'take3_'")
    (folder / "take3_000000000000_keypoints.json").rename(folder / "take2_11_keypoints.json")
    (folder / "take2_11_keypoints.json").write_text("{")
    refuses(lambda: read_poses(folder, PERSON, SIZE), "take2_11_keypoints.json", "not a pose file")


def test_coco_results(read):
    values = [keypoints(17, seed) for seed in range(4)]
    values[2][LEFT_WRIST] = 0
    entries = [(10, 0.5, 0), (2, 0.3, 1), (2, 0.8, 2), (2, 0.7, 3)]
    results = [
        {"image_id": image, "category_id": 1, "keypoints": values[i].ravel().tolist(), "score": score}
        for image, score, i in entries
    ]
    joints = read(results).joints
    np.testing.assert_array_equal(joints, FORMATS["COCO"].to_joints(np.stack([values[2], values[0]])))
    wrists = joints[:, PERSON.joint_index("left_wrist", "right_wrist"), 2]
    np.testing.assert_array_equal(wrists, [[0, 0.75], [0.75, 0.75]])
    for result in results:
        result["image_id"] = f"frame {result['image_id']}.jpg"
    np.testing.assert_array_equal(read(results).joints, joints)


@pytest.fixture
def annotations():
    """COCO annotations of images 7 (two people), 8 (nobody) and 30 (one), out of order."""
    flagged = keypoints(17, 1)
    flagged[:, 2] = 2
    flagged[LEFT_SHOULDER, 2] = 1
    flagged[LEFT_WRIST] = 0
    small = flagged[::-1] + [1, 2, 0]
    other = flagged + [3, -4, 0]
    crowd = np.zeros((17, 3))
    people = [(30, other, 10.0), (7, small, 500.0), (7, flagged, 900.5), (8, crowd, 2000.0), (7, crowd, 3000.0)]
    return {
        "info": {"year": 2017},
        "images": [{"id": id, "width": 320, "height": 180, "file_name": f"{id}.jpg"} for id in (30, 7, 8)],
        "annotations": [
            {"id": i, "image_id": image, "keypoints": values.ravel().tolist(), "area": area, "category_id": 1}
            for i, (image, values, area) in enumerate(people)
        ],
    }


def test_coco_annotations(read, annotations):
    poses = read(annotations, size=(5, 6))  # The file's own size counts.
    assert (poses.width, poses.height, poses.fps) == (320, 180, 0)
    flagged = np.array(annotations["annotations"][2]["keypoints"], np.float32).reshape(17, 3)
    left, right, wrist, neck, hip = poses.joints[
        0, PERSON.joint_index("left_shoulder", "right_shoulder", "left_wrist", "neck", "left_hip")
    ]
    np.testing.assert_array_equal(left, [*flagged[LEFT_SHOULDER, :2], 0.5])
    np.testing.assert_array_equal(right, [*flagged[RIGHT_SHOULDER, :2], 1])
    assert (wrist[2], neck[2], hip[2]) == (0, 0.5, 1)
    np.testing.assert_array_equal(poses.joints[1], np.zeros((23, 3)))
    np.testing.assert_allclose(poses.joints[2, 3, :2], poses.joints[0, 3, :2] + [3, -4], rtol=1e-5)


def test_coco_images_of_several_sizes_are_refused(read, refuses, annotations):
    annotations["images"][1]["width"] = 321
    refuses(lambda: read(annotations), "poses.json", "of one size")


def test_blazepose_landmarks(read):
    landmarks, depth = keypoints(33), np.full((33, 1), -0.3)
    visible = np.concatenate([landmarks[:, :2], np.ones((33, 1))], axis=1)
    frames = [landmarks[:, :2], np.concatenate([landmarks[:, :2], depth], axis=1)]
    joints = read([frames[0].tolist(), [], frames[1].tolist(), None]).joints
    np.testing.assert_array_equal(joints[[0, 2]], np.stack([blazepose_to_body(visible)] * 2))
    assert not joints[[1, 3]].any()
    four = np.concatenate([landmarks[:, :2], depth, landmarks[:, 2:]], axis=1)
    joints = read([[], four.tolist()]).joints
    assert joints.shape == (2, 23, 4) and not joints[0].any()
    np.testing.assert_array_equal(joints[1], blazepose_to_body(np.concatenate([landmarks, depth], axis=1)))
    np.testing.assert_array_equal(joints[1, :, :3], blazepose_to_body(landmarks))
    np.testing.assert_allclose(read([four[:, :3].tolist()]).joints[0, 2:, 3], depth[0, 0] + np.zeros(21), rtol=1e-6)


def test_mpii_annotations(read):
    points = [keypoints(16, seed, spread) for seed, spread in ((1, 0.4), (2, 1.0), (3, 1.0))]
    for values in points:
        values[:, 2] = 1
    points[1][0] = [-1, -1, 1]  # the right ankle, absent
    points[1][10, 2] = 0  # the right wrist, absent
    entries = [
        {"image": name, "joints": values[:, :2].tolist(), "joints_vis": values[:, 2].tolist(), "scale": 1.5}
        for name, values in zip(("b.jpg", "b.jpg", "a.jpg"), points, strict=True)
    ]
    joints = read(entries).joints
    assert joints.shape == (2, 23, 3)
    np.testing.assert_array_equal(joints[0], FORMATS["MPII"].to_joints(points[2] - [1, 1, 0]))  # MPII counts from 1.
    absent = [name for name, visibility in zip(PERSON.joints, joints[1, :14, 2], strict=True) if visibility == 0]
    assert absent == ["right_wrist", "right_ankle"]
    elbow = PERSON.joint_index("left_elbow")[0]
    np.testing.assert_allclose(joints[1, elbow], [*(points[1][14, :2] - 1), 1], rtol=1e-6)


def test_the_authors_mat(tmp_path, refuses):
    points = np.random.default_rng(0).uniform(1, 100, (14, 2, 3))
    scipy.io.savemat(tmp_path / "clip.mat", {"data": {"X": points}})
    joints = read_poses(tmp_path / "clip.mat", PERSON, SIZE).joints
    np.testing.assert_allclose(joints[..., :2], points.transpose(2, 0, 1) - 1, rtol=1e-5)
    (tmp_path / "clip.mat").write_text("no MATLAB")
    refuses(lambda: read_poses(tmp_path / "clip.mat", PERSON, SIZE), "clip.mat", "info")
    refuses(lambda: read_poses(tmp_path / "none.mat", PERSON, SIZE), "none.mat")


GOOD = {
    "openpose": {"people": [person(keypoints(25))]},
    "results": [{"image_id": 3, "keypoints": keypoints(17).ravel().tolist(), "score": 0.9}],
    "blazepose": [keypoints(33).tolist()],
    "mpii": [{"image": "a.jpg", "joints": keypoints(16)[:, :2].tolist(), "joints_vis": [1] * 16}],
}


@pytest.mark.parametrize("kind", GOOD)
def test_the_image_size_must_be_given(read, refuses, kind):
    assert read(GOOD[kind]).joints.shape[:2] == (1, 23)
    refuses(lambda: read(GOOD[kind], size=None), "poses.json", "how large")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "content, words",
    [
        ({"people": [person(keypoints(24))]}, "25 or 18"),
        ({"people": [{"face": []}]}, "OpenPose"),
        ({"people": 3}, "OpenPose"),
        ({"people": [person(keypoints(25) * [1, 1, 0])]}, "visible"),
        ({"people": []}, "visible"),
        ({"people": [person(keypoints(25) * [0.004, 0.004, 1])]}, "width and height"),
        ({"people": [person(keypoints(25) * [np.nan, 1, 1])]}, "head"),
        ({"people": [person(keypoints(25) * [1e300, 1, 1])]}, "head"),
        ([{"image_id": 3, "keypoints": [1.0] * 50, "score": 1}], "17"),
        ([{"image_id": 3, "keypoints": [1.0] * 51, "score": None}], "COCO results"),
        ({"images": [], "annotations": []}, "COCO annotations"),
        ({"images": [{"id": 1, "width": 3, "height": 4}], "annotations": [{"image_id": 1}]}, "keypoints"),
        ([keypoints(33).tolist(), keypoints(32).tolist()], "33"),
        ([keypoints(33)[:, :1].tolist()], "33"),
        ([keypoints(14).tolist()], "not a pose file"),
        ([{"image": "a.jpg", "joints": [[1, 2]] * 15, "joints_vis": [1] * 16}], "16"),
        ([{"image": "a.jpg", "joints": [[1, 2]] * 16, "joints_vis": [1] * 15}], "16"),
        ("a pose", "not a pose file"),
        ([1, 2], "not a pose file"),
    ],
)
def test_what_is_wrong_is_said(read, refuses, content, words):
    refuses(lambda: read(content), "poses.json", words)


def test_other_skeletons_are_not_converted_to(tmp_path, refuses):
    worm = Skeleton("worm", ("head", "tail"), (Limb("body", ("head", "tail")),), "body")
    (tmp_path / "poses.json").write_text(json.dumps(GOOD["openpose"]))
    refuses(lambda: read_poses(tmp_path / "poses.json", worm, SIZE), "poses.json", "'person'", "'worm'")


def test_sample_files(shared):
    squats = read_poses(shared / "data/videos/pose_squats.full.json", BODY, (640, 480))
    assert squats.joints.shape == (65, 23, 4) and (squats.joints[..., 2] == 1).all()
    head, neck, hip, ankle = squats.joints[:, PERSON.joint_index("head", "neck", "left_hip", "left_ankle"), 1].T
    assert (head < neck).all() and (neck < hip).all() and (hip < ankle).all()
    (info,) = (shared / "data/posewarp_sample/train/info").glob("*.mat")
    tennis = read_poses(info, PERSON, (1280, 720))
    assert tennis.joints.shape[1:] == (14, 3) and len(tennis.joints) == 8
