import numpy as np
import pytest

from tf_unseen_pose.evaluation.limb_choice import LimbChoice, measure_choice
from tf_unseen_pose.known_skeletons import BODY, GOLF, PERSON

CARRIERS = {
    "right_hand": "right_forearm",
    "left_hand": "left_forearm",
    "right_foot": "right_calf",
    "left_foot": "left_calf",
}


def a_choice(skeleton, given, seed=0):
    """Of a map of 5 x 4, for a canvas of 10 x 12; half of the limbs move by less than a pixel about its middle."""
    rng = np.random.default_rng(seed)
    weights = rng.uniform(size=(5, 4, skeleton.limb_count + 1)).astype(np.float32)
    weights[rng.uniform(size=(5, 4)) < 0.4, -1] = 2
    transforms = np.tile(np.eye(2, 3), (skeleton.limb_count + 1, 1, 1))
    transforms[:-1] += rng.uniform(-0.08, 0.08, (skeleton.limb_count, 2, 3))
    transforms[1:-1:2, :, 2] += 3
    return LimbChoice(skeleton, given, weights, np.float32(transforms))


def looped(choice, labels, names, taken_for):
    """The same pixel by pixel, by the limbs' names."""
    own, right, count = [limb.name for limb in choice.skeleton.limbs], 0, 0
    for y, x in zip(*np.nonzero(labels), strict=True):
        label = names[labels[y, x] - 1]
        label = label if label in own else CARRIERS[label]
        chosen = choice.weights[y // 2, x // 3].argmax()
        if chosen == len(own):
            moved = choice.target_to_source[own.index(label)].astype(float) @ [x, y, 1] - [x, y]
            right += np.hypot(*moved) <= 1
        else:
            right += taken_for.get(own[chosen], own[chosen]) == taken_for.get(label, label)
        count += 1
    return right / count


@pytest.fixture
def labels():
    """A limb map of BODY, half of it nobody, in which most that is chosen is right for somebody."""
    rng = np.random.default_rng(7)
    labels = rng.integers(1, 15, (10, 12), dtype=np.uint8)
    labels[rng.uniform(size=labels.shape) < 0.5] = 0
    return labels


@pytest.mark.parametrize("skeleton", [PERSON, BODY], ids=["14 joints", "23 joints"])
def test_the_right_limbs_are_counted_by_name(labels, skeleton):
    choice, names = a_choice(skeleton, skeleton), [limb.name for limb in BODY.limbs]
    # Chance alone would be right at too few pixels to tell.
    for y, x in zip(*np.nonzero(labels), strict=True):
        if (x + y) % 3:
            name = names[labels[y, x] - 1]
            kin = [i for i, limb in enumerate(skeleton.limbs) if limb.name in (name, CARRIERS.get(name))]
            choice.weights[y // 2, x // 3, kin[(x + y) % len(kin)]] += 0.7
    found = measure_choice(choice, labels, BODY)
    assert found["choice"] == pytest.approx(looped(choice, labels, names, CARRIERS)) and 0.2 < found["choice"] < 0.9
    assert ("fine_choice" in found) == (skeleton is BODY)
    if skeleton is BODY:
        assert found["fine_choice"] == pytest.approx(looped(choice, labels, names, {})) and found["fine_choice"] > 0.1
        assert found["fine_choice"] != found["choice"]


def test_hands_and_feet_are_told_apart_where_they_are_given_alone(labels):
    assert set(measure_choice(a_choice(BODY, PERSON), labels, BODY)) == {"choice"}
    assert np.isnan(measure_choice(a_choice(PERSON, PERSON), 0 * labels, BODY)["choice"])
    # Labels that know no hands say nothing of who has them.
    assert measure_choice(a_choice(BODY, BODY), labels, PERSON) == {}
    assert set(measure_choice(a_choice(GOLF, GOLF), labels, GOLF)) == {"choice"}
