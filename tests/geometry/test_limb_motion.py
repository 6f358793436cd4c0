"""Similarity fits, transforms of limbs and their stretches."""

import numpy as np
import pytest
import tensorflow as tf
from small_skeletons import SKELETONS, least_squares, random_joints

from tf_unseen_pose.geometry import limb_motion
from tf_unseen_pose.known_skeletons import BODY, PERSON


def test_similarity_recovers_a_known_transform_and_weights_choose_points():
    rng = np.random.default_rng(2)
    points = rng.uniform(0, 100, (5, 4, 2))
    angle, scale, shift = 0.7, 1.6, np.array([12.0, -31.0])
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = points @ matrix.T + shift
    weights = np.ones((5, 4))
    moved[:, 3] += 50  # an outlier that weight 0 takes out
    weights[:, 3] = 0
    fitted = limb_motion.fit_similarity(tf.constant(points), tf.constant(moved), tf.constant(weights)).numpy()
    np.testing.assert_allclose(fitted, np.broadcast_to(np.c_[matrix, shift], (5, 2, 3)), atol=1e-10)


def test_similarity_is_least_squares():
    rng = np.random.default_rng(3)
    p, q = rng.uniform(0, 60, (2, 4, 2))
    found = limb_motion.fit_similarity(tf.constant(p), tf.constant(q), tf.ones(4, tf.float64)).numpy()
    np.testing.assert_allclose(found, least_squares(p, q), atol=1e-9)


@SKELETONS
def test_limb_transforms_carry_target_limbs_to_source_limbs(skeleton):
    source, target = random_joints(skeleton, 4), random_joints(skeleton, 5)
    transforms = limb_motion.limb_transforms(tf.constant(source), tf.constant(target), skeleton).numpy()
    assert transforms.shape == (3, skeleton.limb_count, 2, 3)
    for i, limb in enumerate(skeleton.limbs):
        # Two points determine a similarity, which then maps them exactly.
        if len(limb.joints) == 2 and not limb.anchors:
            for joint in skeleton.joint_index(*limb.joints):
                moved = transforms[:, i, :, :2] @ target[:, joint, :2, None] + transforms[:, i, :, 2:]
                np.testing.assert_allclose(moved[..., 0], source[:, joint, :2], atol=1e-9)


@pytest.mark.parametrize("skeleton", [PERSON, BODY], ids=lambda s: s.name)
def test_a_stretched_limb_keeps_its_thickness(skeleton):
    rng, count = np.random.default_rng(5), skeleton.joint_count
    source, target = (
        np.concatenate([rng.uniform(20, 200, (3, count, 2)), np.ones((3, count, 1))], axis=-1).astype(np.float32)
        for _ in range(2)
    )
    # The left forearm points at the camera in the first source, in the second target.
    elbow, wrist = skeleton.joint_index("left_elbow", "left_wrist")
    source[0, wrist, :2] = source[0, elbow, :2] + [3, -2]
    target[1, wrist, :2] = target[1, elbow, :2] + [-2, 4]
    stretches = limb_motion.limb_stretches(tf.constant(source), tf.constant(target), skeleton).numpy()
    similarities = limb_motion.limb_transforms(tf.constant(source), tf.constant(target), skeleton).numpy()
    for example in range(3):
        for number, limb in enumerate(skeleton.limbs):
            stretch, similarity = stretches[example, number], similarities[example, number]
            if limb.name == "torso":
                np.testing.assert_allclose(stretch, similarity, rtol=1e-5)
                continue
            ends = skeleton.joint_index(*limb.joints)
            for joint in ends:
                moved, similar = (m[:, :2] @ target[example, joint, :2] + m[:, 2] for m in (stretch, similarity))
                np.testing.assert_allclose(moved, similar if limb.anchors else source[example, joint, :2], atol=0.05)
            along = target[example, ends[1], :2] - target[example, ends[0], :2]
            across = np.array([-along[1], along[0]]) / np.hypot(*along)
            width, scale = stretch[:, :2] @ across, np.sqrt(np.linalg.det(similarity[:, :2]))
            np.testing.assert_allclose(np.hypot(*width), np.clip(scale, 1 / 1.2, 1.2), rtol=1e-3)
            # Still at a right angle to the limb, and not mirrored.
            np.testing.assert_allclose(width @ (stretch[:, :2] @ along), 0, atol=0.05)
            assert np.linalg.det(stretch[:, :2]) > 0


def test_a_stretch_is_finite_and_so_is_its_gradient_where_joints_coincide_or_are_absent():
    joints = np.random.default_rng(6).uniform(20, 200, (2, 14, 3)).astype(np.float32)
    joints[..., 2] = 1
    elbow, wrist, knee = PERSON.joint_index("left_elbow", "left_wrist", "right_knee")
    for spoilt in range(2):
        both = [joints.copy(), joints[:, ::-1].copy()]
        both[spoilt][:, wrist] = both[spoilt][:, elbow]
        both[spoilt][:, knee, 2] = 0
        source, target = map(tf.Variable, both)
        with tf.GradientTape() as tape:
            stretches = limb_motion.limb_stretches(source, target, PERSON)
            total = tf.reduce_sum(tf.sin(stretches))
        assert np.isfinite(stretches).all()
        assert all(np.isfinite(gradient).all() for gradient in tape.gradient(total, [source, target]))
