"""Each against a loop over pixels; two limbs and staying on a canvas of 12 x 8, maps of half of that."""

import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.training import limb_losses

HEIGHT, WIDTH = 12, 8


@pytest.fixture
def labels():
    """Nobody, many of limb 1, few of limb 2."""
    return np.random.default_rng(8).choice(3, (2, HEIGHT, WIDTH), p=[0.3, 0.5, 0.2]).astype(np.uint8)


def _by_root_of_area(entropies: dict[int, list[float]]) -> float:
    """The mean of each label's mean, each by the root of how often it is there."""
    return np.average([np.mean(of) for of in entropies.values()], weights=[len(of) ** 0.5 for of in entropies.values()])


def test_the_segmentation_is_to_have_each_limbs_part_of_a_pixel(labels):
    masks = np.random.default_rng(4).dirichlet(np.ones(3), (2, HEIGHT // 2, WIDTH // 2))
    expected = []
    for label, mask in zip(labels, masks, strict=True):
        whole, limbs = [], {1: [], 2: []}
        for row, column in np.ndindex(HEIGHT, WIDTH):
            pixel, own = mask[row // 2, column // 2], label[row, column]
            whole.append(-np.log(1 - pixel[0] if own else pixel[0]))
            if own:
                limbs[own].append(-np.log(pixel[own] / (1 - pixel[0])))
        expected.append(np.mean(whole) + np.mean(label > 0) * _by_root_of_area(limbs))
    found = limb_losses.limb_cross_entropy(tf.constant(labels), tf.constant(masks, tf.float32))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_the_right_limb_is_chosen_or_what_leads_to_the_same_place(labels):
    """A unit of two pixels on 256 is one of 1/16 here, so that places are the same or they are not."""
    rng = np.random.default_rng(5)
    target = np.repeat(np.repeat(labels[:, ::2, ::2], 2, axis=1), 2, axis=2)
    source = target[::-1].copy()
    weights = rng.dirichlet(np.ones(3), (2, HEIGHT // 2, WIDTH // 2))
    # The first limb goes two pixels to the right and one turn of a right angle, the second stays in one example.
    turned, still = np.float32([[0, -1, 9], [1, 0, 0]]), np.float32([[1, 0, 0], [0, 1, 0]])
    moved = still + np.float32([[0, 0, 2], [0, 0, -2]])
    transforms = np.stack([[turned, still, still], [moved, turned, still]])
    expected = np.zeros(2)
    for b in range(2):
        entropies = {1: [], 2: []}
        for row, column in np.ndindex(HEIGHT // 2, WIDTH // 2):
            label = target[b, 2 * row, 2 * column]
            if label == 0:
                continue
            places = transforms[b] @ [2 * column + 0.5, 2 * row + 0.5, 1]
            x, y = (places[label - 1] - 0.5) / 2
            if not (0 <= x < WIDTH // 2 and 0 <= y < HEIGHT // 2):
                continue
            around = [
                source[b, 2 * j : 2 * j + 2, 2 * i : 2 * i + 2]
                for j in range(int(y) - 1, int(y) + 2) if 0 <= j < HEIGHT // 2
                for i in range(int(x) - 1, int(x) + 2) if 0 <= i < WIDTH // 2
            ]  # fmt: skip
            if any((block == label).any() for block in around):
                same = [np.allclose(place, places[label - 1], atol=0.1) for place in places]
                entropies[label].append(-np.log(weights[b, row, column][same].sum()))
        assert 1 < len(entropies[2]) < len(entropies[1]) < 20
        expected[b] = _by_root_of_area(entropies)
    arguments = (source, target, weights.astype(np.float32), transforms)
    found = limb_losses.choice_cross_entropy(*map(tf.constant, arguments))
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_choices_of_nearly_the_same_place_are_nearly_right(labels):
    """Staying misses a limb's place by three pixels of 256: exp(-9 / 4) of it is right."""
    person = np.ones((1, 256, 256), np.uint8)
    transforms = np.float32([[[[1, 0, 3], [0, 1, 0]], [[1, 0, 0], [0, 1, 0]]]])
    weights = np.tile(np.float32([0.3, 0.7]), (1, 128, 128, 1))
    found = limb_losses.choice_cross_entropy(*map(tf.constant, (person, person, weights, transforms)))
    np.testing.assert_allclose(found, [-np.log(0.3 + 0.7 * np.exp(-9 / 4))], rtol=2e-4)


def test_nobody_is_no_loss():
    nobody, transforms = np.zeros((1, 8, 8), np.uint8), np.zeros((1, 3, 2, 3), np.float32)
    weights = tf.Variable(np.full((1, 4, 4, 3), 1 / 3, np.float32))
    with tf.GradientTape() as tape:
        found = limb_losses.choice_cross_entropy(nobody, nobody, weights, transforms)
    assert found == 0 and not tape.gradient(found, weights).numpy().any()
