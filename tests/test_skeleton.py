import numpy as np
import pytest

from tf_unseen_pose.skeleton import GOLF, PERSON, SKELETONS, Limb, Skeleton


def test_person_has_the_papers_joints_and_limbs_in_the_authors_order():
    limbs = [PERSON.joint_index(*limb.joints) for limb in PERSON.limbs]
    assert limbs == [[0, 1], [2, 3], [3, 4], [5, 6], [6, 7], [8, 9], [9, 10], [11, 12], [12, 13], [2, 5, 8, 11]]
    assert PERSON.limbs[PERSON.root_index].name == "torso"


def test_a_golfer_is_a_person_with_a_club():
    assert SKELETONS["golf"] is GOLF
    assert GOLF.joints[:14] == PERSON.joints and GOLF.joints[14:] == ("club_grip", "club_head")
    assert GOLF.limbs[:10] == PERSON.limbs and GOLF.joint_index(*GOLF.limbs[10].joints) == [14, 15]
    assert GOLF.root_index == PERSON.root_index and GOLF.mirrored[12:] == [9, 10, 14, 15]


def test_what_is_held_and_who_holds_it_are_joints():
    with pytest.raises(ValueError, match="'bad'.*whip"):
        Skeleton("bad", ("x", "y"), (Limb("a", ("x", "y")),), "a", held=(("whip", "x"),))


def test_mirroring_twice_changes_nothing_and_once_swaps_sides():
    mirrored = np.array(PERSON.mirrored)
    np.testing.assert_array_equal(mirrored[mirrored], np.arange(PERSON.joint_count))
    assert PERSON.joints[mirrored[PERSON.joints.index("left_knee")]] == "right_knee"
    assert mirrored[PERSON.joints.index("head")] == PERSON.joints.index("head")


def test_limb_ends_repeat_the_joints_of_shorter_limbs():
    first, second = PERSON.limb_ends
    assert first[0].tolist() == [0, 0] and second[0].tolist() == [1, 1]
    assert first[PERSON.root_index].tolist() == PERSON.joint_index("right_shoulder", "left_shoulder")


@pytest.mark.parametrize(
    "limbs, root",
    [
        ((Limb("a", ("x", "z")),), "a"),
        ((Limb("a", ("x", "y", "x")),), "a"),
        ((Limb("a", ("x", "y")),), "b"),
    ],
)
def test_refuses_unknown_joints_odd_limbs_and_a_missing_root(limbs, root):
    with pytest.raises(ValueError, match="Limb 'a'|root"):
        Skeleton("bad", ("x", "y"), limbs, root)
