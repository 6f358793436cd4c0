import numpy as np
import tensorflow as tf

from tf_unseen_pose.geometry import skinning


def test_blended_displacement_is_linear_blend_skinning():
    rng = np.random.default_rng(5)
    transforms, weights = rng.normal(size=(2, 3, 2, 3)), rng.dirichlet(np.ones(3), (2, 4, 6))
    found = skinning.blended_displacement(tf.constant(transforms), tf.constant(weights), 2).numpy()
    for b, row, column in np.ndindex(2, 4, 6):
        pixel = np.array([2 * column + 0.5, 2 * row + 0.5])
        blended = np.tensordot(weights[b, row, column], transforms[b], 1)
        np.testing.assert_allclose(found[b, row, column], blended[:, :2] @ pixel + blended[:, 2] - pixel, atol=1e-10)


def test_limbs_count_by_how_near_their_places_are_to_the_likeliest():
    rng = np.random.default_rng(6)
    transforms, weights = rng.normal(size=(2, 4, 2, 3)), rng.dirichlet(np.ones(4), (2, 3, 5))
    found = skinning.agreeing_weights(tf.constant(transforms), tf.constant(weights), 2, 3.0).numpy()
    for b, row, column in np.ndindex(2, 3, 5):
        pixel, shares = np.array([2 * column + 0.5, 2 * row + 0.5, 1]), weights[b, row, column]
        places = transforms[b] @ pixel
        distances = np.linalg.norm(places - places[shares.argmax()], axis=-1)
        expected = shares * (np.exp(-0.5 * (distances / 3) ** 2) + 1e-6)
        np.testing.assert_allclose(found[b, row, column], expected / expected.sum(), atol=1e-10)


def test_two_equal_limbs_that_are_far_apart_share():
    transforms = np.float32([[[[1, 0, -500], [0, 1, 0]], [[1, 0, 500], [0, 1, 0]], [[1, 0, 0], [0, 1, 90]]]])
    weights = np.full((1, 2, 2, 3), [0.45, 0.45, 0.1], np.float32)
    found = skinning.agreeing_weights(tf.constant(transforms), tf.constant(weights), 1, 12.0)
    np.testing.assert_allclose(found[..., :2], found[..., 1::-1])
    assert np.isfinite(found).all()


def test_a_limb_is_chosen_less_where_only_another_one_covers():
    """The first limb is likelier everywhere, and covers the first pixel alone; the third choice is to stay."""
    weights = np.float32([0.8, 0.15, 0.05]) * np.ones((1, 1, 4, 3), np.float32)
    coverage = np.float32([[[[1, 0, 1], [0.1, 1, 0], [0, 0, 0], [0.3, 0.2, 1]]]])
    made = skinning.covering_weights(tf.constant(weights), tf.constant(coverage)).numpy()[0, 0]
    np.testing.assert_allclose(made.sum(axis=-1), 1, atol=1e-6)
    # Where no other limb covers more, nothing changes; the person who stays is none.
    np.testing.assert_allclose(made[2:], weights[0, 0, 2:], atol=1e-6)
    missed = 1 - (0.8 * 0.1 + 0.15 * 1)
    ratio = weights[0, 0, 1, 0] / weights[0, 0, 1, 1] * (0.11 / 1.01) ** (2 * missed)
    np.testing.assert_allclose(made[1, 0] / made[1, 1], ratio, rtol=1e-5)
    assert made[0, 0] > 0.75 and made[1, 1] > 0.7


def test_nobody_stays_where_no_person_was_if_a_limb_covers_the_pixel():
    """However sure the network is of staying: what it would copy there is the scene."""
    weights = np.float32([1e-9, 1e-12, 1]) * np.ones((1, 1, 3, 3), np.float32)
    coverage = np.float32([[[[0.8, 0.2, 0], [0.8, 0.2, 0.9], [0, 0, 0]]]])
    moved, *stays = skinning.covering_weights(tf.constant(weights), tf.constant(coverage)).numpy()[0, 0]
    assert moved[0] > 0.99 and np.min(stays, axis=0)[2] > 0.99
