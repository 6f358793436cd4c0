"""Which limb carries one that a pose does not show, and what takes part in its fit."""

import itertools

import numpy as np
import pytest
import tensorflow as tf
from small_skeletons import HEIGHT, SKELETONS, WIDTH, least_squares, random_joints

from tf_unseen_pose.geometry import limb_motion, pose_maps
from tf_unseen_pose.known_skeletons import BODY, PERSON


@SKELETONS
def test_a_limb_with_an_absent_joint_is_carried_by_the_root(skeleton):
    source, target = random_joints(skeleton, 6), random_joints(skeleton, 7)
    root = skeleton.limbs[skeleton.root_index]
    outer = next(limb for limb in skeleton.limbs if set(limb.joints) - set(root.joints))
    lost = skeleton.joint_index(*(set(outer.joints) - set(root.joints)))[0]
    target[0, lost] = [np.nan, np.nan, 0]  # an absent joint may carry anything
    transforms = limb_motion.limb_transforms(tf.constant(source), tf.constant(target), skeleton).numpy()
    i = skeleton.limbs.index(outer)
    np.testing.assert_array_equal(transforms[0, i], transforms[0, skeleton.root_index])
    assert not np.allclose(transforms[1, i], transforms[1, skeleton.root_index])
    assert np.isfinite(transforms).all()


def test_anchors_that_both_poses_have_take_part_in_the_fit():
    source, target = random_joints(BODY, 30), random_joints(BODY, 31)
    nose, heel, ankle = BODY.joint_index("nose", "left_heel", "left_ankle")
    source[1, nose] = target[2, ankle] = target[0, heel] = [np.nan, np.nan, 0]
    found = limb_motion.limb_transforms(tf.constant(source), tf.constant(target), BODY).numpy()
    anchored = [(i, limb) for i, limb in enumerate(BODY.limbs) if limb.anchors]
    for b, (i, limb) in itertools.product(range(3), anchored):
        joints = BODY.joint_index(*limb.joints, *limb.anchors)
        common = [joint for joint in joints if source[b, joint, 2] * target[b, joint, 2] > 0]
        if (b, limb.name) == (0, "left_foot"):
            # Without one of the limb's own joints, anchors say nothing.
            np.testing.assert_array_equal(found[0, i], found[0, BODY.parents[i]])
        else:
            points, weights = target[b, common, :2], np.ones(len(common))
            if limb.rigid:
                weights[common.index(*BODY.joint_index("neck"))] = 0.1
            expected = least_squares(points, source[b, common, :2], weights)
            if limb.rigid:
                expected = limited(expected, np.average(points, axis=0, weights=weights))
            np.testing.assert_allclose(found[b, i], expected, atol=1e-8)


def limited(similarity, centre):
    """The same that enlarges or shrinks by at most a tenth, about a centre."""
    scale = np.sqrt(np.linalg.det(similarity[:, :2]))
    matrix = similarity[:, :2] * np.clip(scale, 1 / 1.1, 1.1) / scale
    return np.c_[matrix, similarity @ [*centre, 1] - matrix @ centre]


def test_a_head_keeps_its_size_when_shoulders_rise():
    """The neck lies between the shoulders, so that it comes closer to the head, which does not shrink."""
    source = random_joints(BODY, 32, batch=1)
    skull = BODY.joint_index("head", "nose", "right_ear", "left_ear")
    source[0, skull, :2] = [[40, 4], [43, 14], [36, 13], [46, 12]]
    source[0, BODY.joint_index("neck"), :2] = [40, 30]
    turn = np.array([[0.96, -0.28], [0.28, 0.96]])
    target = source.copy()
    target[0, :, :2] = source[0, :, :2] @ turn.T + [5, 7]
    target[0, BODY.joint_index("neck"), :2] += [1, -12]
    for transforms in (limb_motion.limb_transforms, limb_motion.limb_stretches):
        head = transforms(tf.constant(source), tf.constant(target), BODY).numpy()[0, 0]
        np.testing.assert_allclose(np.linalg.det(head[:, :2]), 1, atol=0.15)
        moved = target[0, skull, :2] @ head[:, :2].T + head[:, 2]
        assert np.abs(moved - source[0, skull, :2]).max() < 1.5


def carrier(limb, source, target):
    """The nearest limb above one that both poses [J, 3] show whole."""
    shown = source[BODY.joint_index(*limb.joints), 2] * target[BODY.joint_index(*limb.joints), 2]
    if shown.all():
        return limb.name
    parents = [other for other in BODY.limbs if other.name == (limb.parent or BODY.root)]
    return carrier(parents[0], source, target)


@pytest.mark.parametrize("function", [limb_motion.limb_transforms, limb_motion.limb_stretches])
def test_the_nearest_limb_that_both_poses_show_carries_one_that_they_do_not(function):
    source, target = random_joints(BODY, 32, batch=4), random_joints(BODY, 33, batch=4)
    source[0, 14:, 2] = 0  # a pose of 14 joints
    target[1, 14:] = [np.nan, np.nan, 0]
    target[2, BODY.joint_index("left_wrist", "right_elbow", "left_ankle"), 2] = 0
    source[2, BODY.joint_index("right_hand"), 2] = 0
    target[3, BODY.joint_index("left_knee"), 2] = 0
    found = function(tf.constant(source), tf.constant(target), BODY).numpy()
    names, carried = [limb.name for limb in BODY.limbs], []
    for b, (i, limb) in itertools.product(range(4), enumerate(BODY.limbs)):
        by = carrier(limb, source[b], target[b])
        if by != limb.name and limb.parent:
            np.testing.assert_array_equal(found[b, i], found[b, names.index(by)], err_msg=f"{b} {limb.name}")
            carried.append((limb.name, by))
    # What the loop went over: hands with forearms, with upper arms, feet with calves; a whole arm with the torso.
    assert {("left_hand", "left_forearm"), ("left_hand", "left_upper_arm"), ("right_hand", "torso")} <= set(carried)
    assert {("right_foot", "right_calf"), ("left_calf", "torso")} <= set(carried)
    assert len({tuple(transform.ravel()) for transform in found[0]}) == 10


def attached(joints):
    """Poses [B, 14, 3] with hands and feet that are one with forearms and calves: [B, 23, 3]."""
    full = np.concatenate([joints, np.zeros((len(joints), 9, 3))], axis=1)
    for side in ("left", "right"):
        for start, end, joint, (along, across) in (
            ("elbow", "wrist", "hand", (1.3, 0.05)),
            ("knee", "ankle", "heel", (1.1, -0.06)),
            ("knee", "ankle", "toe", (1.2, 0.4)),
        ):
            a, b, c = BODY.joint_index(*(f"{side}_{name}" for name in (start, end, joint)))
            bone = full[:, b, :2] - full[:, a, :2]
            full[:, c, :2] = full[:, a, :2] + along * bone + across * bone[:, ::-1] * [-1, 1]
            full[:, c, 2] = 1
    return full


def test_fourteen_joints_move_hands_and_feet_as_rigid_ends_of_forearms_and_calves():
    source, target = attached(random_joints(PERSON, 34)), attached(random_joints(PERSON, 35))
    whole = limb_motion.limb_transforms(tf.constant(source), tf.constant(target), BODY)
    source[:, 14:], target[1:, 14:] = 0, np.nan
    target[1:, 14:, 2] = 0
    np.testing.assert_allclose(
        limb_motion.limb_transforms(tf.constant(source), tf.constant(target), BODY), whole, atol=1e-9
    )
    priors = pose_maps.limb_priors(tf.constant(source), BODY, HEIGHT, WIDTH).numpy()
    np.testing.assert_array_equal(
        priors[..., :11], pose_maps.limb_priors(tf.constant(source[:, :14]), PERSON, HEIGHT, WIDTH)
    )
    assert not priors[..., 11:].any()


def test_without_a_root_all_common_joints_carry_the_limbs():
    source = random_joints(PERSON, 8)
    angle = 0.3
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    target = source.copy()
    target[..., :2] = (source[..., :2] - [3, 5]) @ matrix  # so that source = matrix target + (3, 5)
    target[:, PERSON.joints.index("left_hip"), 2] = 0
    transforms = limb_motion.limb_transforms(tf.constant(source), tf.constant(target), PERSON).numpy()
    np.testing.assert_allclose(
        transforms[:, PERSON.root_index], np.broadcast_to(np.c_[matrix, [3, 5]], (3, 2, 3)), atol=1e-9
    )
