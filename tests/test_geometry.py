"""Every formula against a loop in NumPy, on joints without symmetry; derivatives against finite differences."""

import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from tf_unseen_pose import geometry
from tf_unseen_pose.skeleton import PERSON, Limb, Skeleton

# A second skeleton: nothing may depend on the person's counts. Its root has three joints at either end.
CRAB = Skeleton(
    name="crab",
    joints=("eye", "left_claw", "right_claw", "left_leg", "right_leg", "tail", "left_arm", "right_arm"),
    limbs=(
        Limb("feeler", ("eye", "tail"), width=4.0),
        Limb("shell", ("eye", "left_claw", "right_claw", "left_leg", "right_leg", "tail"), width=17.0),
        Limb("pincers", ("left_arm", "left_claw", "right_arm", "right_claw")),
    ),
    root="shell",
)
SKELETONS = pytest.mark.parametrize("skeleton", [PERSON, CRAB], ids=lambda s: s.name)
HEIGHT, WIDTH = 48, 72


def random_joints(skeleton, seed=0, batch=3, dtype=np.float64):
    rng = np.random.default_rng(seed)
    points = rng.uniform([4, 3], [WIDTH - 5, HEIGHT - 4], (batch, skeleton.joint_count, 2))
    return np.concatenate([points, np.ones((batch, skeleton.joint_count, 1))], -1).astype(dtype)


def finite_difference(function, x, direction, step):
    return (function(x + step * direction) - function(x - step * direction)) / (2 * step)


@SKELETONS
def test_heatmaps_are_gaussians_about_the_joint_without_half_pixel_shift(skeleton):
    joints = random_joints(skeleton)
    joints[0, 1, 2] = 0
    joints[1, 2, :2] = [WIDTH - 2, 20]  # x / 2 = w - 1: outside
    joints[2, 0, :2] = [0, 20]
    maps = geometry.joint_heatmaps(tf.constant(joints), HEIGHT, WIDTH).numpy()
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
    priors = geometry.limb_priors(tf.constant(joints), skeleton, HEIGHT, WIDTH).numpy()
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
    fitted = geometry.fit_similarity(tf.constant(points), tf.constant(moved), tf.constant(weights)).numpy()
    np.testing.assert_allclose(fitted, np.broadcast_to(np.c_[matrix, shift], (5, 2, 3)), atol=1e-10)


def test_similarity_is_least_squares():
    rng = np.random.default_rng(3)
    p, q = rng.uniform(0, 60, (2, 4, 2))
    fitted = geometry.fit_similarity(tf.constant(p), tf.constant(q), tf.ones(4, tf.float64)).numpy()
    # x' = a x - b y + c, y' = b x + a y + d
    rows = [[x, -y, 1, 0] for x, y in p] + [[y, x, 0, 1] for x, y in p]
    a, b, c, d = np.linalg.lstsq(np.array(rows), np.r_[q[:, 0], q[:, 1]], rcond=None)[0]
    np.testing.assert_allclose(fitted, [[a, -b, c], [b, a, d]], atol=1e-9)


@SKELETONS
def test_limb_transforms_carry_target_limbs_to_source_limbs(skeleton):
    source, target = random_joints(skeleton, 4), random_joints(skeleton, 5)
    transforms = geometry.limb_transforms(tf.constant(source), tf.constant(target), skeleton).numpy()
    assert transforms.shape == (3, skeleton.limb_count, 2, 3)
    for i, limb in enumerate(skeleton.limbs):
        if len(limb.joints) == 2:  # two points determine a similarity, which then maps them exactly
            for joint in skeleton.joint_index(*limb.joints):
                moved = transforms[:, i, :, :2] @ target[:, joint, :2, None] + transforms[:, i, :, 2:]
                np.testing.assert_allclose(moved[..., 0], source[:, joint, :2], atol=1e-9)


@SKELETONS
def test_a_limb_with_an_absent_joint_is_carried_by_the_root(skeleton):
    source, target = random_joints(skeleton, 6), random_joints(skeleton, 7)
    root = skeleton.limbs[skeleton.root_index]
    outer = next(limb for limb in skeleton.limbs if set(limb.joints) - set(root.joints))
    lost = skeleton.joint_index(*(set(outer.joints) - set(root.joints)))[0]
    target[0, lost] = [np.nan, np.nan, 0]  # an absent joint may carry anything
    transforms = geometry.limb_transforms(tf.constant(source), tf.constant(target), skeleton).numpy()
    i = skeleton.limbs.index(outer)
    np.testing.assert_array_equal(transforms[0, i], transforms[0, skeleton.root_index])
    assert not np.allclose(transforms[1, i], transforms[1, skeleton.root_index])
    assert np.isfinite(transforms).all()


def test_without_a_root_all_common_joints_carry_the_limbs():
    source = random_joints(PERSON, 8)
    angle = 0.3
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    target = source.copy()
    target[..., :2] = (source[..., :2] - [3, 5]) @ matrix  # so that source = matrix target + (3, 5)
    target[:, PERSON.joints.index("left_hip"), 2] = 0
    transforms = geometry.limb_transforms(tf.constant(source), tf.constant(target), PERSON).numpy()
    np.testing.assert_allclose(
        transforms[:, PERSON.root_index], np.broadcast_to(np.c_[matrix, [3, 5]], (3, 2, 3)), atol=1e-9
    )


@SKELETONS
def test_coinciding_joints_give_finite_values_and_gradients(skeleton):
    source, target = random_joints(skeleton, 9, dtype=np.float32), random_joints(skeleton, 10, dtype=np.float32)
    source[0, :, :2] = 20
    target[1, :, :2] = 30
    source[2, :, 2] = 0
    source, target = tf.Variable(source), tf.Variable(target)
    with tf.GradientTape() as tape:
        values = [
            geometry.limb_priors(source, skeleton, HEIGHT, WIDTH),
            geometry.limb_transforms(source, target, skeleton),
            geometry.joint_heatmaps(target, HEIGHT, WIDTH),
        ]
        total = tf.add_n([tf.reduce_sum(value**2) for value in values])
    assert all(np.isfinite(value).all() for value in values)
    for gradient in tape.gradient(total, [source, target]):
        assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0


def test_affine_algebra_agrees_with_homogeneous_matrices():
    rng = np.random.default_rng(11)
    a, b = rng.normal(size=(2, 5, 2, 3))
    full = lambda m: np.concatenate([m, np.broadcast_to([[[0.0, 0, 1]]], (5, 1, 3))], 1)  # noqa: E731
    np.testing.assert_allclose(geometry.compose_affine(tf.constant(a), tf.constant(b)), (full(a) @ full(b))[:, :2])
    np.testing.assert_allclose(geometry.invert_affine(tf.constant(a)), np.linalg.inv(full(a))[:, :2], rtol=1e-9)
    points = rng.normal(size=(5, 7, 3))
    moved = geometry.transform_joints(tf.constant(a), tf.constant(points)).numpy()
    np.testing.assert_allclose(moved[..., :2], points[..., :2] @ a[..., :2].swapaxes(1, 2) + a[:, None, :, 2])
    np.testing.assert_array_equal(moved[..., 2], points[..., 2])


def test_sampling_agrees_with_scipy_inside_the_image():
    rng = np.random.default_rng(12)
    image = rng.normal(size=(2, 11, 17, 3)).astype(np.float32)
    y, x = rng.uniform(0, 10, (2, 5, 6)), rng.uniform(0, 16, (2, 5, 6))
    sampled = geometry.sample_bilinear(
        tf.constant(image), tf.constant(x, tf.float32), tf.constant(y, tf.float32)
    ).numpy()
    for b, c in np.ndindex(2, 3):
        expected = scipy.ndimage.map_coordinates(image[b, ..., c], [y[b], x[b]], order=1)
        np.testing.assert_allclose(sampled[b, ..., c], expected, atol=1e-5)


def test_beyond_the_border_lies_one_mirrored_pixel_and_then_nothing_new():
    row = np.array([1.0, 5, 7, 2], np.float32)
    image = np.tile(row[None, None, :, None], (1, 3, 1, 1))
    x = np.array([[[-0.5, -1, -9, 3.5, 4, 40]]], np.float32)
    sampled = geometry.sample_bilinear(tf.constant(image), tf.constant(x), tf.ones_like(x)).numpy()[0, 0, :, 0]
    np.testing.assert_allclose(sampled, [(1 + 5) / 2, 5, 5, (2 + 7) / 2, 7, 7])


def test_warp_samples_where_target_to_source_points():
    image = np.random.default_rng(13).normal(size=(1, 9, 12, 2)).astype(np.float32)
    shift = np.array([[[1.0, 0, 2], [0, 1, -3]]], np.float32)
    warped = geometry.warp(tf.constant(image), tf.constant(shift), height=6, width=5).numpy()
    assert warped.shape == (1, 6, 5, 2)
    np.testing.assert_allclose(warped[0, 3:, :], image[0, :3, 2:7])


def test_gradient_of_the_warp_equals_finite_differences():
    rng = np.random.default_rng(14)
    image, weight = rng.normal(size=(2, 2, 8, 10, 3))
    transform = np.array([[[0.9, -0.3, 1.1], [0.3, 1.1, -0.6]], [[1.2, 0.2, -1.4], [-0.2, 0.8, 1.7]]])
    # Bilinear interpolation has kinks at the pixels: with such coefficients no sample lies on one.
    transform += rng.uniform(0, 0.05, transform.shape)

    def function(image, transform):
        return tf.reduce_sum(weight * geometry.warp(tf.constant(image), tf.constant(transform))).numpy()

    i, t = tf.Variable(image), tf.Variable(transform)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(weight * geometry.warp(i, t))
    by_image, by_transform = (tf.convert_to_tensor(g).numpy() for g in tape.gradient(value, [i, t]))
    for _ in range(4):  # linear in the image: any step will do
        direction = rng.normal(size=image.shape)
        numeric = finite_difference(lambda v: function(v, transform), image, direction, 1e-3)
        assert (by_image * direction).sum() == pytest.approx(numeric, rel=1e-7)
    for entry in np.ndindex(transform.shape):
        direction = np.zeros_like(transform)
        direction[entry] = 1
        numeric = finite_difference(lambda v: function(image, v), transform, direction, 1e-7)
        assert by_transform[entry] == pytest.approx(numeric, rel=1e-5, abs=1e-5)


def test_xla_gives_what_plain_execution_gives():
    rng = np.random.default_rng(16)
    image = tf.constant(rng.normal(size=(2, 16, 24, 3)), tf.float32)
    source = tf.constant(random_joints(PERSON, 17, 2, np.float32) / 3)
    target = tf.constant(random_joints(PERSON, 18, 2, np.float32) / 3)

    def stages(image, source, target):
        transform = geometry.limb_transforms(source, target, PERSON)[:, 3]
        return (
            geometry.warp(image, transform),
            geometry.limb_priors(source, PERSON, 16, 24),
            geometry.joint_heatmaps(target, 16, 24),
        )

    compiled = tf.function(stages, jit_compile=True)
    for plain, fast in zip(stages(image, source, target), compiled(image, source, target), strict=True):
        np.testing.assert_allclose(plain, fast, atol=1e-4)


def test_parity_with_the_authors_maps_and_transforms(shared):
    golden = np.load(shared / "golden" / "posewarp_parity.npz")
    source, target = (tf.constant(np.c_[golden[key], np.ones(14)][None]) for key in ("source_joints", "target_joints"))
    single = tf.cast(source, tf.float32)
    np.testing.assert_allclose(geometry.joint_heatmaps(single, 256, 256)[0], golden["source_heatmaps"], atol=1e-5)
    priors = geometry.limb_priors(single, PERSON, 256, 256)[0, ::4, ::4, 1:]
    np.testing.assert_allclose(priors, golden["limb_masks"], atol=1e-5)
    transforms = geometry.limb_transforms(source, target, PERSON)[0].numpy()
    np.testing.assert_allclose(np.moveaxis(transforms, 0, -1), golden["transforms"], atol=1e-6)
