from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.evaluation import metrics
from tf_unseen_pose.evaluation.evaluation_pairs import EvaluationPair
from tf_unseen_pose.evaluation.example_pictures import ExampleReader
from tf_unseen_pose.evaluation.result_metrics import Measuring, PerceptualError, measure_flicker


class Detector:
    """Finds what it is told to; remembers what it was shown."""

    def __init__(self, joints):
        self.joints, self.seen = joints, []

    def detect(self, image):
        self.seen.append(image)
        return None if self.joints is None else SimpleNamespace(joints=self.joints)


@pytest.fixture
def example(dataset, config):
    return ExampleReader(dataset, config).within(EvaluationPair(1, 0, 1, 3))


def two_maps(images):
    return [images, tf.nn.avg_pool2d(images, 2, 2, "VALID")[..., :2]]


def test_the_truth_is_perfect_and_the_background_its_own(example):
    detector = Detector(np.concatenate([example.target_joints, np.zeros((14, 1), np.float32)], axis=1))
    perceptual = PerceptualError(two_maps, [np.ones(3, np.float32), np.ones(2, np.float32)])
    found = Measuring(perceptual, detector).against(example).measure(example.target)
    for suffix in ("", "_inside", "_outside"):
        assert found[f"ssim{suffix}"] == pytest.approx(1, abs=1e-5)
        assert found[f"psnr{suffix}"] == 100 and found[f"vgg{suffix}"] == 0
    assert (found["pckh"], found["found"]) == (1, 1) and found["joint_error"] < 1e-4
    assert found["background"] == metrics.background_difference(example.target, example.source, example.people)
    np.testing.assert_array_equal(detector.seen[0], example.target)


def test_regions_see_their_own_part(example):
    perceptual = PerceptualError(two_maps, [np.ones(3, np.float32), np.ones(2, np.float32)])
    comparison = Measuring(perceptual, None).against(example)
    spoilt = np.where(example.target_mask[..., None] > 0.5, 255 - example.target, example.target)
    found = comparison.measure(spoilt)
    assert found["psnr_inside"] < 15 < found["psnr"] < found["psnr_outside"]
    assert found["ssim_inside"] < found["ssim"] < found["ssim_outside"]
    assert found["vgg_inside"] > found["vgg"] > found["vgg_outside"]
    assert "pckh" not in found
    weight = example.target_mask
    difference = np.abs(2 * metrics.difference(spoilt, example.target)).mean(axis=-1)
    first = (difference * weight).sum() / weight.sum() / 1.1
    # The second map's share, by its own two channels, reduced by two.
    pooled = [2 * of.reshape(32, 2, 32, 2, 3).mean((1, 3))[..., :2] / 255 for of in (spoilt, example.target)]
    reduced = weight.reshape(32, 2, 32, 2).mean((1, 3))
    second = (np.abs(pooled[0] - pooled[1]).mean(-1) * reduced).sum() / reduced.sum() / 1.1
    assert found["vgg_inside"] == pytest.approx((first + second) / 2, rel=1e-3)


def test_nobody_found_is_nothing_right(example):
    found = Measuring(None, Detector(None)).against(example).pose(example.source)
    assert (found["pckh"], found["found"]) == (0, 0) and np.isnan(found["joint_error"])


def test_without_a_truth_there_is_no_likeness(example):
    blind = replace(example, target=None)
    found = Measuring(None, Detector(blind.target_joints)).against(blind).measure(example.source)
    assert set(found) == {"pckh", "joint_error", "found", "background"} and found["background"] == 0


def test_flicker_by_region(example, dataset, config):
    later = ExampleReader(dataset, config).within(EvaluationPair(1, 0, 1, 4))
    found = measure_flicker((example.target, later.target), (example, later))
    assert found == {"flicker": 0, "flicker_inside": 0, "flicker_outside": 0}
    still = measure_flicker((example.source, example.source), (example, later))
    assert still["flicker_inside"] > still["flicker"] > still["flicker_outside"]
    person = np.maximum(example.target_mask, later.target_mask)
    expected = metrics.weighted_mean(np.abs(metrics.difference(later.target, example.target)), person)
    assert still["flicker_inside"] == pytest.approx(expected, rel=1e-4)
