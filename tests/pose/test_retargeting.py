"""Motions of people of 14 joints on another person."""

import numpy as np
import pytest
from driving_poses import (
    ANKLES,
    GROUND,
    ROOT_X,
    SOURCE,
    UPPER_BODY,
    as_filmed,
    assert_same,
    index,
    length,
    repeated,
    stretched,
)

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.geometry.pose_maps import limb_depths
from tf_unseen_pose.known_skeletons import PERSON
from tf_unseen_pose.pose.retargeting import retarget


def test_ones_own_motion_is_unchanged():
    result = retarget(SOURCE[None], SOURCE, PERSON)
    assert result.dtype == np.float32
    assert_same(result, SOURCE[None], 1e-4)


@pytest.mark.parametrize("size", [0.1, 2.0, 7.5])
def test_size_and_place_of_the_driving_video_do_not_matter(size):
    assert_same(retarget(as_filmed(repeated(SOURCE, 5), size), SOURCE, PERSON), repeated(SOURCE, 5))


def test_depth_takes_the_persons_size_and_keeps_its_order():
    z = np.random.default_rng(3).permutation(14).astype(np.float32)[:, None] * 11 - 60
    driving = as_filmed(repeated(SOURCE, 5), size=2.0)
    deep = np.concatenate([driving, repeated(2 * z, 5)], axis=-1)
    deep[3, :, 3] *= -1
    result = retarget(deep, SOURCE, PERSON)
    assert result.dtype == np.float32
    assert_same(result[..., :3], retarget(driving, SOURCE, PERSON), 1e-6)
    # Filmed at twice the size: at half of that depth.
    assert_same(result[:, :, 3:], np.array([1, 1, 1, -1, 1])[:, None, None] * z)
    # On other proportions too, joints are behind each other as before; a source's own depth does not matter.
    other = np.concatenate([stretched(SOURCE, {"ankle": 1.2, "wrist": 0.8}), z], axis=-1)
    other[:8, 1] -= 17  # a longer torso
    result = retarget(deep, other, PERSON)
    np.testing.assert_array_equal(np.argsort(result[..., 3]), np.argsort(deep[..., 3]))
    np.testing.assert_array_equal(result, retarget(deep, other[:, :3], PERSON))
    depths = limb_depths(result, PERSON)
    np.testing.assert_allclose(depths, limb_depths(deep, PERSON), atol=1e-5)


@pytest.mark.parametrize("swapped", [False, True])
def test_a_mirrored_person_stays_mirrored(swapped):
    mirrored = SOURCE * np.float32([-1, 1, 1])
    if swapped:
        mirrored = mirrored[PERSON.mirrored]
    result = retarget(as_filmed(repeated(mirrored, 4), shift=(900, 40)), SOURCE, PERSON)
    # About the vertical line through the middle of the hips.
    assert_same(result, repeated(mirrored + np.float32([2 * ROOT_X, 0, 0]), 4))
    assert_same(result[:, ANKLES, 1].max(axis=1), GROUND)


def test_proportions_are_the_sources():
    driving = as_filmed(stretched(repeated(SOURCE, 3), {"knee": 0.87, "ankle": 0.85, "wrist": 1.15}))
    assert_same(retarget(driving, SOURCE, PERSON), repeated(SOURCE, 3))


def test_lengths_are_those_of_the_frames_that_show_them():
    # The arms point at the camera in most frames and once are seen badly, twice as long as they are.
    factors = np.array([0.3] * 12 + [1.0] * 7 + [2.0])
    poses = np.stack([stretched(SOURCE, {"elbow": factor, "wrist": factor}) for factor in factors])
    assert_same(retarget(as_filmed(poses), SOURCE, PERSON), poses)


@pytest.mark.parametrize("legs", [1.0, 0.85])
def test_a_jump_and_a_walk_are_scaled_as_the_legs_are(legs):
    movement = np.zeros((21, 1, 3), np.float32)
    movement[:, 0, 0] = 3 * (np.arange(21) - 10)
    movement[8:10, 0, 1] = -20
    driving = stretched(SOURCE, {"knee": legs, "ankle": legs}) + movement
    assert_same(retarget(as_filmed(driving, 2.5), SOURCE, PERSON), SOURCE + movement / legs)


def test_a_crouch_without_ankles_keeps_the_usual_height():
    driving = repeated(SOURCE, 20)
    driving[5:9, UPPER_BODY, 1] += 30
    driving[5:9, [index("left_hip"), index("right_hip")], 1] += 30
    driving[:, ANKLES] = 0
    seen = driving[..., 2] > 0
    assert_same(retarget(as_filmed(driving), SOURCE, PERSON)[seen], driving[seen])


def test_frames_without_a_person_do_not_move_the_others():
    driving = repeated(SOURCE, 40)
    driving[2, :, :2] += [9, -25]
    driving[3:] = 0
    assert_same(retarget(as_filmed(driving), SOURCE, PERSON)[:3], driving[:3])


def test_left_and_right_are_treated_alike():
    def mirror(poses):
        return (poses * np.float32([-1, 1, 1]))[..., PERSON.mirrored, :]

    driving = stretched(repeated(SOURCE, 6), {"knee": 0.9, "ankle": 0.95, "elbow": 1.1})
    driving[..., :2] += np.random.default_rng(5).normal(0, 6, (6, 14, 2))
    assert_same(retarget(mirror(driving), mirror(SOURCE), PERSON), mirror(retarget(driving, SOURCE, PERSON)))


def test_feet_do_not_slide_in_a_squat():
    # Hips go down and sideways, knees down and out; the driving person's legs are shorter.
    depth = 12 * np.maximum(np.sin(np.linspace(0, 2 * np.pi, 41)), 0)[:, None]
    legs = stretched(SOURCE, {"knee": 0.9, "ankle": 0.9})
    driving = repeated(legs, 41)
    above = [*UPPER_BODY, index("left_hip"), index("right_hip")]
    driving[:, above, 1] += depth
    driving[:, above, 0] -= depth / 2
    knees = [index("left_knee"), index("right_knee")]
    driving[:, knees] += np.float32([[4, 3, 0], [-6, 3, 0]]) * depth[..., None] / 12
    result = retarget(as_filmed(driving), SOURCE, PERSON)
    assert_same(result[:, ANKLES], repeated(result[0, ANKLES], 41))
    assert_same(result[:, ANKLES, 1].max(axis=1), GROUND)
    hips = result[:, index("left_hip"), 1]
    assert hips[10] - hips[0] == pytest.approx(12 / 0.9, rel=1e-3)
    assert np.median(result[:, [index("left_hip"), index("right_hip")], 0].mean(axis=1)) == pytest.approx(ROOT_X)


@pytest.mark.parametrize("foreshortened", [["right_wrist"], ["right_wrist", "left_wrist"], ["left_knee", "right_knee"]])
def test_foreshortened_bones_of_the_source_do_not_shrink_the_result(foreshortened):
    source = stretched(SOURCE, dict.fromkeys(foreshortened, 0.4))
    result = retarget(as_filmed(repeated(SOURCE, 3)), source, PERSON)
    for end in foreshortened:
        start = end.replace("wrist", "elbow").replace("knee", "hip")
        assert_same(length(result, start, end), length(SOURCE, start, end))


def test_a_source_that_leans_towards_the_camera_keeps_its_size():
    source = SOURCE.copy()
    source[UPPER_BODY, 1] += 40
    assert_same(retarget(as_filmed(repeated(SOURCE, 3)), source, PERSON), repeated(SOURCE, 3))


def test_no_bone_outgrows_the_body():
    # The driving arms are never seen at their length.
    driving = stretched(repeated(SOURCE, 3), {"wrist": 0.2})
    result = retarget(driving, SOURCE, PERSON)
    assert_same(length(result, "left_elbow", "left_wrist"), 1.25 * length(driving, "left_elbow", "left_wrist"))


def test_absent_driving_joints_stay_absent_and_disturb_no_other():
    poses = repeated(SOURCE, 8)
    poses[2:4, index("left_elbow")] = np.nan, np.nan, 0
    poses[0, index("right_hip")] = 1e6, -1e6, 0
    poses[5, [index("left_hip"), index("right_hip")], 2] = 0
    poses[6] = 0
    poses[:, index("head"), 2] = 0.25
    poses[6, index("head"), 2] = 0
    result = retarget(as_filmed(poses), SOURCE, PERSON)
    assert np.isfinite(result).all()
    np.testing.assert_array_equal(result[..., 2], poses[..., 2])
    expected = repeated(SOURCE, 8)
    visible = poses[..., 2] > 0
    # The frame with one hip has another middle of the hips, which the median over the sequence outvotes.
    assert_same(result[visible][:, :2], expected[visible][:, :2])


def test_a_joint_that_is_never_seen_lies_on_its_parent():
    driving = repeated(SOURCE, 3)
    driving[:, index("left_elbow")] = 0
    result = retarget(as_filmed(driving), SOURCE, PERSON)
    assert_same(result[:, index("left_elbow"), :2], SOURCE[None, index("left_shoulder"), :2].repeat(3, axis=0))
    # The wrist's way from the shoulder is scaled like the forearm, whose length the other side tells.
    forearm = length(SOURCE, "left_elbow", "left_wrist") / length(SOURCE, "right_elbow", "right_wrist")
    way = SOURCE[index("left_wrist"), :2] - SOURCE[index("left_shoulder"), :2]
    assert_same(result[:, index("left_wrist"), :2], [SOURCE[index("left_shoulder"), :2] + forearm * way] * 3)


def test_absent_source_joints_take_the_global_ratio():
    source = SOURCE.copy()
    for name in ("left_wrist", "right_wrist", "right_knee", "left_ankle"):
        source[index(name)] = np.nan, np.nan, 0
    driving = repeated(SOURCE, 3)
    # The source's only ankle is 4 pixels above the one that is hidden.
    assert_same(retarget(as_filmed(driving), source, PERSON), driving - np.float32([0, 207 - 203, 0]))


@pytest.mark.parametrize("who", ["source", "driving"])
@pytest.mark.parametrize("missing", [("ankle",), ("ankle", "knee"), ("ankle", "knee", "hip"), ("hip",)])
def test_a_body_without_feet_or_hips_hangs_from_the_next_best(who, missing):
    source, driving = SOURCE.copy(), repeated(SOURCE, 4)
    driving[1:3, :, 0] += 3
    # The person's place is the median over the sequence.
    expected = driving - np.float32([1.5, 0, 0])
    hidden = [PERSON.joints.index(name) for name in PERSON.joints if name.endswith(missing)]
    (source if who == "source" else driving)[..., hidden, :] = 0
    seen = driving[..., 2] > 0
    result = retarget(as_filmed(driving), source, PERSON)
    assert np.isfinite(result).all()
    assert_same(result[seen][:, :2], expected[seen][:, :2])


def rigidly(pose, degrees):
    """The pose [J, 3] turned about its first joint."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    points = (pose[:, :2] - pose[0, :2]) @ np.array([[cosine, sine], [-sine, cosine]]) + pose[0, :2]
    return np.concatenate([points, pose[:, 2:]], axis=1).astype(np.float32)


@pytest.mark.parametrize("degrees, touching", [(85, "left_wrist"), (180, "left_wrist"), (-105, "right_elbow")])
def test_whatever_lies_lowest_carries_the_body(degrees, touching):
    """On the side, upside down: what is down comes to the ground on which the source stands, and back again."""
    driving = rigidly(SOURCE, degrees)
    assert np.argmax(driving[:, 1]) == index(touching)
    result = retarget(as_filmed(driving[None]), SOURCE, PERSON)[0]
    assert_same(result - result[0], driving - driving[0])
    # A wrist is thinner than an ankle is high.
    assert 0 < result[index(touching), 1] - GROUND < 0.04 * np.ptp(SOURCE[:, 1])
    assert_same(retarget(as_filmed(SOURCE[None], 0.7), result, PERSON)[0], SOURCE)


def test_who_lies_does_not_move_when_a_leg_does():
    """The right side stays on the ground while the left leg is raised."""
    leg = [index("left_knee"), index("left_ankle")]
    poses = repeated(rigidly(SOURCE, -105), 3)
    poses[1:, leg, 1] -= np.float32([[12], [25]])
    others = [joint for joint in range(14) if joint not in leg]
    result = retarget(as_filmed(poses), SOURCE, PERSON)
    assert_same(result[:, others], repeated(result[0, others], 3))


def test_too_little_in_common_is_refused():
    def only(*names):
        pose = SOURCE.copy()
        pose[[index(name) for name in PERSON.joints if name not in names], 2] = 0
        return pose

    left_arm = ("left_shoulder", "left_elbow", "left_wrist")
    for source, driving, words in [
        (SOURCE, only("left_shoulder", "left_elbow", "right_shoulder", "right_elbow"), "fewer than two visible bones"),
        (only(*left_arm, "neck"), only("left_hip", "left_knee", "left_ankle", "neck"), "fewer than two visible bones"),
        (SOURCE, SOURCE * 0, "fewer than two visible bones"),
        (SOURCE, only("head", "neck", "left_elbow", "left_wrist"), "neither ankles nor hips nor shoulders"),
    ]:
        with pytest.raises(UserError, match=words) as caught:
            retarget(driving[None], source, PERSON)
        assert str(caught.value).endswith(".") and ". " not in str(caught.value)
