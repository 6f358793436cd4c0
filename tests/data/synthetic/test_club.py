"""A golf club in a drawn person's hands: where its joints say, of one length, moving as the hands do."""

import numpy as np
import pytest
from scipy import ndimage

from tf_unseen_pose.data.synthetic import synthetic_clip
from tf_unseen_pose.data.synthetic.club import CLUB_LENGTH
from tf_unseen_pose.data.synthetic.figure import Figure, Posture
from tf_unseen_pose.data.synthetic.motion import Body, Motion
from tf_unseen_pose.known_skeletons import GOLF, PERSON

TIMES = np.linspace(0, 2, 97)
GRIP, HEAD = GOLF.joint_index("club_grip", "club_head")


def swings(seed, skeleton):
    """A motion and its joints [97, J, 3] over two cycles."""
    body = Body.sample(np.random.default_rng(seed))
    motion = Motion.sample(np.random.default_rng([seed, 1]), "golf", body, skeleton)
    return motion, motion.at(TIMES)[0]


def arm(joints, side):
    """Shoulder, elbow and palm [T, 3] each; the palm lies beyond the wrist by 0.3 forearms."""
    names = (f"{side}_{name}" for name in ("shoulder", "elbow", "wrist"))
    shoulder, elbow, wrist = joints[:, GOLF.joint_index(*names)].swapaxes(0, 1)
    return shoulder, elbow, elbow + 1.3 * (wrist - elbow)


def distance(first, second):
    return np.linalg.norm(first - second, axis=-1)


@pytest.mark.parametrize("seed", range(4))
def test_both_hands_stay_on_the_grip_of_a_rigid_club(seed):
    motion, joints = swings(seed, GOLF)
    assert joints.shape == (97, 16, 3)
    palms = {side: arm(joints, side)[2] for side in ("right", "left")}
    np.testing.assert_allclose((palms["right"] + palms["left"]) / 2, joints[:, GRIP], atol=1e-9)
    np.testing.assert_allclose(distance(joints[:, GRIP], joints[:, HEAD]), CLUB_LENGTH, atol=1e-9)
    lead, trail = ("right", "left") if motion.left_handed else ("left", "right")
    shaft = (joints[:, HEAD] - joints[:, GRIP]) / CLUB_LENGTH
    np.testing.assert_allclose(palms[trail] - palms[lead], 0.05 * shaft, atol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_arms_keep_their_lengths_and_the_rest_of_the_body_its_place(seed):
    motion, joints = swings(seed, GOLF)
    _, empty = swings(seed, PERSON)
    for side in ("right", "left"):
        shoulder, elbow, palm = arm(joints, side)
        np.testing.assert_allclose(distance(shoulder, elbow), motion.body.upper_arm, atol=1e-9)
        np.testing.assert_allclose(distance(elbow, palm), 1.3 * motion.body.forearm, atol=1e-9)
    arms = [i for i, name in enumerate(PERSON.joints) if name.endswith(("elbow", "wrist"))]
    np.testing.assert_array_equal(np.delete(joints[:, :14], arms, axis=1), np.delete(empty, arms, axis=1))


@pytest.mark.parametrize("seed", range(4))
def test_a_swing_goes_from_above_one_shoulder_past_the_feet_to_above_the_other(seed):
    """As seen by the viewer, without a jump."""
    motion, joints = swings(seed, GOLF)
    assert distance(*(motion.at(np.arange(0, 2, 1 / 400) + start)[0][:, HEAD] for start in (0, 1 / 400))).max() < 0.05
    head = joints[:, HEAD]
    # The camera looks down by 9 degrees, so the floor ahead of the feet is seen further below.
    assert (head[:, 1] < np.tan(np.radians(9)) * head[:, 2]).all()
    assert head[:, 1].max() > -0.15 and head[:, 1].min() < -1.05
    high = joints[np.argsort(joints[:, GRIP, 1])[:24], GRIP, 0]
    assert high.min() < -0.1 and high.max() > 0.1
    empty = swings(seed, PERSON)[1][:, PERSON.joint_index("right_wrist", "left_wrist"), 0].mean(axis=1)
    assert np.corrcoef(joints[:, GRIP, 0], empty)[0, 1] > 0.98


@pytest.mark.parametrize("seed", [0, 3])
def test_the_club_is_drawn_between_its_joints(seed):
    """What a golfer's picture has and that of the same pose without a club has not: the shaft's line and the head."""
    body, scale = Body.sample(np.random.default_rng(seed)), 200
    motion = Motion.sample(np.random.default_rng([seed, 1]), "golf", body, GOLF)
    figure = Figure(np.random.default_rng([seed, 2]), body, scale, motion.yaw)
    y, x = np.mgrid[:420, :460]
    for time in (0.03, 0.2, 0.37, 0.55):
        joints, toes = (points[0] * [scale, scale, 1] + [230, 380, 0] for points in motion.at(np.array([time])))
        with_club, without = (
            np.asarray(figure.draw(Posture(joints[: len(s.joints)], toes, s), (460, 420), 0.3)).astype(int)
            for s in (GOLF, PERSON)
        )
        drawn = np.abs(with_club - without).max(axis=-1) > 20
        grip, head = joints[[GRIP, HEAD], :2]
        along = (head - grip) / np.hypot(*(head - grip))
        offset = np.stack([x + 0.5, y + 0.5], axis=-1) - grip
        way, aside = offset @ along / np.hypot(*(head - grip)), np.abs(offset @ [-along[1], along[0]])
        assert (aside[drawn & (way < 0.85)] < 0.012 * scale + 1.5).all()
        assert (aside[drawn] < 0.036 * scale + 1.5).all() and way[drawn].min() > -0.3 and way[drawn].max() < 1.25
        shaft = drawn & (aside < 1) & (way > 0.3) & (way < 1)
        assert set(np.floor(20 * way[shaft])) == set(range(6, 20))  # nowhere interrupted
        centre = np.array(ndimage.center_of_mass(drawn & (way > 0.9)))[::-1] + 0.5
        assert np.hypot(*(centre - head)) < 0.012 * scale + 1


def test_clips_of_golfers_show_the_club_within_picture_and_mask():
    frames = list(synthetic_clip(5, 16, 96, 120, skeleton=GOLF))
    joints = np.stack([frame.joints for frame in frames])
    assert joints.shape == (16, 16, 3) and joints.dtype == np.float32 and (joints[..., 2] == 1).all()
    assert (joints[..., :2] > 0).all() and (joints[..., :2] < [119, 95]).all()
    for frame in frames:
        x, y = np.rint(frame.joints[HEAD, :2]).astype(int)
        assert frame.mask[y, x] > 200
    hands = joints[:, PERSON.joint_index("right_wrist", "left_wrist"), :2].mean(axis=1)
    assert distance(hands, joints[:, GRIP, :2]).max() < 0.12 * np.ptp(joints[:, :14, 1], axis=1).min()
    assert np.ptp(joints[:, HEAD, :2], axis=0).min() > 0.3 * 96


def test_a_golfer_stands_in_the_scene_of_the_person_of_that_seed():
    person, golfer = (next(synthetic_clip(5, 1, 64, 64, "golf", skeleton)) for skeleton in (PERSON, GOLF))
    assert np.array_equal(person.image[:, :4], golfer.image[:, :4])
