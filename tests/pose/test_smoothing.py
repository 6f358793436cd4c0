"""Smoothing, against the published algorithm written for one number at a time and rules worked out by hand."""

import math

import numpy as np
import pytest

from tf_unseen_pose.pose.smoothing import fill_gaps, smooth


class ScalarOneEuro:
    """Algorithm 1 of Casiez et al. 2012."""

    def __init__(self, rate, least_cutoff, beta, speed_cutoff):
        self.rate, self.least_cutoff, self.beta, self.speed_cutoff = rate, least_cutoff, beta, speed_cutoff
        self.value = None

    def alpha(self, cutoff):
        tau = 1 / (2 * math.pi * cutoff)
        return 1 / (1 + tau * self.rate)

    def __call__(self, x):
        if self.value is None:
            self.value, self.speed = x, 0.0
            return x
        alpha = self.alpha(self.speed_cutoff)
        self.speed = alpha * (x - self.value) * self.rate + (1 - alpha) * self.speed
        alpha = self.alpha(self.least_cutoff + self.beta * abs(self.speed))
        self.value = alpha * x + (1 - alpha) * self.value
        return self.value


def moving(frame_count, seed=0):
    """Three joints that move and jitter alike, so that the person is always 80 pixels: [T, 3, 3]."""
    rng = np.random.default_rng(seed)
    times = np.arange(frame_count) / 25
    path = np.stack([60 * np.sin(3 * times), 90 * times], axis=1) + rng.normal(0, 2, (frame_count, 2))
    points = np.array([[100, 20], [130, 100], [90, 60]]) + path[:, None]
    return np.concatenate([points, np.ones((frame_count, 3, 1))], axis=2).astype(np.float32)


@pytest.mark.parametrize("cutoffs", [(1.0, 5.0, 1.0), (2.0, 20.0, 3.0)])
def test_is_the_published_filter_forward_and_backward(cutoffs):
    joints = moving(40)
    smoothed = smooth(joints, 25, 0.3, 0, *cutoffs)
    for j in range(3):
        for axis in range(2):
            track = (joints[:, j, axis] / 80).tolist()
            forward, backward = ScalarOneEuro(25, *cutoffs), ScalarOneEuro(25, *cutoffs)
            there, back = [forward(x) for x in track], [backward(x) for x in reversed(track)]
            expected = [(a + b) / 2 * 80 for a, b in zip(there, reversed(back), strict=True)]
            np.testing.assert_allclose(smoothed[:, j, axis], expected, atol=1e-3)
    np.testing.assert_array_equal(smoothed[..., 2], 1)


def test_a_resting_person_stays(standing):
    joints = np.repeat(standing[None], 12, axis=0)
    np.testing.assert_allclose(smooth(joints, 30), joints, atol=1e-4)


def test_jitter_shrinks(standing):
    truth = np.repeat(standing[None], 60, axis=0)
    truth[..., 0] += np.linspace(0, 40, 60)[:, None]
    noise = np.random.default_rng(1).normal(0, 2, (60, 14, 2))
    jittered = truth.copy()
    jittered[..., :2] += noise
    error = np.abs(smooth(jittered, 30) - truth)[..., :2].mean()
    assert error < 0.6 * np.abs(noise).mean()


def test_a_ramp_does_not_lag(standing):
    joints = np.repeat(standing[None], 80, axis=0)
    joints[..., :2] += np.arange(80)[:, None, None] * np.array([3, -1])
    smoothed = smooth(joints, 25)
    np.testing.assert_allclose(smoothed[30:50], joints[30:50], atol=0.02)
    # A single run lags behind.
    forward = ScalarOneEuro(25, 2.0, 20.0, 1.0)
    track = [forward(x) for x in (joints[:, 0, 0] / 174).tolist()]
    assert joints[50, 0, 0] - track[50] * 174 > 0.5


def test_a_wrong_frame_is_dropped(standing):
    joints = np.repeat(standing[None], 30, axis=0)
    joints[..., 0] += np.arange(30)[:, None]
    wrong = joints.copy()
    wrong[13, :, 1] += 50
    np.testing.assert_allclose(smooth(wrong, 25)[:, :, 1], joints[:, :, 1], atol=1e-3)
    # Without a median the filter follows.
    assert smooth(wrong, 25, median_span=0)[13, 0, 1] > joints[13, 0, 1] + 20


def test_the_median_keeps_a_ramp_with_a_gap():
    joints = moving(40)
    joints[..., :2] = joints[0, :, :2] + np.arange(40)[:, None, None] * np.array([5, -2])
    joints[18:31, 1] = 0
    np.testing.assert_allclose(smooth(joints, 50, median_span=0.1), smooth(joints, 50, median_span=0), atol=1e-3)


def test_short_gaps_are_filled():
    joint = np.zeros((12, 1, 3), np.float32)
    joint[1, 0], joint[5, 0], joint[10, 0] = (10, 100, 0.8), (30, 60, 0.6), (7, 8, 1)
    filled = fill_gaps(joint, longest=3)
    np.testing.assert_allclose(filled[2:5, 0], [(15, 90, 0.6), (20, 80, 0.6), (25, 70, 0.6)], atol=1e-5)
    kept = [0, 1, 5, 6, 7, 8, 9, 10, 11]
    np.testing.assert_array_equal(filled[kept], joint[kept])
    np.testing.assert_array_equal(fill_gaps(joint, longest=2), joint)


def test_each_joint_has_its_own_gaps():
    joints = moving(20)
    joints[5:8, 1] = 0
    joints[5:9, 2, 2] = 0
    smoothed = smooth(joints, fps=10, longest_gap=0.3)
    assert (smoothed[5:8, 1, 2] == 1).all()
    np.testing.assert_array_equal(smoothed[5:9, 2], 0)
    np.testing.assert_allclose(smoothed[:, 0], smooth(moving(20), fps=10)[:, 0], atol=1e-3)


def test_starts_anew_after_a_long_gap():
    joints = moving(40)
    joints[12:25] = 0
    smoothed = smooth(joints, fps=25)
    np.testing.assert_allclose(smoothed[25:], smooth(joints[25:], fps=25), atol=1e-3)
    np.testing.assert_allclose(smoothed[:12], smooth(joints[:12], fps=25), atol=1e-3)
    np.testing.assert_array_equal(smoothed[12:25], 0)


def test_depth_is_filtered_like_the_other_coordinates():
    """A person whose z is another one's y has that one's smoothed y as z, gaps and wrong frames included."""
    joints = moving(60, seed=4)
    joints[20:23, 1] = 0  # to be filled
    joints[35:50, 2] = 0  # not to be
    deep = np.concatenate([joints, joints[..., 1:2]], axis=-1)
    smoothed = smooth(deep, 25)
    assert smoothed.shape == (60, 3, 4) and smoothed.dtype == np.float32
    np.testing.assert_array_equal(smoothed[..., :3], smooth(joints, 25))
    np.testing.assert_array_equal(smoothed[..., 3], smoothed[..., 1])
    assert (smoothed[20:23, 1, 2] == 1).all() and not smoothed[35:50, 2].any()
    # A depth that is wrong for a frame is dropped, and neither size nor place of the joint depends on depth.
    wrong = deep.copy()
    wrong[..., 3] = np.arange(60)[:, None] * 2 - 500
    expected = smooth(wrong, 25)[..., 3]
    wrong[10, :, 3] += 300
    dropped = smooth(wrong, 25)
    np.testing.assert_allclose(dropped[..., 3], expected, atol=3)
    np.testing.assert_array_equal(dropped[..., :3], smoothed[..., :3])


def test_gaps_in_depth_are_filled_straight():
    joint = np.zeros((6, 1, 4), np.float32)
    joint[1, 0], joint[4, 0] = (10, 100, 0.8, -30), (40, 70, 0.6, 60)
    np.testing.assert_allclose(fill_gaps(joint, 3)[2:4, 0], [(20, 90, 0.6, 0), (30, 80, 0.6, 30)], atol=1e-5)


def test_resolution_does_not_matter():
    joints = moving(30)
    larger = joints * np.float32([3.5, 3.5, 1])
    np.testing.assert_allclose(smooth(larger, 25), smooth(joints, 25) * [3.5, 3.5, 1], rtol=1e-4, atol=1e-3)
