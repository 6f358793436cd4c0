"""Hands, feet, faces and held objects of a motion on another person."""

import json

import numpy as np
import pytest
from driving_poses import ANKLES, SOURCE, WHOLE, as_filmed, assert_same, index, repeated, stretched, with_legs

from tf_unseen_pose.known_skeletons import BODY, GOLF, PERSON
from tf_unseen_pose.pose.joint_formats import blazepose_to_body
from tf_unseen_pose.pose.retargeting import retarget
from tf_unseen_pose.skeleton import Limb, Skeleton

FINE = list(range(14, 23))
SOLES = BODY.joint_index("left_heel", "right_heel", "left_toe", "right_toe")


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
