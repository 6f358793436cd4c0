"""The guided filter against the per-window normal equations, and on outlines that only colour shows."""

import numpy as np
import tensorflow as tf

from tf_unseen_pose.model.matte import guided_matte, person_mask, unknown_matte

RADIUS, EPSILON = 2, 1e-4


def by_windows(image, mask):
    """`guided_matte` of one image by ridge regression in every window, then their mean."""
    height, width = mask.shape
    guide = np.pad(image.astype(np.float64) * 0.5 + 0.5, [(RADIUS, RADIUS)] * 2 + [(0, 0)], "symmetric")
    values_around = np.pad(mask, RADIUS, "symmetric")

    def within(row, column):
        return np.s_[max(row - RADIUS, 0) : row + RADIUS + 1, max(column - RADIUS, 0) : column + RADIUS + 1]

    fitted = np.zeros((height, width, 4))
    for row, column in np.ndindex(height, width):
        window = np.s_[row : row + 2 * RADIUS + 1, column : column + 2 * RADIUS + 1]
        colours, values = guide[window].reshape(-1, 3), values_around[window].ravel()
        centred = colours - colours.mean(axis=0)
        factors = np.linalg.solve(
            centred.T @ centred / len(values) + EPSILON * np.eye(3), centred.T @ (values - values.mean()) / len(values)
        )
        fitted[row, column] = [*factors, values.mean() - factors @ colours.mean(axis=0)]
    places = np.ndindex(height, width)
    return np.array([fitted[within(*place)].mean(axis=(0, 1)) for place in places]).reshape(height, width, 4)


def test_coefficients_are_those_of_a_regression_in_every_window():
    rng = np.random.default_rng(0)
    image, mask = rng.uniform(-1, 1, (2, 9, 13, 3)).astype(np.float32), rng.uniform(0, 1, (2, 9, 13, 1))
    # Two channels that hardly differ, as in most photos, must not spoil the third.
    image[1, ..., 1] = image[1, ..., 0] + rng.normal(0, 0.01, (9, 13))
    made = guided_matte(tf.constant(image), tf.constant(mask, tf.float32)).numpy()
    for one, picture, values in zip(made, image, mask[..., 0], strict=True):
        np.testing.assert_allclose(one, by_windows(picture, values), atol=2e-4)


def test_rounding_does_not_decide_where_colours_hardly_vary():
    rng = np.random.default_rng(3)
    # A white coat before a wall that is hardly brighter.
    coat = np.arange(14)[:, None] > 7
    image = np.float32(0.9 - 0.03 * coat + rng.normal(0, 0.004, (10, 14, 3)))
    mask = np.float32(0.3 * coat + rng.uniform(0.4, 0.6, (10, 14, 1)))
    made = guided_matte(tf.constant(image[None]), tf.constant(mask[None])).numpy()[0]
    expected = by_windows(image, mask[..., 0].astype(np.float64))
    assert np.abs(expected).max() > 5
    np.testing.assert_allclose(made, expected, atol=2e-5)


def test_a_blurred_mask_is_sharp_at_an_edge_of_equal_brightness():
    image = np.full((1, 40, 44, 3), [0.6, -0.2, -0.4], np.float32)
    # The same brightness by Rec. 601's weights.
    image[:, :, 17:] = [-0.4, 0.31, -0.4]
    blurred = np.broadcast_to(np.clip((np.arange(44) - 14) / 6, 0, 1), (1, 40, 44))[..., None].astype(np.float32)
    mask = person_mask(image, guided_matte(tf.constant(image), tf.constant(blurred))).numpy()[0, 20, :, 0]
    assert mask[17] - mask[16] > 2.5 * (blurred[0, 20, 17, 0] - blurred[0, 20, 16, 0])
    np.testing.assert_allclose(mask[[2, 38]], [0, 1], atol=1e-3)


def test_an_unknown_mask_is_half_everywhere():
    image = tf.random.stateless_uniform([2, 8, 12, 3], [0, 1], -1, 1)
    matte = tf.image.resize(unknown_matte(image), [8, 12])
    np.testing.assert_array_equal(person_mask(image, matte), np.full((2, 8, 12, 1), 0.5, np.float32))
