import numpy as np
import pytest

from tf_unseen_pose.config import DataConfig
from tf_unseen_pose.data.augmentation import Augmentation
from tf_unseen_pose.known_skeletons import PERSON


def test_draws_fill_their_ranges():
    config = DataConfig(scale=(0.8, 1.5), rotation=20, shift=7, brightness=(0.5, 0.9))
    generator = np.random.default_rng(0)
    draws = [Augmentation.draw(generator, config) for _ in range(2000)]
    for values, low, high in (
        ([d.scale for d in draws], 0.8, 1.5),
        ([d.rotation for d in draws], -20, 20),
        ([d.shift[0] for d in draws], -7, 7),
        ([d.shift[1] for d in draws], -7, 7),
        ([d.brightness for d in draws], 0.5, 0.9),
    ):
        assert low <= min(values) < low + 0.02 * (high - low) and high - 0.02 * (high - low) < max(values) <= high
        assert np.mean(values) == pytest.approx((low + high) / 2, abs=0.03 * (high - low))
    assert 0.45 < np.mean([d.flip for d in draws]) < 0.55
    assert abs(np.corrcoef([d.shift[0] for d in draws], [d.shift[1] for d in draws])[0, 1]) < 0.1
    assert not Augmentation.draw(generator, DataConfig(flip=False)).flip


def test_canvas_transform_by_hand():
    np.testing.assert_allclose(Augmentation().canvas_transform(5, 9), [[1, 0, 0], [0, 1, 0]], atol=1e-12)
    point = np.array([6, 2, 1])  # Two to the right of the centre (4, 2) of a 5 x 9 canvas.
    for change, expected in (
        (Augmentation(scale=1.5), [7, 2]),
        (Augmentation(rotation=90), [4, 4]),  # Clockwise: from the right to below.
        (Augmentation(shift=(3, -1)), [9, 1]),
        (Augmentation(flip=True), [2, 2]),
        (Augmentation(scale=2, rotation=90, shift=(1, 0), flip=True), [5, -2]),
    ):
        np.testing.assert_allclose(change.canvas_transform(5, 9) @ point, expected, atol=1e-9)


def test_a_flip_swaps_left_and_right(standing):
    flipped = Augmentation(flip=True).relabelled(standing, PERSON)
    for side, other in (("left", "right"), ("right", "left")):
        for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle"):
            (mine,), (its,) = PERSON.joint_index(f"{side}_{part}"), PERSON.joint_index(f"{other}_{part}")
            np.testing.assert_array_equal(flipped[mine], standing[its])
    np.testing.assert_array_equal(flipped[:2], standing[:2])
    assert Augmentation().relabelled(standing, PERSON) is standing
