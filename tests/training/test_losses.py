"""Each loss against a loop or a closed form in NumPy; examples of a batch must not mix."""

import numpy as np
import tensorflow as tf

from tf_unseen_pose.training import losses


def random(*shape, seed=0, low=0.0, high=1.0):
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def test_l1_is_per_example():
    a, b = random(3, 4, 5, 3, seed=1), random(3, 4, 5, 3, seed=2)
    np.testing.assert_allclose(losses.l1(a, b), [np.abs(a[i] - b[i]).mean() for i in range(3)], rtol=1e-5)


def test_perceptual_counts_channels_in_units_of_their_deviation():
    shapes = [(2, 6, 8, 3), (2, 3, 4, 5)]
    target, image = ([random(*s, seed=i + k) for i, s in enumerate(shapes)] for k in (0, 10))
    deviations = [random(3, seed=20), random(5, seed=21)]
    expected = []
    for b in range(2):
        maps = []
        for t, i, d in zip(target, image, deviations, strict=True):
            maps.append(np.mean([np.abs(t[b, ..., c] - i[b, ..., c]).mean() / (d[c] + 0.1) for c in range(len(d))]))
        expected.append(np.mean(maps))
    np.testing.assert_allclose(losses.perceptual(target, image, deviations), expected, rtol=1e-5)


def test_adversarial_is_cross_entropy_of_the_patches():
    logits = random(2, 3, 4, 1, low=-4, high=4)
    probability = 1 / (1 + np.exp(-logits.astype(np.float64)))
    np.testing.assert_allclose(losses.adversarial(logits, True), -np.log(probability).mean((1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(losses.adversarial(logits, False), -np.log(1 - probability).mean((1, 2, 3)), rtol=1e-5)


def test_mask_cross_entropy_is_least_at_the_mask_and_finite_at_the_ends():
    mask = random(2, 4, 5, 1)
    at_mask = losses.mask_cross_entropy(mask, mask)
    for other in (mask * 0.9, mask * 0.5 + 0.3):
        assert (losses.mask_cross_entropy(mask, other) > at_mask).numpy().all()
    p = mask.astype(np.float64)
    np.testing.assert_allclose(at_mask, -(p * np.log(p) + (1 - p) * np.log(1 - p)).mean((1, 2, 3)), rtol=1e-4)
    assert np.isfinite(losses.mask_cross_entropy(np.ones_like(mask), np.zeros_like(mask))).all()


def test_background_l1_looks_only_where_the_target_shows_it_and_most_into_the_hole():
    target, background = random(1, 1, 4, 3, seed=1), random(1, 1, 4, 3, seed=2)
    source_mask = np.array([0, 1, 0, 1], np.float32).reshape(1, 1, 4, 1)
    target_mask = np.array([0, 0, 1, 1], np.float32).reshape(1, 1, 4, 1)
    difference = np.abs(target - background).mean(-1)[0, 0]
    expected = (1 * difference[0] + 4 * difference[1]) / 5
    np.testing.assert_allclose(
        losses.background_l1(target, background, source_mask, target_mask), [expected], rtol=1e-5
    )
    # Nothing of the background is seen: no loss, not 0 / 0.
    nothing = losses.background_l1(target, background, source_mask, tf.ones_like(target_mask))
    np.testing.assert_array_equal(nothing, [0])


def test_blended_colours_count_where_the_result_is_copied():
    rng = np.random.default_rng(4)
    target, copied = rng.uniform(-1, 1, (2, 8, 12, 3)), rng.uniform(0, 1, (2, 8, 12, 1))
    blended = rng.uniform(-1, 1, (2, 2, 3, 3))
    expected = np.zeros(2)
    for b, row, column in np.ndindex(2, 2, 3):
        cell = (b, slice(4 * row, 4 * row + 4), slice(4 * column, 4 * column + 4))
        difference = np.abs(target[cell].mean((0, 1)) - blended[b, row, column]).mean()
        expected[b] += copied[cell].mean() * difference / 6
    copied = tf.Variable(copied)
    with tf.GradientTape() as tape:
        found = losses.blend_l1(tf.constant(target), tf.constant(blended), copied)
    np.testing.assert_allclose(found, expected)
    assert tape.gradient(found, copied) is None


def test_ssim_loss_is_that_of_a_loop():
    """Every 11 x 11 window by itself, with a Gaussian of 1.5 pixels."""
    rng = np.random.default_rng(5)
    target = rng.uniform(-1, 1, (2, 13, 15, 3))
    image = np.clip(target + rng.normal(0, 0.3, target.shape), -1, 1)
    bell = np.exp(-(np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window = (np.outer(bell, bell) / bell.sum() ** 2)[..., None]
    found = []
    for x, y in zip(target, image, strict=True):
        values = []
        for i in range(3):
            for j in range(5):
                a, b = x[i : i + 11, j : j + 11], y[i : i + 11, j : j + 11]
                mean_a, mean_b = (window * a).sum((0, 1)), (window * b).sum((0, 1))
                var_a, var_b = (window * a * a).sum((0, 1)) - mean_a**2, (window * b * b).sum((0, 1)) - mean_b**2
                covariance = (window * a * b).sum((0, 1)) - mean_a * mean_b
                c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
                values.append(
                    (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
                    / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
                )  # fmt: skip
        found.append((1 - np.mean(values)) / 2)
    np.testing.assert_allclose(losses.ssim_loss(np.float32(target), np.float32(image)), found, rtol=1e-4)
    assert losses.ssim_loss(np.float32(target), np.float32(target)).numpy().max() < 1e-6


def test_replacing_costs_where_the_person_is():
    rng = np.random.default_rng(4)
    replace, alpha = tf.constant(rng.uniform(size=(2, 3, 4, 1))), tf.constant(rng.uniform(size=(2, 3, 4, 1)))
    with tf.GradientTape() as tape:
        tape.watch([replace, alpha])
        found = losses.replaced_part(replace, alpha)
    np.testing.assert_allclose(found, [(replace[b] * alpha[b]).numpy().mean() for b in range(2)])
    by_replace, by_alpha = tape.gradient(found, [replace, alpha])
    np.testing.assert_allclose(by_replace, alpha / 12)
    assert by_alpha is None


def test_squares_are_cut_out_each_at_its_corner():
    images, corners = random(3, 9, 11, 3), np.int32([[0, 7], [5, 0], [2, 3]])
    found = losses.squares(tf.constant(images), tf.constant(corners), 4)
    for image, (row, column), square in zip(images, corners, found, strict=True):
        np.testing.assert_array_equal(square, image[row : row + 4, column : column + 4])
