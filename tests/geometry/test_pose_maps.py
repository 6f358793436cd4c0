"""Every formula against a loop in NumPy, on joints without symmetry; derivatives against finite differences."""

import cv2
import numpy as np
import pytest
import tensorflow as tf
from small_skeletons import CRAB, HEIGHT, SKELETONS, WIDTH, random_joints

from tf_unseen_pose.geometry import limb_motion, pose_maps, warping
from tf_unseen_pose.known_skeletons import BODY, PERSON
from tf_unseen_pose.skeleton import Limb, Skeleton


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


@SKELETONS
def test_a_limbs_core_fades_with_the_distance_from_its_axis(skeleton):
    joints = random_joints(skeleton, 25)
    joints[0, 1, 2], joints[1, 2, 2] = 0.4, 0
    joints[2, 3, :2] = joints[2, 4, :2]
    cores = pose_maps.limb_cores(tf.constant(joints), skeleton, HEIGHT, WIDTH).numpy()
    first, second = (joints[:, ends].mean(axis=2) for ends in skeleton.limb_ends)
    for example, row, column, limb in np.random.default_rng(26).integers(
        [3, HEIGHT, WIDTH, skeleton.limb_count], size=(99, 4)
    ):
        ends = np.float32([first[example, limb, :2], second[example, limb, :2]])
        along = np.linspace(*ends, 2000)
        distance = np.hypot(*(along - [column, row]).T).min() * 256 / HEIGHT
        seen = joints[example, skeleton.joint_index(*skeleton.limbs[limb].joints), 2].min()
        assert cores[example, row, column, limb] == pytest.approx(seen * np.exp(-((distance / 5) ** 2)), abs=2e-3)
    # On a canvas twice as large, whose pixels the map halves.
    large = tf.constant(joints * [2, 2, 1] + [0.5, 0.5, 0])
    np.testing.assert_allclose(pose_maps.limb_cores(large, skeleton, 2 * HEIGHT, 2 * WIDTH, stride=2), cores, atol=1e-9)


@pytest.mark.parametrize("skeleton", [PERSON, BODY, CRAB], ids=lambda s: s.name)
def test_a_broad_limb_fills_what_lies_between_its_joints(skeleton):
    (limb,) = (limb for limb in skeleton.limbs if len(limb.joints) == 4)
    corners = np.array([(19.2, 7.4), (46.8, 10.1), (44.3, 41.7), (23.6, 36.2)])
    joints = random_joints(skeleton, 1, batch=5)
    places = skeleton.joint_index(*limb.joints)
    joints[:, places, :2] = corners[[0, 1, 3, 2]]
    joints[1, places, :2] = corners[[1, 0, 2, 3]]  # seen from behind
    joints[2, places[1], 2] = 0
    joints[3, places, :2] = corners  # sides that cross
    joints[4, places, :2] = corners[0]
    found = pose_maps.limb_interiors(tf.constant(joints), skeleton, HEIGHT, WIDTH).numpy()[..., 0]
    outline = np.float32(corners)[:, None]
    depth = np.array(
        [[cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x in range(WIDTH)] for y in range(HEIGHT)]
    )
    # A corner's distance is to the nearer of its two sides' lines, so that it is somewhat sharper than a circle.
    for shown in found[:2]:
        assert (shown[depth >= 0] == 1).all() and not shown[depth < -4].any()
        near = (depth < 0) & (depth > -0.5)
        assert ((shown[near] > 0.2) & (shown[near] < 1)).all()
    assert not found[2:].any()
    # With a rim three times as wide a pixel is a third as far beyond it.
    wide = pose_maps.limb_interiors(tf.constant(joints), skeleton, HEIGHT, WIDTH, rim=12).numpy()[..., 0]
    np.testing.assert_allclose(found[:2], np.clip(1 - 3 * (1 - wide[:2]), 0, 1), atol=1e-4)


def test_a_skeleton_without_broad_limbs_has_nothing_inside():
    thin = Skeleton("thin", ("a", "b"), (Limb("only", ("a", "b")),), root="only")
    assert not pose_maps.limb_interiors(tf.constant(random_joints(thin)), thin, 8, 6).numpy().any()


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
            limb_motion.limb_transforms(source, target, skeleton),
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
        transform = limb_motion.limb_transforms(source, target, PERSON)[:, 3]
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
    transforms = limb_motion.limb_transforms(source, target, PERSON)[0].numpy()
    np.testing.assert_allclose(np.moveaxis(transforms, 0, -1), golden["transforms"], atol=1e-6)


def test_maps_at_a_fraction_of_the_canvas_follow_its_transforms():
    """A map pixel's centre, taken to the canvas, transformed there and taken back, is where `at_scale` sends it."""
    transform = np.float32([[[0.8, -0.5, 7.0], [0.5, 0.8, -11.0]]])
    small = pose_maps.at_scale(tf.constant(transform), 4).numpy()[0]
    point = np.float32([5, 9])
    canvas = transform[0, :, :2] @ (4 * point + 1.5) + transform[0, :, 2]
    np.testing.assert_allclose(small[:, :2] @ point + small[:, 2], (canvas - 1.5) / 4, rtol=1e-5)
    joints = np.float32([[[21.5, 37.5, 0.7, 8.0]]])
    np.testing.assert_allclose(pose_maps.joints_at_scale(tf.constant(joints), 4), [[[5, 9, 0.7, 2.0]]])
