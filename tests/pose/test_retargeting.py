import json

import numpy as np
import pytest

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.geometry.pose_maps import limb_depths
from tf_unseen_pose.known_skeletons import BODY, GOLF, PERSON
from tf_unseen_pose.pose.joint_formats import blazepose_to_body
from tf_unseen_pose.pose.retargeting import retarget
from tf_unseen_pose.skeleton import Limb, Skeleton

# Seen from the front, the left arm raised; left and right differ everywhere.
SOURCE = np.array(
    [
        [101, 40, 1], [103, 64, 1],
        [81, 70, 1], [71, 97, 1], [65, 121, 1],
        [125, 72, 1], [147, 55, 1], [163, 33, 1],
        [88, 125, 1], [84, 163, 1], [79, 203, 1],
        [118, 127, 1], [121, 166, 1], [127, 207, 1],
    ],
    np.float32,
)  # fmt: skip
# The same person with a face that looks down to the viewer's right, hands, and feet that are turned out.
WHOLE = np.concatenate(
    [
        SOURCE,
        [[107, 58, 1], [92, 51, 1], [109, 49, 1], [62, 133, 1], [168, 22, 1]],
        [[82, 211, 1], [124, 214, 1], [64, 218, 1], [143, 223, 1]],
    ]
).astype(np.float32)
FINE = list(range(14, 23))
GROUND, ROOT_X = 207, (88 + 118) / 2
ANKLES = PERSON.joint_index("left_ankle", "right_ankle")
SOLES = BODY.joint_index("left_heel", "right_heel", "left_toe", "right_toe")
UPPER_BODY = PERSON.joint_index(*(name for name in PERSON.joints if not name.endswith(("hip", "knee", "ankle"))))


def index(name):
    return PERSON.joints.index(name)


def repeated(pose, frame_count):
    return np.repeat(pose[None], frame_count, axis=0)


def as_filmed(poses, size=2.0, shift=(31, -57)):
    """The same motion in a video of another size."""
    return poses * np.float32([size, size, 1]) + np.float32([*shift, 0])


def stretched(pose, ratios):
    """A pose [..., J, 3] whose limbs, named by their outer ends, are so many times as long."""
    chains = [("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle")]
    result = pose.copy()
    for side in ("left", "right"):
        for start, middle, end in chains:
            a, b, c = (index(f"{side}_{name}") for name in (start, middle, end))
            upper, lower = (ratios.get(f"{side}_{name}", ratios.get(name, 1)) for name in (middle, end))
            result[..., b, :2] = result[..., a, :2] + upper * (pose[..., b, :2] - pose[..., a, :2])
            result[..., c, :2] = result[..., b, :2] + lower * (pose[..., c, :2] - pose[..., b, :2])
    return result


def length(pose, start, end):
    return np.hypot(*(pose[..., index(start), :2] - pose[..., index(end), :2]).T)


def assert_same(actual, expected, atol=1e-3):
    np.testing.assert_allclose(actual, expected, atol=atol, rtol=0)


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


def test_hands_feet_and_face_follow_at_the_bodys_size():
    assert_same(retarget(as_filmed(repeated(WHOLE, 4), 2.5), WHOLE, BODY), repeated(WHOLE, 4))
    # However large they look in the source: the driving person's are right, at the size of the whole.
    source = WHOLE.copy()
    for base, names in (("left_wrist", ["left_hand"]), ("right_ankle", ["right_heel", "right_toe"])):
        joints = [BODY.joints.index(name) for name in names]
        source[joints, :2] += 1.7 * (source[joints, :2] - source[index(base), :2])
    source[14, :2] += [9, 3]
    result = retarget(as_filmed(repeated(WHOLE, 4)), source, BODY)
    assert_same(result[0, :, :2] - result[0, 0, :2], WHOLE[:, :2] - WHOLE[0, :2])
    # A face is as large as its head.
    driving = WHOLE.copy()
    for joint in (0, *FINE[:3]):
        driving[joint, :2] = driving[1, :2] + 0.9 * (driving[joint, :2] - driving[1, :2])
    assert_same(retarget(as_filmed(repeated(driving, 3)), WHOLE, BODY), repeated(WHOLE, 3))


@pytest.mark.parametrize("legs", [1.0, 0.85])
def test_who_rises_to_their_toes_keeps_them_on_the_ground(legs):
    """The heels and all above rise, half as much forward as up, while toes are still."""
    driving = repeated(with_legs(WHOLE, legs), 30)
    rising = 14 * np.clip(np.arange(30) - 9, 0, 10) / 10
    above = [joint for joint, name in enumerate(BODY.joints) if not name.endswith("toe")]
    driving[:, above, 1] -= rising[:, None]
    driving[:, above, 0] += 0.5 * rising[:, None]
    result = retarget(as_filmed(driving), WHOLE, BODY)
    toes, heels = BODY.joint_index("left_toe", "right_toe"), BODY.joint_index("left_heel", "right_heel")
    assert_same(result[:, toes[0], 1], np.full(30, WHOLE[toes[0], 1]))
    np.testing.assert_allclose(result[:, toes, :2], repeated(result[0, toes, :2], 30), atol=1)
    np.testing.assert_allclose(result[0, heels, 1] - result[-1, heels, 1], 14, rtol=0.2)


def with_legs(body, ratio):
    """A body [23, 3] whose legs are so many times as long; its feet are as large as before."""
    shorter = np.concatenate([stretched(body[:14], {"knee": ratio, "ankle": ratio}), body[14:]])
    for side in ("left", "right"):
        feet = BODY.joint_index(f"{side}_heel", f"{side}_toe")
        shorter[feet] += shorter[index(f"{side}_ankle")] - body[index(f"{side}_ankle")]
    return shorter


@pytest.mark.parametrize("who", ["source", "driving"])
def test_what_one_of_them_lacks_is_absent(who):
    few = stretched(SOURCE, {"ankle": 0.9, "elbow": 1.1})
    driving, source = (few, WHOLE) if who == "driving" else (WHOLE, few)
    result = retarget(as_filmed(repeated(driving, 3)), source, BODY)
    assert result.shape == (3, 23, 3) and not result[:, 14:, 2].any()
    assert_same(result[:, :14], retarget(as_filmed(repeated(driving[:14], 3)), source[:14], PERSON))
    # The left hand says how large the right one is; of feet nothing is known.
    source = WHOLE.copy()
    source[BODY.joint_index("right_hand", "left_heel", "right_heel"), 2] = 0
    result = retarget(as_filmed(repeated(WHOLE, 3)), source, BODY)
    absent = [name for name, seen in zip(BODY.joints, result[0, :, 2], strict=True) if not seen]
    assert absent == ["right_heel", "left_heel"]


@pytest.mark.parametrize("outward", [True, False])
def test_a_golf_club_hangs_from_the_wrist(outward):
    chain = [("right_wrist", "grip"), ("grip", "club_head")]
    if not outward:
        chain = [pair[::-1] for pair in reversed(chain)]
    golfer = Skeleton(
        "golfer",
        ("club_head", *PERSON.joints, "grip", "ball"),
        (*(Limb("_".join(pair), pair) for pair in chain), *PERSON.limbs),
        "torso",
    )
    source = np.concatenate([[[20, 190, 1]], SOURCE, [[60, 130, 1], [10, 207, 1]]]).astype(np.float32)
    driving = repeated(source, 3)
    driving[1, 0, :2] = [140, 210]
    result = retarget(as_filmed(driving), source, golfer)
    assert_same(result, driving)
    assert_same(result[:, 1:15], retarget(as_filmed(driving)[:, 1:15], SOURCE, PERSON))


def test_what_no_limb_connects_follows_the_hand_that_holds_it():
    """The driving person's arms are shorter: the club stays in the source's hand, and points as theirs."""
    club = np.float32([[61, 128, 1], [20, 190, 1]])
    source = np.concatenate([SOURCE, club])
    driving = repeated(np.concatenate([stretched(SOURCE, {"wrist": 0.85, "elbow": 0.9}), club]), 4)
    wrist = index("right_wrist")
    driving[:, 14:, :2] += (driving[0, wrist] - SOURCE[wrist])[:2]
    driving[2, 15, :2] = driving[2, 14, :2] + [62, 41]  # as long, turned by a quarter
    result = retarget(as_filmed(driving), source, GOLF)
    assert_same(result[:, :14], repeated(SOURCE, 4))
    assert_same(result[[0, 1, 3]], repeated(source, 3))
    assert_same(result[2, 14:, :2], [[61, 128], [61 + 62, 128 + 41]])


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


def test_squats_of_a_video_on_photographed_people(shared):
    landmarks = np.array(json.loads((shared / "data/videos/pose_squats.full.json").read_text()))
    squats = blazepose_to_body(np.concatenate([landmarks[..., :2], np.ones_like(landmarks[..., :1])], axis=-1))
    pairs = json.loads((shared / "data/exercise_pairs/index.json").read_text())["pairs"]
    checked = 0
    for pair in pairs[::20]:
        # Of one person from one camera, so both must give bodies of about the same size.
        sources = [blazepose_to_body(np.array(frame["landmarks"])) for frame in pair["frames"]]
        # Who stands on the feet alone: the hips are far above them.
        if any(
            (s[[*ANKLES, *SOLES], 2] == 0).any() or s[SOLES, 1].max() - s[[8, 11], 1].max() < 0.4 * np.ptp(s[:, 1])
            for s in sources
        ):
            continue
        results = [retarget(squats, source, BODY) for source in sources]
        heights = [np.ptp(result[0, :, 1]) for result in results]
        assert 0.6 < heights[0] / heights[1] < 1.6, pair["name"]
        for source, result, height in zip(sources, results, heights, strict=True):
            ground = source[SOLES, 1].max()
            assert np.abs(result[:, SOLES, 1].max(axis=1) - ground).max() < 0.02 * height
            assert (result[:, [*ANKLES, *SOLES], 0].std(axis=0) < 0.01 * height).all()
        checked += 1
    assert checked > 10
