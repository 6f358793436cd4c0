"""Every formula against a loop in NumPy, on joints without symmetry; derivatives against finite differences."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.geometry import pose_maps, warping
from tf_unseen_pose.known_skeletons import BODY, PERSON
from tf_unseen_pose.skeleton import Limb, Skeleton

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
SKELETONS = pytest.mark.parametrize("skeleton", [PERSON, BODY, CRAB], ids=lambda s: s.name)
HEIGHT, WIDTH = 48, 72


def random_joints(skeleton, seed=0, batch=3, dtype=np.float64):
    rng = np.random.default_rng(seed)
    points = rng.uniform([4, 3], [WIDTH - 5, HEIGHT - 4], (batch, skeleton.joint_count, 2))
    return np.concatenate([points, np.ones((batch, skeleton.joint_count, 1))], -1).astype(dtype)


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


def least_squares(points, images):
    """The similarity [2, 3] from points to images, both [N, 2]: x' = a x - b y + c, y' = b x + a y + d."""
    rows = [[x, -y, 1, 0] for x, y in points] + [[y, x, 0, 1] for x, y in points]
    a, b, c, d = np.linalg.lstsq(np.array(rows), np.r_[images[:, 0], images[:, 1]], rcond=None)[0]
    return np.array([[a, -b, c], [b, a, d]])


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
def test_a_limb_with_an_absent_joint_is_carried_by_the_root(skeleton):
    source, target = random_joints(skeleton, 6), random_joints(skeleton, 7)
    root = skeleton.limbs[skeleton.root_index]
    outer = next(limb for limb in skeleton.limbs if set(limb.joints) - set(root.joints))
    lost = skeleton.joint_index(*(set(outer.joints) - set(root.joints)))[0]
    target[0, lost] = [np.nan, np.nan, 0]  # an absent joint may carry anything
    transforms = pose_maps.limb_transforms(tf.constant(source), tf.constant(target), skeleton).numpy()
    i = skeleton.limbs.index(outer)
    np.testing.assert_array_equal(transforms[0, i], transforms[0, skeleton.root_index])
    assert not np.allclose(transforms[1, i], transforms[1, skeleton.root_index])
    assert np.isfinite(transforms).all()


def test_anchors_that_both_poses_have_take_part_in_the_fit():
    source, target = random_joints(BODY, 30), random_joints(BODY, 31)
    nose, heel, ankle = BODY.joint_index("nose", "left_heel", "left_ankle")
    source[1, nose] = target[2, ankle] = target[0, heel] = [np.nan, np.nan, 0]
    found = pose_maps.limb_transforms(tf.constant(source), tf.constant(target), BODY).numpy()
    anchored = [(i, limb) for i, limb in enumerate(BODY.limbs) if limb.anchors]
    for b, (i, limb) in itertools.product(range(3), anchored):
        joints = BODY.joint_index(*limb.joints, *limb.anchors)
        common = [joint for joint in joints if source[b, joint, 2] * target[b, joint, 2] > 0]
        if (b, limb.name) == (0, "left_foot"):
            # Without one of the limb's own joints, anchors say nothing.
            np.testing.assert_array_equal(found[0, i], found[0, BODY.parents[i]])
        else:
            np.testing.assert_allclose(
                found[b, i], least_squares(target[b, common, :2], source[b, common, :2]), atol=1e-8
            )


def carrier(limb, source, target):
    """The nearest limb above one that both poses [J, 3] show whole."""
    shown = source[BODY.joint_index(*limb.joints), 2] * target[BODY.joint_index(*limb.joints), 2]
    if shown.all():
        return limb.name
    parents = [other for other in BODY.limbs if other.name == (limb.parent or BODY.root)]
    return carrier(parents[0], source, target)


@pytest.mark.parametrize("function", [pose_maps.limb_transforms, pose_maps.limb_stretches])
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
    whole = pose_maps.limb_transforms(tf.constant(source), tf.constant(target), BODY)
    source[:, 14:], target[1:, 14:] = 0, np.nan
    target[1:, 14:, 2] = 0
    np.testing.assert_allclose(
        pose_maps.limb_transforms(tf.constant(source), tf.constant(target), BODY), whole, atol=1e-9
    )
    priors = pose_maps.limb_priors(tf.constant(source), BODY, HEIGHT, WIDTH).numpy()
    np.testing.assert_array_equal(
        priors[..., :11], pose_maps.limb_priors(tf.constant(source[:, :14]), PERSON, HEIGHT, WIDTH)
    )
    assert not priors[..., 11:].any()


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


def test_without_a_root_all_common_joints_carry_the_limbs():
    source = random_joints(PERSON, 8)
    angle = 0.3
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    target = source.copy()
    target[..., :2] = (source[..., :2] - [3, 5]) @ matrix  # so that source = matrix target + (3, 5)
    target[:, PERSON.joints.index("left_hip"), 2] = 0
    transforms = pose_maps.limb_transforms(tf.constant(source), tf.constant(target), PERSON).numpy()
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
            pose_maps.limb_priors(source, skeleton, HEIGHT, WIDTH),
            pose_maps.limb_transforms(source, target, skeleton),
            pose_maps.joint_heatmaps(target, HEIGHT, WIDTH),
        ]
        total = tf.add_n([tf.reduce_sum(value**2) for value in values])
    assert all(np.isfinite(value).all() for value in values)
    for gradient in tape.gradient(total, [source, target]):
        assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0


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


@SKELETONS
def test_without_z_all_limbs_are_equally_far(skeleton):
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
        pose_maps.limb_transforms(tf.constant(joints[::-1]), deep, skeleton),
        pose_maps.limb_transforms(tf.constant(joints[::-1]), tf.constant(joints), skeleton),
    )


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
