"""Depths of limbs against a loop in NumPy; derivatives are finite."""

import numpy as np
import pytest
import tensorflow as tf
from small_skeletons import HEIGHT, SKELETONS, WIDTH, random_joints

from tf_unseen_pose.geometry import limb_motion, pose_maps
from tf_unseen_pose.known_skeletons import BODY, PERSON


def with_depth(joints, seed=0, spread=20.0):
    """Joints [B, J, 3] and a random z."""
    z = np.random.default_rng(seed).normal(0, spread, (*joints.shape[:-1], 1))
    return np.concatenate([joints, z], axis=-1).astype(joints.dtype)


@SKELETONS
def test_limb_depths_equal_a_loop(skeleton):
    joints = with_depth(random_joints(skeleton, 20, batch=5))
    joints[0, :, 3] += 400  # where the hips are does not matter
    joints[1, [0, 3], 2] = 0
    joints[1, [0, 3], 3] = np.nan
    root = skeleton.joint_index(*skeleton.limbs[skeleton.root_index].joints)
    joints[2, root, :2] = [[31, 17]] * len(root)  # the root is seen from its end
    joints[3, root[0], 2] = 0
    depths = pose_maps.limb_depths(tf.constant(joints), skeleton).numpy()
    for b, i in np.ndindex(5, skeleton.limb_count):
        visible = joints[b][joints[b, :, 2] > 0]
        ends = joints[b, root, :2].reshape(2, -1, 2).mean(axis=1)
        along = np.hypot(*(ends[1] - ends[0])) if joints[b, root, 2].all() else 0
        length = max(1, along, np.ptp(visible[:, :2], axis=0).max() / 4)
        limb = joints[b, skeleton.joint_index(*skeleton.limbs[i].joints)]
        if limb[:, 2].all():
            expected = (limb[:, 3].mean() - visible[:, 3].mean()) / length
        else:
            expected = 0 if skeleton.limbs[i].parent is None else depths[b, skeleton.parents[i]]
        assert depths[b, i] == pytest.approx(expected, abs=1e-12), (b, i)
    assert np.abs(depths[[0, 4]]).min() > 0 and not depths[1, 0]


def test_limb_depths_do_not_change_with_size_place_or_rotation():
    joints = with_depth(random_joints(PERSON, 21))
    joints[:, PERSON.joint_index("right_hip", "left_hip"), 1] += 200  # the torso is the measure, not its box
    expected = pose_maps.limb_depths(tf.constant(joints), PERSON)
    turned = joints[..., :2] @ [[3.0, 4.0], [-4.0, 3.0]] + [120, -9]
    moved = tf.constant(np.concatenate([turned, joints[..., 2:3], 5 * joints[..., 3:]], axis=-1))
    shifted = tf.constant(joints * [7, 7, 1, 7] + [50, -30, 0, 11])
    for other in (moved, shifted, pose_maps.joints_at_scale(tf.constant(joints), 2)):
        np.testing.assert_allclose(pose_maps.limb_depths(other, PERSON), expected, atol=1e-9)


def test_limb_depths_are_finite_with_finite_gradients():
    joints = with_depth(random_joints(PERSON, 22, batch=4))
    joints[0, :, :2] = 20  # all in one place
    joints[1, :, 2] = 0  # nobody
    joints[2, 1:, 2] = 0  # one joint
    joints = tf.Variable(joints)
    with tf.GradientTape() as tape:
        depths = pose_maps.limb_depths(joints, PERSON)
        total = tf.reduce_sum(depths**2)
    gradient = tf.convert_to_tensor(tape.gradient(total, joints)).numpy()
    assert np.isfinite(depths).all() and np.isfinite(gradient).all()
    assert not depths.numpy()[1:3].any() and depths.numpy()[0].any() and np.abs(gradient[3, :, 3]).min() > 0


def test_without_z_what_is_hardly_visible_is_behind():
    joints = random_joints(BODY, 24, batch=2)
    joints[0, BODY.joint_index("left_knee", "right_wrist", "nose"), 2] = 0.3, 0.8, 0.1
    joints[0, BODY.joint_index("right_hip"), 2] = 0
    expected = {"left_thigh": 0.35, "left_calf": 0.35, "right_forearm": 0.1, "right_hand": 0.1}
    for given in (joints, np.concatenate([joints, np.zeros((2, 23, 1))], axis=-1)):
        depths = pose_maps.limb_depths(tf.constant(given), BODY).numpy()
        np.testing.assert_allclose(depths[0], [expected.get(limb.name, 0) for limb in BODY.limbs], atol=1e-12)
        assert not depths[1].any()
    seen = with_depth(random_joints(BODY, 24, batch=2))
    half_seen = seen * [1, 1, 0.5, 1]
    np.testing.assert_array_equal(*(pose_maps.limb_depths(tf.constant(given), BODY) for given in (seen, half_seen)))


@SKELETONS
def test_without_z_limbs_that_are_seen_are_equally_far(skeleton):
    joints = random_joints(skeleton, 23)
    np.testing.assert_array_equal(
        pose_maps.limb_depths(tf.constant(joints), skeleton), np.zeros((3, skeleton.limb_count))
    )
    deep = tf.constant(with_depth(joints))
    for function in (pose_maps.limb_presence, lambda *a: pose_maps.limb_priors(*a, HEIGHT, WIDTH)):
        np.testing.assert_array_equal(function(deep, skeleton), function(tf.constant(joints), skeleton))
    np.testing.assert_array_equal(
        pose_maps.joint_heatmaps(deep, HEIGHT, WIDTH), pose_maps.joint_heatmaps(tf.constant(joints), HEIGHT, WIDTH)
    )
    np.testing.assert_array_equal(
        limb_motion.limb_transforms(tf.constant(joints[::-1]), deep, skeleton),
        limb_motion.limb_transforms(tf.constant(joints[::-1]), tf.constant(joints), skeleton),
    )


def test_a_carried_limb_is_as_deep_as_the_limb_that_carries_it():
    joints = with_depth(random_joints(BODY, 36, batch=1))
    joints[0, 14:, 2] = 0
    joints[0, BODY.joint_index("left_wrist", "right_knee"), 2] = 0
    depths = pose_maps.limb_depths(tf.constant(joints), BODY)[0].numpy()
    depths = {limb.name: depth for limb, depth in zip(BODY.limbs, depths, strict=True)}
    assert depths["right_hand"] == depths["right_forearm"] != 0 and depths["left_foot"] == depths["left_calf"] != 0
    assert depths["left_hand"] == depths["left_forearm"] == depths["left_upper_arm"] != 0
    # A thigh names no parent.
    assert depths["right_foot"] == depths["right_calf"] == depths["right_thigh"] == 0
