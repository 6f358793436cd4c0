"""Sampling against scipy, OpenCV and finite differences."""

import cv2
import numpy as np
import pytest
import scipy.ndimage
import tensorflow as tf

from tf_unseen_pose.geometry import warping


def finite_difference(function, x, direction, step):
    return (function(x + step * direction) - function(x - step * direction)) / (2 * step)


def test_sampling_agrees_with_scipy_inside_the_image():
    rng = np.random.default_rng(12)
    image = rng.normal(size=(2, 11, 17, 3)).astype(np.float32)
    y, x = rng.uniform(0, 10, (2, 5, 6)), rng.uniform(0, 16, (2, 5, 6))
    sampled = warping.sample_bilinear(
        warping.with_border(image), tf.constant(x, tf.float32), tf.constant(y, tf.float32)
    ).numpy()
    for b, c in np.ndindex(2, 3):
        expected = scipy.ndimage.map_coordinates(image[b, ..., c], [y[b], x[b]], order=1)
        np.testing.assert_allclose(sampled[b, ..., c], expected, atol=1e-5)


def test_cubic_samples_are_opencvs_also_at_borders():
    rng = np.random.default_rng(15)
    images = rng.uniform(-1, 1, (2, 9, 14, 3)).astype(np.float32)
    # OpenCV rounds places to a 32nd.
    x, y = rng.integers(0, 13 * 32 + 1, (2, 6, 7)) / 32, rng.integers(0, 8 * 32 + 1, (2, 6, 7)) / 32
    x[0, 0, :3], y[1, 0, :3] = (0, 12.5, 13), (8, 0.25, 0)
    sampled = warping.sample_cubic(images, tf.constant(x, tf.float32), tf.constant(y, tf.float32)).numpy()
    for image, right, down, made in zip(images, np.float32(x), np.float32(y), sampled, strict=True):
        expected = cv2.remap(image, right, down, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        np.testing.assert_allclose(made, expected, atol=1e-5)
    beyond = warping.sample_cubic(images, tf.constant(x + 40.0, tf.float32), tf.constant(0 * y - 3, tf.float32))
    np.testing.assert_allclose(beyond.numpy()[1], np.broadcast_to(images[1, 0, 13], (6, 7, 3)), atol=1e-6)


def test_beyond_the_border_lies_one_mirrored_pixel_and_then_nothing_new():
    row = np.array([1.0, 5, 7, 2], np.float32)
    image = np.tile(row[None, None, :, None], (1, 3, 1, 1))
    x = np.array([[[-0.5, -1, -9, 3.5, 4, 40]]], np.float32)
    sampled = warping.sample_bilinear(warping.with_border(image), tf.constant(x), tf.ones_like(x)).numpy()[0, 0, :, 0]
    np.testing.assert_allclose(sampled, [(1 + 5) / 2, 5, 5, (2 + 7) / 2, 7, 7])


def test_warp_samples_where_target_to_source_points():
    image = np.random.default_rng(13).normal(size=(1, 9, 12, 2)).astype(np.float32)
    shift = np.array([[[1.0, 0, 2], [0, 1, -3]]], np.float32)
    warped = warping.warp(tf.constant(image), tf.constant(shift), height=6, width=5).numpy()
    assert warped.shape == (1, 6, 5, 2)
    np.testing.assert_allclose(warped[0, 3:, :], image[0, :3, 2:7])


def test_gradient_of_the_warp_equals_finite_differences():
    rng = np.random.default_rng(14)
    image, weight = rng.normal(size=(2, 2, 8, 10, 3))
    transform = np.array([[[0.9, -0.3, 1.1], [0.3, 1.1, -0.6]], [[1.2, 0.2, -1.4], [-0.2, 0.8, 1.7]]])
    # Bilinear interpolation has kinks at the pixels: with such coefficients no sample lies on one.
    transform += rng.uniform(0, 0.05, transform.shape)

    def function(image, transform):
        return tf.reduce_sum(weight * warping.warp(tf.constant(image), tf.constant(transform))).numpy()

    i, t = tf.Variable(image), tf.Variable(transform)
    with tf.GradientTape() as tape:
        value = tf.reduce_sum(weight * warping.warp(i, t))
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
