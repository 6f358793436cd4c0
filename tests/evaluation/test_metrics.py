"""Every formula against loops or against cases whose answer is known."""

import math

import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.evaluation import metrics
from tf_unseen_pose.imaging.person_measures import person_height
from tf_unseen_pose.known_skeletons import PERSON
from tf_unseen_pose.training.losses import perceptual


def looped_ssim(image, other):
    """SSIM about every pixel that the window reaches, by Wang et al.'s formula."""
    offsets = np.arange(-5, 6)
    bell = np.exp(-(offsets**2) / (2 * 1.5**2))
    window = np.outer(bell, bell) / np.outer(bell, bell).sum()
    a, b = image / 255.0, other / 255.0
    height, width = image.shape[0] - 10, image.shape[1] - 10
    result = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            for c in range(3):
                p, q = (values[y : y + 11, x : x + 11, c] for values in (a, b))
                m, n = (window * p).sum(), (window * q).sum()
                var_p, var_q = (window * (p - m) ** 2).sum(), (window * (q - n) ** 2).sum()
                cov = (window * (p - m) * (q - n)).sum()
                upper = (2 * m * n + 0.01**2) * (2 * cov + 0.03**2)
                result[y, x] += upper / ((m**2 + n**2 + 0.01**2) * (var_p + var_q + 0.03**2)) / 3
    return result


def test_ssim_map_equals_the_formula_and_averages_to_tensorflows(picture):
    image, other = picture(0, 13, 16), picture(1, 13, 16)
    found = metrics.ssim_map(image, other)
    np.testing.assert_allclose(found, looped_ssim(image, other), atol=1e-4)
    expected = float(tf.image.ssim(metrics.unit(image), metrics.unit(other), 1.0))
    assert metrics.weighted_mean(found, np.ones_like(found)) == pytest.approx(expected, abs=1e-5)
    assert found.shape == metrics.without_border(np.zeros((13, 16))).shape


def test_the_ssim_of_a_region_sees_what_is_there(picture):
    image = picture(2, 40, 60)
    spoilt = image.copy()
    spoilt[8:16, 8:16] = 255 - spoilt[8:16, 8:16]
    similarity = metrics.ssim_map(image, spoilt)
    mask = np.zeros((40, 60))
    mask[8:16, 8:16] = 1
    far = np.zeros((40, 60))
    far[30:, 40:] = 1
    assert metrics.weighted_mean(similarity, metrics.without_border(mask)) < 0.5
    assert metrics.weighted_mean(similarity, metrics.without_border(far)) == pytest.approx(1, abs=1e-5)


def test_weighted_mean_equals_a_loop_and_needs_a_pixel():
    rng = np.random.default_rng(0)
    values, weight = rng.normal(size=(4, 5, 3)), rng.uniform(size=(4, 5))
    total = sum(values[y, x].mean() * weight[y, x] for y in range(4) for x in range(5))
    assert metrics.weighted_mean(values, weight) == pytest.approx(total / weight.sum())
    assert math.isnan(metrics.weighted_mean(values, 0.04 * np.ones((4, 5))))


def test_psnr_is_tensorflows_and_that_of_a_part(picture):
    image, other = picture(3), picture(4)
    whole = np.ones((20, 26))
    assert metrics.psnr(image, other, whole) == pytest.approx(float(tf.image.psnr(image, other, 255)), abs=1e-3)
    half = whole.copy()
    half[:, 9:] = 0
    assert metrics.psnr(image, other, half) == pytest.approx(
        float(tf.image.psnr(image[:, :9], other[:, :9], 255)), abs=1e-3
    )
    assert metrics.psnr(image, image, whole) == 100
    assert math.isnan(metrics.psnr(image, other, 0 * whole))


def maps(seed):
    rng = np.random.default_rng(seed)
    return [tf.constant(rng.normal(size=shape), tf.float32) for shape in ((2, 8, 12, 3), (2, 4, 6, 2))]


def test_perceptual_error_is_the_losss_and_that_of_a_part():
    a, b, deviations = maps(0), maps(1), [np.float32([1, 2, 0.1]), np.float32([3, 0.5])]
    weight = np.random.default_rng(2).uniform(size=(2, 8, 12)).astype(np.float32)
    even = metrics.perceptual_error(a, b, deviations, tf.ones((2, 8, 12)) * 0.3)
    np.testing.assert_allclose(even, perceptual(a, b, deviations), rtol=1e-5)
    found = metrics.perceptual_error(a, b, deviations, tf.constant(weight))
    for i in range(2):
        terms = []
        for p, q, deviation, factor in zip(a, b, deviations, (1, 2), strict=True):
            difference, sums = np.abs(p - q)[i] / (deviation + 0.1), [0.0, 0.0]
            for y in range(difference.shape[0]):
                for x in range(difference.shape[1]):
                    cell = weight[i, factor * y : factor * y + factor, factor * x : factor * x + factor].mean()
                    sums[0] += cell * difference[y, x].mean()
                    sums[1] += cell
            terms.append(sums[0] / sums[1])
        assert float(found[i]) == pytest.approx(np.mean(terms), rel=1e-4)
    empty = weight.copy()
    empty[1] = 0
    found = metrics.perceptual_error(a, b, deviations, tf.constant(empty)).numpy()
    assert np.isfinite(found[0]) and np.isnan(found[1])


def test_the_backgrounds_change_is_measured_beside_people_alone(picture):
    source = picture(5)
    people = np.zeros((20, 26), np.float32)
    people[:, :13] = 1
    result = source.copy()
    result[:, :13] = 0
    assert metrics.background_difference(result, source, people) == 0
    result[:, 13:] = np.clip(source[:, 13:].astype(int) - 51, 0, 255)
    expected = np.abs(source[:, 13:].astype(float) - result[:, 13:]).mean() / 255
    assert metrics.background_difference(result, source, people) == pytest.approx(expected, rel=1e-5)


def test_flicker_is_change_beyond_the_truths(picture):
    before, now = picture(6), picture(7)
    whole = np.ones((20, 26))
    darker = [frame // 3 for frame in (before, now)]
    # A fault that stays is none in time.
    truth = [frame // 2 for frame in (before, now)]
    shifted = [frame + picture(8) // 2 for frame in truth]
    assert metrics.flicker(shifted[1], shifted[0], truth[1], truth[0], whole) == 0
    # A still picture lacks all that moves.
    still = metrics.flicker(before, before, now, before, whole)
    assert still == pytest.approx(np.abs(now.astype(float) - before).mean() / 255, rel=1e-5)
    expected = np.abs((darker[1].astype(float) - darker[0]) - (now.astype(float) - before)).mean() / 255
    assert metrics.flicker(darker[1], darker[0], now, before, whole) == pytest.approx(expected, rel=1e-5)


def test_head_length_has_a_floor(joints):
    standing = joints(200, 160)[0]
    standing[0, :2], standing[1, :2] = (80, 20), (86, 52)
    assert metrics.head_length(standing, PERSON) == pytest.approx(np.hypot(6, 32))
    foreshortened = standing.copy()
    foreshortened[0, :2] = (85, 51)
    assert metrics.head_length(foreshortened, PERSON) == pytest.approx(0.1 * person_height(foreshortened, PERSON))
    absent = standing.copy()
    absent[0, 2] = 0
    assert metrics.head_length(absent, PERSON) == pytest.approx(0.1 * person_height(absent, PERSON))


def test_pckh_and_joint_error_on_hand_made_poses():
    target = np.zeros((14, 3), np.float32)
    target[:, 0], target[:, 1], target[:, 2] = np.arange(14) * 5, 30, 1
    target[13, 2] = 0  # absent
    target[12, :2] = (200, 30)  # off the picture
    counted = metrics.counted_joints(target, 60, 80)
    assert counted.tolist() == [True] * 12 + [False] * 2
    found = np.concatenate([target, np.zeros((14, 1), np.float32)], axis=1)
    found[:, 2] = 1
    found[0, 1] += 4.9
    found[1, 1] += 5.1
    found[2, 2] = 0  # not found
    assert metrics.pckh(found, target, 10, counted) == pytest.approx(10 / 12)
    assert metrics.joint_error(found, target, counted) == pytest.approx(10 / 11, rel=1e-5)
    assert metrics.pckh(None, target, 10, counted) == 0
    assert math.isnan(metrics.joint_error(None, target, counted))
    assert math.isnan(metrics.pckh(found, target, 10, counted & False))
