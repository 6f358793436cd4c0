import numpy as np
import tensorflow as tf

from tf_unseen_pose.geometry.tears import enlarged_displacement


def test_a_displacement_is_enlarged_from_the_side_of_a_tear_that_weighs_most():
    rng = np.random.default_rng(7)
    places = rng.uniform(-3, 3, (1, 4, 5, 2)) + 30 * rng.integers(0, 2, (1, 4, 5, 1))
    height, width = 9, 13
    found = enlarged_displacement(tf.constant(places), tf.constant([height, width])).numpy()
    torn = 0
    for row, column in np.ndindex(height, width):
        y, x = np.clip((row + 0.5) * 4 / height - 0.5, 0, 3), np.clip((column + 0.5) * 5 / width - 0.5, 0, 4)
        corners = [
            (max(1 - abs(y - i), 0) * max(1 - abs(x - j), 0), places[0, i, j]) for i, j in np.ndindex(places.shape[1:3])
        ]
        # Places below 15 are one limb's, those above the other's.
        sides = [[pair for pair in corners if (pair[1][0] > 15) == side] for side in (False, True)]
        best = max(sides, key=lambda side: sum(weight for weight, _ in side))
        support = sum(weight for weight, _ in best)
        if abs(support - 0.5) < 1e-9:
            continue
        torn += 0.5 < support < 1 - 1e-9
        expected = sum(weight * place for weight, place in best) / support
        np.testing.assert_allclose(found[0, row, column], expected, atol=1e-9)
    assert torn > 20


def test_without_a_tear_it_is_a_plain_resize():
    places = np.random.default_rng(8).uniform(-3, 3, (2, 4, 6, 2)).astype(np.float32)
    found = enlarged_displacement(tf.constant(places), tf.constant([11, 12]))
    np.testing.assert_allclose(found, tf.image.resize(places, [11, 12]), atol=1e-5)
