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
