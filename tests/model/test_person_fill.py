"""Against what a painter would do: the nearest colours of the person, and nothing of the scene."""

import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose import BODY, Limb, Skeleton
from tf_unseen_pose.geometry import pose_maps
from tf_unseen_pose.model import compositing, person_fill

DARK, SKIN, SKY = [-0.9, -0.8, -0.7], [0.6, 0.1, -0.2], [-0.3, 0.4, 1.0]


def picture():
    """A shirt to the left, an arm to the right, and between them, in columns 20 to 23, the sky."""
    copied = np.ones((1, 32, 48, 4), np.float32)
    copied[:, :, :20, :3], copied[:, :, 24:, :3] = DARK, SKIN
    copied[:, :, 20:24] = [*SKY, 0]
    return copied


def nearby(copied, covered=1.0, alpha=5.0):
    maps = [np.full((1, 32, 48, 1), value, np.float32) if np.isscalar(value) else value for value in (covered, alpha)]
    return person_fill.nearby_colours(tf.constant(copied), *map(tf.constant, maps)).numpy()[0]


def test_a_gap_takes_the_colours_of_the_person_on_both_sides():
    found = nearby(picture())
    np.testing.assert_allclose(found[:, :20], np.broadcast_to(DARK, (32, 20, 3)), atol=1e-4)
    gap = found[16, 20:24]
    # Between dark and skin, nearer to the nearer one, and no blue of the sky.
    between = (gap - DARK) / np.subtract(SKIN, DARK)
    np.testing.assert_allclose(between, between[:, :1].repeat(3, axis=1), atol=1e-3)
    assert (np.diff(between[:, 0]) >= 0).all() and 0 < between[0, 0] < between[-1, 0] < 1


def test_pixels_that_show_the_scene_or_that_nobody_sees_give_no_colour():
    copied, covered, alpha = picture(), np.ones((1, 32, 48, 1), np.float32), np.full((1, 32, 48, 1), 5, np.float32)
    copied[:, :, 24:36, 3] = 0.5  # half scene
    covered[:, :, 36:40] = 0.3
    alpha[:, :, 40:] = -5
    np.testing.assert_allclose(nearby(copied, covered, alpha)[:, 20:30], np.broadcast_to(DARK, (32, 10, 3)), atol=2e-3)


def test_a_person_far_away_still_gives_its_colour():
    copied = np.float32([*SKY, 0]) * np.ones((1, 32, 48, 1), np.float32)
    copied[:, 2:4, 1:3] = [*SKIN, 1]
    np.testing.assert_allclose(nearby(copied)[28, 44], SKIN, atol=1e-2)


def unseen(*maps):
    """Of maps [H, W, C], the middle row."""
    return person_fill.unseen(*(tf.constant(values[None]) for values in maps)).numpy()[0, maps[0].shape[0] // 2, :, 0]


def test_only_what_is_surely_the_person_and_surely_the_scene_is_unseen():
    copied, covered, shown, alpha = (np.ones((12, 100, channels), np.float32) for channels in (4, 1, 1, 1))
    shown *= 0.1
    for gap, mask in ((4, 0.05), (24, 0.5), (44, 0.05), (64, 0.05), (84, 0.05)):
        copied[:, gap : gap + 6, 3] = mask
    alpha *= 6
    alpha[:, 40:60] = 1  # as at an outline, where the mask decides
    covered[:, 60:80] = 0.4  # as of hair, which the masks miss
    shown[:, 80:] = 0.6  # as of a hand before a chest
    found = unseen(copied, covered, shown, alpha)
    # The whole of the gap, and less and less of what is beside it.
    np.testing.assert_allclose(found[2:12], [1 / 3, 2 / 3, 1, 1, 1, 1, 1, 1, 2 / 3, 1 / 3], atol=1e-3)
    np.testing.assert_allclose(found[13:], 0, atol=1e-3)


def test_a_slit_between_limbs_of_a_person_is_unseen_too():
    """What is wider, probably the scene, or hardly covered by limbs is not."""
    copied, alpha = np.ones((12, 70, 4), np.float32), np.full((12, 70, 1), 3, np.float32)
    for first, last, mask in ((6, 8, 0.1), (20, 24, 0.1), (36, 38, 0.7), (48, 50, 0.1), (60, 62, 0.1)):
        copied[:, first:last, 3] = mask
    covered = np.full((12, 70, 1), 0.9, np.float32)
    alpha[:, 42:54], covered[:, 54:] = 0.2, 0.4
    found = unseen(copied, covered, covered, alpha)
    assert (found[6:8] > 0.99).all()
    np.testing.assert_allclose(np.delete(found, [6, 7]), 0, atol=0.01)


@pytest.mark.parametrize("sure", [1, 0.6])
def test_an_arm_covers_what_lies_near_its_axis_if_it_is_as_visible_as_the_torso(sure):
    joints = np.zeros((2, 23, 3), np.float32)
    # A forearm in row 100, the other one, less visible, in row 200, and a calf.
    places = {"right_elbow": (60, 100, 1), "right_wrist": (160, 100, 0.95), "left_elbow": (60, 200, 1)}
    places |= {"left_wrist": (160, 200, 0.7), "right_knee": (60, 240, 1), "right_ankle": (160, 240, 1)}
    # Upper arms without length.
    places |= {"right_shoulder": (60, 100, 1), "left_shoulder": (60, 200, 1)}
    places |= dict.fromkeys(("right_hip", "left_hip"), (9, 9, 1))
    for name, place in places.items():
        joints[0, BODY.joint_index(name)] = place
    joints = tf.constant(joints * [1, 1, sure], tf.float32)
    cores = pose_maps.limb_cores(joints, BODY, 256, 256, 2)
    found = person_fill.arms_before(cores, pose_maps.limb_visibility(joints, BODY), BODY).numpy()[..., 0]
    rows = 2 * np.arange(128) + 0.5
    assert (found[0, np.abs(rows - 100) < 6, 55] > 0.99).all() and (found[0, np.abs(rows - 100) > 12, 40:] == 0).all()
    assert (found[0, 50, 20] == 0).all() and (found[0, 50, 90:] == 0).all()  # before the elbow, beyond the wrist
    assert (found[1] == 0).all()


@pytest.mark.parametrize("limb", ["torso", "left_thigh"])
def test_a_shirt_behind_an_arm_takes_the_shirts_colour_and_trousers_that_of_trousers(limb):
    """The arm, whose edge is wider than its core, is nearer than the shirt, and so is another arm, on the right."""
    copied = np.ones((1, 32, 48, 4), np.float32)
    copied[..., :3], copied[:, 8:20, :, :3], copied[:, :, 40:, :3] = DARK, SKIN, SKIN
    arms = np.zeros((1, 32, 48, 1), np.float32)
    arms[:, 10:18] = 1
    weights = np.full((1, 32, 48, 15), 0.1 / 14, np.float32)
    index = [one.name for one in BODY.limbs].index(limb)
    weights[..., :40, index], weights[..., 40:, 0] = 0.9, 0.9
    parts = person_fill.broad_parts(tf.constant(weights), BODY)
    ones = np.ones((1, 32, 48, 1), np.float32)
    for alpha, part in ((6.0, 1.0), (0.0, 0.0)):
        inputs = (copied, ones, ones, alpha * ones, arms)
        filled, colours = (maps.numpy()[0] for maps in person_fill.filling(*map(tf.constant, inputs), parts))
        np.testing.assert_allclose(filled[10:18, :40], part, atol=0.01)
        # Beside the arm, and where the arm itself is chosen.
        np.testing.assert_allclose(filled[:10], 0, atol=1e-3)
        np.testing.assert_allclose(filled[:, 40:], 0, atol=1e-3)
        if part:
            np.testing.assert_allclose(colours[10:18, :40], np.broadcast_to(DARK, (8, 40, 3)), atol=0.02)


def test_a_skeleton_without_arms_hides_nothing():
    snake = Skeleton("snake", ("head", "tail"), (Limb("body", ("head", "tail")),), root="body")
    weights = tf.ones([1, 8, 8, 2]) / 2
    parts = person_fill.broad_parts(weights, snake)
    arms = person_fill.arms_before(tf.ones([1, 8, 8, 1]), tf.ones([1, 1]), snake)
    assert not np.any(arms) and not any(np.any(part) for part in parts)


def test_unseen_colours_are_nearbys_and_replaced_ones_mixed_and_finer_detail_stays():
    rng = np.random.default_rng(2)
    copied, nearby, colour, detail = rng.uniform(-1, 1, (4, 5, 3))
    unseen, replace = np.array([[0], [1], [0], [1], [0.3]]), np.array([[0], [0], [1], [1], [0.6]])
    gain, offset = compositing.correction(copied, unseen, nearby, replace, colour)
    seen = (1 - replace) * copied + replace * colour
    np.testing.assert_allclose(gain * copied + offset, (1 - unseen) * seen + unseen * nearby)
    kept = gain * (copied + detail) + offset - (gain * copied + offset)
    np.testing.assert_allclose(kept[[0, 1, 2, 3]], [detail[0], *np.zeros((3, 3))], atol=1e-12)
    assert (np.abs(kept[4]) > 0.4 * np.abs(detail[4])).all()
