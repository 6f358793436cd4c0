import numpy as np
import pytest
from small_poses import (
    BLAZEPOSE,
    BODY_18,
    BODY_25,
    BODY_25B,
    COCO,
    COCO_WHOLEBODY,
    FEET,
    HALPE_26,
    HALPE_136,
    LEFT_HAND,
    MPII,
    RIGHT_HAND,
    keypoints_of,
)

from tf_unseen_pose.known_skeletons import BODY, PERSON
from tf_unseen_pose.pose.joint_formats import FORMATS, blazepose_to_body, with_parts

# How a format spells a joint, and those joints of `BODY` that it does not have.
SPELLED = {
    "BlazePose": (BLAZEPOSE, "{side}_{part}", ()),
    "COCO-17": (COCO, "{side}_{part}", ("hand", "heel", "toe")),
    "COCO-WholeBody": (COCO_WHOLEBODY, "{side}_{part}", ()),
    "Halpe-26": (HALPE_26, "{S}{Part}", ("hand",)),
    "Halpe-136": (HALPE_136, "{S}{Part}", ()),
    "BODY_18": (BODY_18, "{S}{Part}", ("hand", "heel", "toe")),
    "BODY_25": (BODY_25, "{S}{Part}", ("hand",)),
    "BODY_25B": (BODY_25B, "{S}{Part}", ("hand",)),
    "MPII": (MPII, "{s} {part}", ("nose", "ear", "hand", "heel", "toe")),
}
FORMAT = pytest.mark.parametrize("name", SPELLED)
_KNUCKLES = ("{side}_forefinger1", "{side}_pinky_finger1")
# Joints that have other names there, or are the mean of some.
OTHERWISE = {
    "BlazePose": {"nose": ("nose",), "hand": ("{side}_index", "{side}_pinky"), "toe": ("{side}_foot_index",)},
    "COCO-17": {"nose": ("nose",)},
    "BODY_18": {"nose": ("Nose",)},
    "BODY_25": {"nose": ("Nose",), "toe": ("{S}BigToe",)},
    "BODY_25B": {"nose": ("Nose",), "toe": ("{S}BigToe",)},
    "COCO-WholeBody": {"nose": ("nose",), "hand": _KNUCKLES, "toe": ("{side}_big_toe",)},
    "Halpe-26": {"nose": ("Nose",), "toe": ("{S}BigToe",)},
    "Halpe-136": {"nose": ("Nose",), "toe": ("{S}BigToe",), "hand": _KNUCKLES},
    "MPII": {},
}


def spelled(joint, name):
    """The keypoints of a format of which a joint is the mean."""
    _, style, lacks = SPELLED[name]
    side, _, part = joint.rpartition("_")
    styles = () if part in lacks else OTHERWISE[name].get(part, (style,))
    return [s.format(side=side, part=part, Part=part.title(), s=side[:1], S=side[:1].upper()) for s in styles]


def random_keypoints(names):
    points = np.random.default_rng(len(names)).uniform(0, 300, (len(names), 3)).astype(np.float32)
    points[:, 2] = np.linspace(0.2, 0.9, len(names))
    return points


def head_and_neck(name, **given):
    """Converts keypoints of which only the given ones are there; spaces in names are underscores."""
    names = SPELLED[name][0]
    keypoints = np.zeros((len(names), 3), np.float32)
    for keypoint, values in given.items():
        keypoints[names.index(keypoint.replace("_", " ") if names is MPII else keypoint)] = values
    return FORMATS[name].to_joints(keypoints)[BODY.joint_index("head", "neck")]


@pytest.fixture
def landmarks():
    return random_keypoints(BLAZEPOSE)


@FORMAT
def test_joints_keep_their_names(name):
    names = SPELLED[name][0]
    keypoints = random_keypoints(names)
    joints = FORMATS[name].to_joints(keypoints)
    assert joints.shape == (23, 3) and joints.dtype == np.float32
    for joint, found in zip(BODY.joints[2:], joints[2:], strict=True):
        given = keypoints[[names.index(keypoint) for keypoint in spelled(joint, name)]]
        expected = [*given[:, :2].mean(axis=0), given[:, 2].min()] if len(given) else [0, 0, 0]
        np.testing.assert_allclose(found, expected, rtol=1e-6, err_msg=joint)


def test_the_table_holds_all_formats():
    assert {name: len(format.keypoints) for name, format in FORMATS.items()} == {
        name: len(names) for name, (names, *_) in SPELLED.items()
    }


def test_neck_and_head_by_hand(landmarks):
    landmarks[[BLAZEPOSE.index(f"{side}_shoulder") for side in ("left", "right")]] = [[60, 100, 0.9], [40, 110, 0.4]]
    landmarks[[BLAZEPOSE.index(f"{side}_ear") for side in ("left", "right")]] = [[62, 50, 0.3], [50, 60, 0.8]]
    head, neck = blazepose_to_body(landmarks)[PERSON.joint_index("head", "neck")]
    np.testing.assert_allclose(neck, [50, 105, 0.4], rtol=1e-6)
    # Ears at (56, 55): 6 right of and 50 above the neck, and 0.6 of that beyond.
    np.testing.assert_allclose(head, [56 + 3.6, 55 - 30, 0.3], rtol=1e-6)


def test_depth_goes_with_the_points(landmarks):
    z = np.random.default_rng(5).normal(0, 40, (33, 1)).astype(np.float32)
    joints = blazepose_to_body(np.concatenate([landmarks, z], axis=1))
    assert joints.shape == (23, 4)
    np.testing.assert_array_equal(joints[:, :3], blazepose_to_body(landmarks))
    depth = dict(zip(BLAZEPOSE, z[:, 0], strict=True))
    means = [np.mean([depth[keypoint] for keypoint in spelled(joint, "BlazePose")]) for joint in BODY.joints[2:]]
    np.testing.assert_allclose(joints[2:, 3], means, rtol=1e-6)
    neck = (depth["left_shoulder"] + depth["right_shoulder"]) / 2
    ears = (depth["left_ear"] + depth["right_ear"]) / 2
    np.testing.assert_allclose(joints[:2, 3], [ears + 0.6 * (ears - neck), neck], rtol=1e-5)


def test_coco_neck_and_head_by_hand():
    body = {"left_shoulder": [60, 100, 0.9], "right_shoulder": [40, 110, 0.7], "nose": [55, 65, 0.5]}
    ears = {"left_ear": [62, 50, 0.6], "right_ear": [50, 60, 0.8]}
    head, neck = head_and_neck("COCO-17", **body, **ears)
    np.testing.assert_allclose([head, neck], [[59.6, 25, 0.6], [50, 105, 0.7]], rtol=1e-6)
    # One ear alone: from the neck 12 right and 55 up, or 0 and 45.
    head, _ = head_and_neck("COCO-17", **body, left_ear=ears["left_ear"])
    np.testing.assert_allclose(head, [62 + 7.2, 50 - 33, 0.6], rtol=1e-6)
    head, _ = head_and_neck("COCO-17", **body, right_ear=ears["right_ear"])
    np.testing.assert_allclose(head, [50, 60 - 27, 0.7], rtol=1e-6)
    # The nose: 5 right and 40 up.
    head, _ = head_and_neck("COCO-17", **body)
    np.testing.assert_allclose(head, [55 + 3, 65 - 24, 0.5], rtol=1e-6)


def test_without_a_shoulder_there_is_neither_neck_nor_head():
    given = {"left_shoulder": [60, 100, 1], "left_ear": [62, 50, 1], "right_ear": [50, 60, 1], "nose": [55, 65, 1]}
    np.testing.assert_array_equal(head_and_neck("COCO-17", **given)[:, 2], [0, 0])


@pytest.mark.parametrize("name", ["BODY_18", "BODY_25"])
def test_openpose_has_its_own_neck(name):
    given = {"LShoulder": [60, 100, 0.9], "RShoulder": [40, 110, 0.4], "LEar": [62, 50, 0.6], "REar": [50, 60, 0.8]}
    head, neck = head_and_neck(name, Neck=[51, 95, 0.7], **given)
    np.testing.assert_allclose(neck, [51, 95, 0.7], rtol=1e-6)
    # Ears at (56, 55): 5 right of and 40 above the neck.
    np.testing.assert_allclose(head, [56 + 3, 55 - 24, 0.6], rtol=1e-6)
    _, neck = head_and_neck(name, **given)
    np.testing.assert_allclose(neck, [50, 105, 0.4], rtol=1e-6)


def test_mpii_has_the_top_of_the_head_and_our_neck_is_its_thorax():
    given = {"upper_neck": [52, 80, 1], "head_top": [57, 20, 1]}
    head, neck = head_and_neck("MPII", thorax=[51, 98, 1], **given)
    np.testing.assert_array_equal([head, neck], [[57, 20, 1], [51, 98, 1]])
    head, neck = head_and_neck("MPII", **given)
    np.testing.assert_array_equal([head[2], neck[2]], [1, 0])


@pytest.mark.parametrize("name, head, neck", [("Halpe-26", "Head", "Neck"), ("BODY_25B", "HeadTop", "UpperNeck")])
def test_a_neck_at_the_chin_is_not_ours(name, head, neck):
    shoulders = {"LShoulder": [60, 100, 0.9], "RShoulder": [40, 110, 0.4]}
    found = head_and_neck(name, **{head: [57, 20, 0.8], neck: [52, 80, 1]}, **shoulders)
    np.testing.assert_allclose(found, [[57, 20, 0.8], [50, 105, 0.4]], rtol=1e-6)


def test_guessed_joints_are_absent(landmarks):
    landmarks[BLAZEPOSE.index("right_ear"), 2] = 0.09
    landmarks[BLAZEPOSE.index("left_knee"), 2] = 0.05
    landmarks[BLAZEPOSE.index("right_knee"), 2] = 0.11
    joints = blazepose_to_body(landmarks)
    visibility = joints[PERSON.joint_index("head", "left_knee", "right_knee"), 2]
    np.testing.assert_allclose(visibility, [0, 0, 0.11], rtol=1e-6)


def test_larger_scores_are_clipped():
    keypoints = random_keypoints(COCO)
    keypoints[:, 2] = 5.5
    assert set(FORMATS["COCO-17"].to_joints(keypoints)[:17, 2]) == {1}


@FORMAT
def test_leading_axes(name):
    convert, names = FORMATS[name].to_joints, SPELLED[name][0]
    keypoints = random_keypoints(names)
    # The second one lacks its first half, so that other keypoints make its neck and head.
    partial = keypoints * (np.arange(len(names)) >= len(names) // 2)[:, None]
    joints = convert(np.stack([keypoints, partial])[None])
    assert joints.shape == (1, 2, 23, 3)
    np.testing.assert_array_equal(joints[0, 0], convert(keypoints))
    np.testing.assert_array_equal(joints[0, 1], convert(partial))


def test_parts_stand_behind_the_body():
    """So OpenPose has hands, and a body of 18 has feet."""
    for name, feet in (("BODY_18", FEET), ("BODY_25", []), ("BODY_25B", [])):
        points = keypoints_of([*SPELLED[name][0], *feet, *LEFT_HAND, *RIGHT_HAND])
        joints = with_parts(name).to_joints(points)
        assert (joints[:, 2] > 0).all()
        hand, toe, heel = joints[BODY.joint_index("right_hand", "left_toe", "right_heel"), :2]
        np.testing.assert_allclose([hand, toe, heel], [(90.5, 140.5), (180, 217), (132, 217)])
