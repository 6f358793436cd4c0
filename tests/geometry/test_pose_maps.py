"""Every formula against a loop in NumPy, on joints without symmetry; derivatives against finite differences."""

import numpy as np
import pytest
import tensorflow as tf
from small_skeletons import HEIGHT, SKELETONS, WIDTH, least_squares, random_joints

from tf_unseen_pose.geometry import pose_maps, warping
from tf_unseen_pose.known_skeletons import BODY, PERSON


@SKELETONS
def test_heatmaps_are_gaussians_about_the_joint_without_half_pixel_shift(skeleton):
    joints = random_joints(skeleton)
    joints[0, 1, 2] = 0
    joints[1, 2, :2] = [WIDTH - 2, 20]  # x / 2 = w - 1: outside
    joints[2, 0, :2] = [0, 20]
    maps = pose_maps.joint_heatmaps(tf.constant(joints), HEIGHT, WIDTH).numpy()
    assert maps.shape == (3, HEIGHT // 2, WIDTH // 2, skeleton.joint_count)
    for b, j in np.ndindex(3, skeleton.joint_count):
        x, y, visible = joints[b, j] / [2, 2, 1]
        inside = visible and 0 < x < WIDTH // 2 - 1 and 0 < y < HEIGHT // 2 - 1
        for row, column in ((5, 7), (11, 20), (int(y), int(x))):
            expected = np.exp(-((column - x) ** 2 + (row - y) ** 2) / (2 * 1.75**2)) if inside else 0
            assert maps[b, row, column, j] == pytest.approx(expected, abs=1e-12)
    assert not maps[0, ..., 1].any() and not maps[1, ..., 2].any() and not maps[2, ..., 0].any()


@SKELETONS
def test_limb_priors_equal_the_authors_loop(skeleton):
    joints = random_joints(skeleton, seed=1)
    joints[0, 0, 2] = 0
    priors = pose_maps.limb_priors(tf.constant(joints), skeleton, HEIGHT, WIDTH).numpy()
    scale = HEIGHT / 256
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    for b in range(3):
        limbs = []
        for limb in skeleton.limbs:
            points = joints[b, skeleton.joint_index(*limb.joints)]
            half = len(points) // 2
            start, end = points[:half, :2].mean(0), points[half:, :2].mean(0)
            x, y = columns - (start + end)[0] / 2, rows - (start + end)[1] / 2
            angle = np.arctan2(*(end - start)[::-1])
            along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
            variance = max(5 * scale**2, ((end - start) ** 2).sum() / 1.5)
            gauss = np.exp(-(along**2) / (2 * variance) - across**2 / (2 * (limb.width * scale) ** 2))
            limbs.append(gauss / (gauss.max() + 1e-6) * points[:, 2].all())
        np.testing.assert_allclose(priors[b, ..., 1:], np.stack(limbs, -1), atol=1e-6)
        np.testing.assert_allclose(priors[b, ..., 0], 1 - np.max(limbs, axis=0), atol=1e-6)
    assert not priors[0, ..., 1].any()


def test_similarity_recovers_a_known_transform_and_weights_choose_points():
    rng = np.random.default_rng(2)
    points = rng.uniform(0, 100, (5, 4, 2))
    angle, scale, shift = 0.7, 1.6, np.array([12.0, -31.0])
    matrix = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = points @ matrix.T + shift
    weights = np.ones((5, 4))
    moved[:, 3] += 50  # an outlier that weight 0 takes out
    weights[:, 3] = 0
    fitted = pose_maps.fit_similarity(tf.constant(points), tf.constant(moved), tf.constant(weights)).numpy()
    np.testing.assert_allclose(fitted, np.broadcast_to(np.c_[matrix, shift], (5, 2, 3)), atol=1e-10)


def test_similarity_is_least_squares():
    rng = np.random.default_rng(3)
    p, q = rng.uniform(0, 60, (2, 4, 2))
    found = pose_maps.fit_similarity(tf.constant(p), tf.constant(q), tf.ones(4, tf.float64)).numpy()
    np.testing.assert_allclose(found, least_squares(p, q), atol=1e-9)


@SKELETONS
def test_limb_transforms_carry_target_limbs_to_source_limbs(skeleton):
    source, target = random_joints(skeleton, 4), random_joints(skeleton, 5)
    transforms = pose_maps.limb_transforms(tf.constant(source), tf.constant(target), skeleton).numpy()
    assert transforms.shape == (3, skeleton.limb_count, 2, 3)
    for i, limb in enumerate(skeleton.limbs):
        # Two points determine a similarity, which then maps them exactly.
        if len(limb.joints) == 2 and not limb.anchors:
            for joint in skeleton.joint_index(*limb.joints):
                moved = transforms[:, i, :, :2] @ target[:, joint, :2, None] + transforms[:, i, :, 2:]
                np.testing.assert_allclose(moved[..., 0], source[:, joint, :2], atol=1e-9)


@SKELETONS
def test_coinciding_joints_give_finite_values_and_gradients(skeleton):
    source, target = random_joints(skeleton, 9, dtype=np.float32), random_joints(skeleton, 10, dtype=np.float32)
    source[0, :, :2] = 20
    target[1, :, :2] = 30
    source[2, :, 2] = 0
    source, target = tf.Variable(source), tf.Variable(target)
    with tf.GradientTape() as tape:
        values = [
            pose_maps.limb_priors(source, skeleton, HEIGHT, WIDTH),
            pose_maps.limb_transforms(source, target, skeleton),
            pose_maps.joint_heatmaps(target, HEIGHT, WIDTH),
        ]
        total = tf.add_n([tf.reduce_sum(value**2) for value in values])
    assert all(np.isfinite(value).all() for value in values)
    for gradient in tape.gradient(total, [source, target]):
        assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0


def test_xla_gives_what_plain_execution_gives():
    rng = np.random.default_rng(16)
    image = tf.constant(rng.normal(size=(2, 16, 24, 3)), tf.float32)
    source = tf.constant(random_joints(PERSON, 17, 2, np.float32) / 3)
    target = tf.constant(random_joints(PERSON, 18, 2, np.float32) / 3)

    def stages(image, source, target):
        transform = pose_maps.limb_transforms(source, target, PERSON)[:, 3]
        return (
            warping.warp(image, transform),
            pose_maps.limb_priors(source, PERSON, 16, 24),
            pose_maps.joint_heatmaps(target, 16, 24),
        )

    compiled = tf.function(stages, jit_compile=True)
    for plain, fast in zip(stages(image, source, target), compiled(image, source, target), strict=True):
        np.testing.assert_allclose(plain, fast, atol=1e-4)


def test_parity_with_the_authors_maps_and_transforms(shared):
    golden = np.load(shared / "golden" / "posewarp_parity.npz")
    source, target = (tf.constant(np.c_[golden[key], np.ones(14)][None]) for key in ("source_joints", "target_joints"))
    single = tf.cast(source, tf.float32)
    np.testing.assert_allclose(pose_maps.joint_heatmaps(single, 256, 256)[0], golden["source_heatmaps"], atol=1e-5)
    priors = pose_maps.limb_priors(single, PERSON, 256, 256)[0, ::4, ::4, 1:]
    np.testing.assert_allclose(priors, golden["limb_masks"], atol=1e-5)
    transforms = pose_maps.limb_transforms(source, target, PERSON)[0].numpy()
    np.testing.assert_allclose(np.moveaxis(transforms, 0, -1), golden["transforms"], atol=1e-6)


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
    stretches = pose_maps.limb_stretches(tf.constant(source), tf.constant(target), skeleton).numpy()
    similarities = pose_maps.limb_transforms(tf.constant(source), tf.constant(target), skeleton).numpy()
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
            stretches = pose_maps.limb_stretches(source, target, PERSON)
            total = tf.reduce_sum(tf.sin(stretches))
        assert np.isfinite(stretches).all()
        assert all(np.isfinite(gradient).all() for gradient in tape.gradient(total, [source, target]))


def test_maps_at_a_fraction_of_the_canvas_follow_its_transforms():
    """A map pixel's centre, taken to the canvas, transformed there and taken back, is where `at_scale` sends it."""
    transform = np.float32([[[0.8, -0.5, 7.0], [0.5, 0.8, -11.0]]])
    small = pose_maps.at_scale(tf.constant(transform), 4).numpy()[0]
    point = np.float32([5, 9])
    canvas = transform[0, :, :2] @ (4 * point + 1.5) + transform[0, :, 2]
    np.testing.assert_allclose(small[:, :2] @ point + small[:, 2], (canvas - 1.5) / 4, rtol=1e-5)
    joints = np.float32([[[21.5, 37.5, 0.7, 8.0]]])
    np.testing.assert_allclose(pose_maps.joints_at_scale(tf.constant(joints), 4), [[[5, 9, 0.7, 2.0]]])
