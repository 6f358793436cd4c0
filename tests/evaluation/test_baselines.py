import numpy as np
import pytest

from tf_unseen_pose.evaluation.baselines import copy_source, limb_layers, warp_only
from tf_unseen_pose.evaluation.example_pictures import Example
from tf_unseen_pose.imaging.inpainting import inpainted
from tf_unseen_pose.known_skeletons import PERSON


@pytest.fixture
def standing(joints):
    """A person of hard outline, all of one colour pattern, before a wall of another."""

    def make(shift=(0, 0)):
        source = joints(96, 80)[0]
        target = source.copy()
        target[:, :2] += np.float32(shift)
        rows, columns = np.mgrid[:96, :80]
        mask = np.zeros((96, 80), np.float32)
        mask[9:88, 22:62] = 1
        wall = np.stack([200 + 0 * rows, 150 + rows // 4, 180 + 0 * rows], -1)
        person = np.stack([rows, columns, (rows + 2 * columns) % 120], -1)
        image = np.where(mask[..., None] > 0, person, wall).astype(np.uint8)
        return Example(image / np.float32(127.5) - 1, source, target, mask, mask, None, False)

    return make


def test_copying_is_the_source(standing):
    example = standing()
    np.testing.assert_array_equal(copy_source(example), example.source)


def test_layers_hold_the_whole_person_and_nothing_else(standing):
    example = standing()
    layers = limb_layers(example, PERSON)
    opacity = layers[..., 3]
    assert layers.shape == (10, 96, 80, 4)
    np.testing.assert_array_equal(opacity.max(axis=0), example.source_mask)
    np.testing.assert_array_equal(layers[..., :3], opacity[..., None] * example.source)
    # Elbows belong to both parts of the arm, hands to the forearm alone.
    elbow, wrist = (np.rint(example.source_joints[PERSON.joint_index(name)[0], :2]).astype(int) for name in (
        "right_elbow", "right_wrist"))  # fmt: skip
    limbs = [limb.name for limb in PERSON.limbs]
    upper, fore = limbs.index("right_upper_arm"), limbs.index("right_forearm")
    assert opacity[[upper, fore], elbow[1], elbow[0]].tolist() == [1, 1]
    assert opacity[[upper, fore], wrist[1], wrist[0]].tolist() == [0, 1]


def test_the_background_goes_on_where_the_person_stood(standing):
    example = standing()
    background = inpainted(example.source, example.source_mask).astype(int)
    untouched = example.source_mask.copy()
    untouched[5:92, 18:66] = 1
    np.testing.assert_array_equal(background[untouched == 0], example.source[untouched == 0])
    assert np.abs(background - [200, 162, 180]).max() < 20


def test_the_same_pose_gives_the_same_person(standing):
    example = standing()
    result = warp_only(example, PERSON)
    inside = example.source_mask > 0
    assert np.abs(result.astype(int) - example.source)[inside].max() <= 1


def test_a_shifted_pose_shifts_the_person(standing):
    example = standing(shift=(7, -4))
    result = warp_only(example, PERSON).astype(int)
    moved = np.zeros((96, 80), bool)
    moved[5:84, 29:69] = True
    assert np.abs(result[moved] - example.source[example.source_mask > 0]).max() <= 2
    # Where the person stood and does not stand now is wall.
    left = (example.source_mask > 0) & ~moved
    assert left.sum() > 400 and np.abs(result[left] - [200, 162, 180]).max() < 20


def test_nothing_is_drawn_out_of_the_canvass_border(standing):
    example = standing(shift=(0, -30))
    example.source_mask[:, :] = 0
    example.source_mask[20:, 22:62] = 1  # cut off by the lower border
    result = warp_only(example, PERSON).astype(int)
    # The lowest rows of the person have moved up; below them is wall, not the last row again and again.
    below = result[68:88, 25:60]
    assert np.abs(below - inpainted(example.source, example.source_mask)[68:88, 25:60]).max() <= 1


def test_an_absent_limb_is_left_out(standing):
    example = standing()
    example.source_joints[PERSON.joint_index("left_wrist")[0], 2] = 0
    layers = limb_layers(example, PERSON)
    names = [limb.name for limb in PERSON.limbs]
    assert layers[names.index("left_forearm")].max() == 0 < layers[names.index("right_forearm")].max()
