import json

import numpy as np
import pytest
import scipy.io
from pose_files_of_others import FILES, SIZE, annotations, flat, landmarks, openpose, results
from small_poses import BLAZEPOSE, BODY_18, BODY_25, COCO, FEET, MPII, keypoints_of, place

from tf_unseen_pose.known_skeletons import BODY, PERSON
from tf_unseen_pose.pose.pose_files import read_poses
from tf_unseen_pose.skeleton import Limb, Skeleton

SEEN = 0.75


@pytest.fixture
def read(tmp_path):
    """Writes a content as JSON and reads the poses of it."""

    def write_and_read(content, size=SIZE):
        (tmp_path / "poses.json").write_text(json.dumps(content))
        return read_poses(tmp_path / "poses.json", BODY, size)

    return write_and_read


def expected_joint(joint):
    """Where `BODY` has it; the top of the head is estimated from the ears, unless the format has it."""
    if joint == "head":
        neck, ears = np.array(place("neck")), np.mean([place("left_ear"), place("right_ear")], axis=0)
        return [ears + 0.6 * (ears - neck), place("head_top")]
    side, _, part = joint.partition("_")
    parts = {"hand": ("index", "pinky"), "toe": ("big_toe",)}.get(part)
    return [np.mean([place(f"{side}_{name}") for name in parts], axis=0) if parts else place(joint)]


@pytest.mark.parametrize("name", FILES)
def test_files_of_other_programs(read, name):
    content, lacks = FILES[name]
    poses = read(content)
    assert (poses.width, poses.height, poses.fps, len(poses.joints)) == (320, 240, 0, 1)
    for joint, (x, y, seen, *_) in zip(BODY.joints, poses.joints[0], strict=True):
        assert (seen > 0) == (joint not in lacks), joint
        if seen:
            assert np.abs(np.array(expected_joint(joint)) - [x, y]).max(axis=1).min() < 2e-3, joint


def test_what_cannot_be_told_apart_is_said(read, caplog):
    """BODY_25 is the usual one; a file of 0..1 that does not say of what is taken for one of the given image."""
    for name, words in (
        ("openpose-25", ""), ("openpose-25b", "OpenPose's BODY_25B, by the lengths"), ("controlnet-0..1", ""),
        ("yolo-0..1", "320 x 240 pixels were taken"),
    ):  # fmt: skip
        caplog.clear()
        read(FILES[name][0])
        assert (words in caplog.text) if words else not caplog.text


def test_the_size_is_that_of_the_file(read, refuses):
    for name, (content, _) in FILES.items():
        if name in ("dwpose", "controlnet-0..1", "comfyui") or "annotations" in name:
            poses = read(content, size=(5, 6))
            assert (poses.width, poses.height) == SIZE
    for name in ("openpose-25", "yolo", "yolo-0..1", "mediapipe", "mpii"):
        refuses(lambda name=name: read(FILES[name][0], size=None), "poses.json", "add width and height")


def test_images_of_several_sizes_are_scaled_to_the_first(read, caplog):
    """In the order of their files' names, not of their ids; the pose of an image twice as large is the same."""
    content = annotations(flat(COCO))
    content["images"] = [
        {"id": 1, "file_name": "frame 10.jpg", "width": 639, "height": 479},
        {"id": 2, "file_name": "frame 9.jpg", "width": 320, "height": 240},
        {"id": 3, "file_name": "frame 11.jpg", "width": 320, "height": 240},
    ]
    double = (keypoints_of(COCO) * [2, 2, 1]).ravel().tolist()
    content["annotations"] = [{"image_id": 1, "keypoints": double}, {"image_id": 2, "keypoints": flat(COCO)}]
    poses = read(content)
    assert (poses.width, poses.height) == SIZE and "scaled to the first" in caplog.text
    first, second, nobody = poses.joints
    np.testing.assert_allclose(second[:17, :2], first[:17, :2], atol=0.5)
    assert not nobody.any()


def test_visibilities(read):
    """COCO's flags are 0, 1 and 2; scores stay as they are, AlphaPose's are up to 6."""
    wrist = COCO.index("left_wrist")
    for flags, expected in (([2, 1, 0], [1, 0.5, 0]), ([0.9, 1, 0.05], [0.9, 1, 0])):
        points = keypoints_of(COCO, visibility=2 if 2 in flags else 0.6)
        points[wrist : wrist + 3, 2] = flags  # left wrist, right wrist, left hip
        joints = read(annotations(points.ravel().tolist())).joints[0]
        found = joints[BODY.joint_index("left_wrist", "right_wrist", "left_hip"), 2]
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert read(results(COCO)).joints[0, 2, 2] == SEEN
    assert read([{"image_id": "0.jpg", "keypoints": flat(COCO, visibility=5.5)}]).joints[..., :17, 2].max() == 1


def test_frames_in_which_nobody_is_seen(read):
    """The images' order is that of the numbers in their names; who is nowhere is absent."""
    here, there = flat(COCO), flat(COCO, shift=(7, 0))
    images = [{"image_id": f"{i}.jpg", "keypoints": values} for i, values in ((10, there), (9, []), (8, here))]
    lists = [[{"keypoints": here}], [], [{"keypoints": there}]]
    for content in (
        images,
        [lists[0], None, lists[2]],
        {"instance_info": [{"instances": people} for people in lists]},
        [openpose(BODY_18), {"people": None}, openpose(BODY_18)],
        [{"landmark": landmarks()}, {}, {"landmark": landmarks(shift=(7, 0))}],
        [keypoints_of(BLAZEPOSE).tolist(), None, keypoints_of(BLAZEPOSE).tolist()],
    ):  # fmt: skip
        joints = read(content).joints
        np.testing.assert_array_equal(joints[..., 2].max(axis=1) > 0, [True, False, True])
        assert joints[2, 2, 0] - joints[0, 2, 0] in (0, pytest.approx(7, abs=1e-3))


def test_depth_of_landmarks(read):
    """In pixels as x is, where the file has it: MediaPipe's z is a part of the image's width."""
    joints = read([{}, landmarks()]).joints
    assert joints.shape == (2, 23, 4) and not joints[0].any()
    np.testing.assert_allclose(joints[1, :, 3], 0.25 * 320)
    rows = keypoints_of(BLAZEPOSE)[:, [0, 1, 2]]
    rows[:, 2] = -0.3
    np.testing.assert_allclose(read([rows.tolist()]).joints[0, 2:, 3], -0.3, rtol=1e-6)
    assert read([rows[:, :2].tolist()]).joints.shape == (1, 23, 3)


def test_openpose_folder(tmp_path, refuses):
    folder = tmp_path / "poses"
    folder.mkdir()
    refuses(lambda: read_poses(folder, PERSON, SIZE), folder, "NAME_000000000000_keypoints.json")
    for number, people in ((10, [{"pose_keypoints_2d": flat(BODY_25, shift=(7, 0))}]), (9, []), (8, None)):
        content = {"people": people} if people is not None else openpose(BODY_25)
        (folder / f"take2_{number}_keypoints.json").write_text(json.dumps(content))
    (folder / "notes.txt").write_text("not a pose")
    joints = read_poses(folder, BODY, SIZE).joints
    np.testing.assert_allclose(joints[2, :19, :2], joints[0, :19, :2] + [7, 0] * (joints[0, :19, 2:3] > 0), atol=1e-3)
    np.testing.assert_array_equal(joints[1], np.zeros((23, 3)))
    np.testing.assert_array_equal(read_poses(folder, PERSON, SIZE).joints, joints[:, :14])

    (folder / "take3_000000000000_keypoints.json").write_text('{"people": []}')
    refuses(lambda: read_poses(folder, PERSON, SIZE), "'take2_'", "'take3_'")
    (folder / "take3_000000000000_keypoints.json").rename(folder / "take2_11_keypoints.json")
    (folder / "take2_11_keypoints.json").write_text("{")
    refuses(lambda: read_poses(folder, PERSON, SIZE), "take2_11_keypoints.json", "not a pose file")


def test_mpii_annotations(read):
    points = keypoints_of(MPII)[:, :2] + 1  # MPII counts from 1.
    points[MPII.index("r ankle")] = -1
    flags = [int(name != "r wrist") for name in MPII]
    (joints,) = read([{"image": "a.jpg", "joints": points.tolist(), "joints_vis": flags}]).joints
    absent = [name for name, visibility in zip(PERSON.joints, joints[:14, 2], strict=True) if visibility == 0]
    assert absent == ["right_wrist", "right_ankle"]


def test_the_authors_mat(tmp_path, refuses):
    points = np.random.default_rng(0).uniform(1, 100, (14, 2, 3))
    scipy.io.savemat(tmp_path / "clip.mat", {"data": {"X": points}})
    joints = read_poses(tmp_path / "clip.mat", PERSON, SIZE).joints
    np.testing.assert_allclose(joints[..., :2], points.transpose(2, 0, 1) - 1, rtol=1e-5)
    (tmp_path / "clip.mat").write_text("no MATLAB")
    refuses(lambda: read_poses(tmp_path / "clip.mat", PERSON, SIZE), "clip.mat", "info")
    refuses(lambda: read_poses(tmp_path / "none.mat", PERSON, SIZE), "none.mat")


def bad(names, change):
    points = keypoints_of(names)
    points[3] = change
    return points.ravel().tolist()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "content, words",
    [
        (
            {"people": [{"pose_keypoints_2d": [1.0] * 72}]},
            "has 72 numbers; 54 (BODY_18) or 75 (BODY_25, BODY_25B) were",
        ),
        ({"people": [{"face": []}]}, "no 'pose_keypoints_2d'"),
        ({"people": [{"pose_keypoints_2d": flat(BODY_25), "hand_left_keypoints_2d": [1, 2, 3]}]}, "63 were expected"),
        ({"people": 3}, "'people' is no list"),
        ({"people": [{"pose_keypoints_2d": flat(BODY_25, visibility=0)}]}, "visible"),
        ({"people": []}, "visible"),
        ({"people": [{"pose_keypoints_2d": bad(BODY_25, np.nan)}]}, "not a number"),
        ({"people": [{"pose_keypoints_2d": bad(BODY_25, [1e300, 1, 1])}]}, "not a number"),
        (
            [{"image_id": 3, "keypoints": [1.0] * 54}],
            "'keypoints' has 54 numbers; 51 (COCO-17), 78 (Halpe-26), 399 (COCO-WholeBody) or 408 (Halpe-136) were",
        ),
        ([{"image_id": 3, "keypoints": ["a"] * 51}], "'keypoints' holds something else than numbers"),
        ([{"image_id": 3, "keypoints": flat(COCO), "score": "good"}], "'score' holds something else"),
        ([{"keypoints": [[1, 2]] * 18}], "has 18 points; 17 (COCO-17), 26 (Halpe-26)"),
        ([{"keypoints": [[1, 2]] * 17, "keypoint_scores": [1] * 16}], "'keypoint_scores' has 16 numbers; 17 were"),
        ([{"keypoints": {"x": [1] * 17, "y": [1] * 16}}], "not equally long"),
        ({"images": [], "annotations": []}, "COCO annotations, but 'images' lists none"),
        ({"images": [{"id": 1, "width": 3, "height": 4}], "annotations": [{"image_id": 1}]}, "no 'keypoints'"),
        ({"images": [{"id": 1}], "annotations": [{"image_id": 2, "keypoints": flat(COCO)}]}, "no image 2"),
        (annotations(flat(COCO), flat(FEET)[:-3]), "'foot_kpts' has 15 numbers; 18 were expected"),
        (
            [keypoints_of(BLAZEPOSE).tolist(), keypoints_of(BLAZEPOSE)[:32].tolist()],
            "frame 2 has 32 landmarks; 33 were",
        ),
        ({"landmark": landmarks()[:32]}, "frame 1 has 32 landmarks; 33 were"),
        ({"pose": {"x": 1}}, "not a pose file"),
        ([keypoints_of(BLAZEPOSE)[:, :1].tolist()], "a landmark is not x, y"),
        ([keypoints_of(BLAZEPOSE)[:14].tolist()], "not a pose file"),
        ([{"image": "a.jpg", "joints": [[1, 2]] * 15, "joints_vis": [1] * 16}], "'joints' has 15 entries; 16"),
        ([{"image": "a.jpg", "joints": [[1, 2]] * 16, "joints_vis": [1] * 15}], "'joints_vis' has 15 entries"),
        ("a pose", "not a pose file"),
        ([1, 2], "not a pose file"),
    ],
)
def test_what_is_wrong_is_said(read, refuses, content, words):
    refuses(lambda: read(content), "poses.json", words)


def test_other_skeletons_are_not_converted_to(tmp_path, refuses):
    worm = Skeleton("worm", ("head", "tail"), (Limb("body", ("head", "tail")),), "body")
    (tmp_path / "poses.json").write_text(json.dumps(FILES["openpose-25"][0]))
    refuses(lambda: read_poses(tmp_path / "poses.json", worm, SIZE), "poses.json", "'person'", "'worm'")


def test_sample_files(shared):
    squats = read_poses(shared / "data/videos/pose_squats.full.json", BODY, (640, 480))
    assert squats.joints.shape == (65, 23, 4) and (squats.joints[..., 2] == 1).all()
    head, neck, hip, ankle = squats.joints[:, PERSON.joint_index("head", "neck", "left_hip", "left_ankle"), 1].T
    assert (head < neck).all() and (neck < hip).all() and (hip < ankle).all()
    (info,) = (shared / "data/posewarp_sample/train/info").glob("*.mat")
    tennis = read_poses(info, PERSON, (1280, 720))
    assert tennis.joints.shape[1:] == (14, 3) and len(tennis.joints) == 8
