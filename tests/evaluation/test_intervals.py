import numpy as np
import pytest

from tf_unseen_pose.evaluation.intervals import estimate


def test_two_clips_reach_from_the_one_to_the_other():
    # A quarter of the resamples hold the one clip twice, a quarter the other one.
    found = estimate(np.array([1.0, 3.0, 3.0, 3.0]), np.array([7, 2, 2, 2]), seed=0)
    assert (found.mean, found.low, found.high, found.count, found.clips) == (2.5, 1, 3, 4, 2)


def test_many_clips_give_the_normal_interval():
    values = np.random.default_rng(0).normal(5, 2, 400)
    found = estimate(values, np.arange(400), seed=1, resamples=4000)
    half = 1.96 * values.std() / 20
    assert found.mean == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - half, abs=0.02)
    assert found.high == pytest.approx(values.mean() + half, abs=0.02)


def test_pairs_of_one_clip_are_no_independent_evidence():
    of_clip = np.random.default_rng(2).normal(size=30)
    once = estimate(of_clip, np.arange(30), seed=3)
    often = estimate(np.repeat(of_clip, 20), np.repeat(np.arange(30), 20), seed=3)
    assert (often.low, often.high) == pytest.approx((once.low, once.high))


def test_clips_of_many_pairs_weigh_more():
    values, clips = np.array([0.0, 0, 0, 0, 0, 0, 6, 8]), np.array([0, 0, 0, 0, 0, 0, 1, 2])
    found = estimate(values, clips, seed=4)
    # By a loop with numbers of its own.
    rng, means = np.random.default_rng(99), []
    for _ in range(4000):
        drawn = [values[clips == clip] for clip in rng.integers(3, size=3)]
        means.append(np.concatenate(drawn).mean())
    assert found.mean == 1.75
    assert (found.low, found.high) == pytest.approx(np.percentile(means, [2.5, 97.5]), abs=0.1)


def test_unknown_values_are_left_out_and_one_clip_has_no_interval():
    values = np.array([2.0, np.nan, 4.0])
    found = estimate(values, np.array([0, 1, 0]), seed=0)
    assert (found.mean, found.low, found.high, found.count, found.clips) == (3, None, None, 2, 1)
    assert estimate(values[1:2], np.array([0]), seed=0) is None


def test_the_seed_decides():
    values, clips = np.random.default_rng(5).normal(size=40), np.arange(40) // 2
    one, same, other = (estimate(values, clips, seed) for seed in (1, 1, 2))
    assert one == same and one.low != other.low
