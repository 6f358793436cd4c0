import itertools
import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from tf_unseen_pose.config import load_config
from tf_unseen_pose.known_skeletons import BODY, GOLF, PERSON, SKELETONS, register_skeleton
from tf_unseen_pose.skeleton import Limb, Skeleton


def test_person_has_the_papers_joints_and_limbs_in_the_authors_order():
    limbs = [PERSON.joint_index(*limb.joints) for limb in PERSON.limbs]
    assert limbs == [[0, 1], [2, 3], [3, 4], [5, 6], [6, 7], [8, 9], [9, 10], [11, 12], [12, 13], [2, 5, 8, 11]]
    assert PERSON.limbs[PERSON.root_index].name == "torso"


def test_a_golfer_is_a_person_with_a_club():
    assert SKELETONS["golf"] is GOLF
    assert GOLF.joints[:14] == PERSON.joints and GOLF.joints[14:] == ("club_grip", "club_head")
    assert GOLF.limbs[:10] == PERSON.limbs and GOLF.joint_index(*GOLF.limbs[10].joints) == [14, 15]
    assert GOLF.root_index == PERSON.root_index and GOLF.mirrored[12:] == [9, 10, 14, 15]


def test_a_body_is_a_person_with_hands_feet_and_a_face():
    assert BODY.joints[:14] == PERSON.joints and BODY.limb_count == 14
    assert [limb.joints for limb in BODY.limbs[:10]] == [limb.joints for limb in PERSON.limbs]
    names = [limb.name for limb in BODY.limbs]
    above = {name: names[parent] for name, parent in zip(names, BODY.parents, strict=True)}
    assert above["left_foot"] == "left_calf" and above["left_calf"] == "left_thigh"
    assert above["right_hand"] == "right_forearm" and above["right_forearm"] == "right_upper_arm"
    assert {above[name] for name in ("head", "left_thigh", "right_upper_arm", "torso")} == {"torso"}
    assert (BODY.generations, PERSON.generations) == (2, 0)
    assert [BODY.joints[joint] for joint in BODY.mirrored[14:18]] == ["nose", "left_ear", "right_ear", "left_hand"]


def test_limbs_are_found_by_their_names_on_either_side():
    found = [BODY.limbs[i].name for i in BODY.limbs_named("forearm", "torso")]
    assert sorted(found) == ["left_forearm", "right_forearm", "torso"]
    assert BODY.limbs_named("tail", "right_thigh").tolist() == []


def test_all_joints_of_a_limb_count_the_same_in_its_fit_but_the_neck_of_a_rigid_head():
    for skeleton in (PERSON, BODY):
        for limb, members, weights in zip(skeleton.limbs, *skeleton.limb_members, strict=True):
            totals = np.bincount(members, weights, skeleton.joint_count)
            assert {skeleton.joints[joint] for joint in np.flatnonzero(totals)} == {*limb.joints, *limb.anchors}
            if limb.rigid:
                neck = skeleton.joint_index(limb.joints[1])
                np.testing.assert_allclose(totals[neck], totals.max() / 10)
                totals[neck] = 0
            assert len(set(totals[totals > 0])) == 1
    assert [limb.name for limb in PERSON.limbs + BODY.limbs if limb.rigid] == ["head"]


def test_skeletons_of_before_have_neither_parents_nor_anchors_nor_rigid_limbs():
    for skeleton, added in ((PERSON, ("parent", "anchors", "rigid")), (BODY, ("rigid",)), (BODY, ())):
        stored = json.loads(json.dumps(asdict(skeleton)))
        for limb, name in itertools.product(stored["limbs"], added):
            del limb[name]
        assert Skeleton.from_dict(stored) == skeleton


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
    "changes, words",
    [
        ({"limbs": (Limb("a", ("x", "z")),)}, ("Limb 'a'", "'bad'")),
        ({"limbs": (Limb("a", ("x", "y", "x")),)}, ("Limb 'a'", "even number")),
        ({"limbs": (Limb("a", ("x", "y")), Limb("a", ("y", "x")))}, ("limb 'a'",)),
        ({"root": "b"}, ("no limb 'b'",)),
        ({"limbs": (Limb("a", ("x", "y"), parent="b"),)}, ("Limb 'a'", "carried by 'b'")),
        ({"limbs": (Limb("a", ("x", "y"), parent="c"), Limb("c", ("y", "x"), parent="a"))}, ("Limb 'a'", "parent")),
        ({"limbs": (Limb("a", ("x", "y"), anchors=("z",)),)}, ("Limb 'a'", "'bad'")),
        ({"held": (("whip", "x"),)}, ("'bad'", "'whip'")),
        ({"joints": ("x", "y", "x")}, ("joint 'x'",)),
        ({"joints": ("x", "y", "left_ear")}, ("'right_ear'",)),
    ],
)
def test_contradictions_are_refused(changes, words, refuses):
    fields = {"joints": ("x", "y"), "limbs": (Limb("a", ("x", "y")),), "root": "a"} | changes
    refuses(lambda: Skeleton("bad", **fields), *words)


def test_a_skeleton_is_known_once_it_is_registered(only_known_here, refuses):
    flagged = replace(PERSON, name="flagged", joints=(*PERSON.joints, "flag"))
    refuses(
        lambda: load_config("tiny", ["model.skeleton=flagged"]), "'flagged'", "'golf', 'person'", "register_skeleton"
    )
    assert register_skeleton(flagged) is flagged
    assert load_config("tiny", ["model.skeleton=flagged"]).model.body is flagged
    # As it comes out of an exported model.
    register_skeleton(Skeleton.from_dict(json.loads(json.dumps(asdict(flagged)))))
    refuses(lambda: register_skeleton(replace(flagged, held=(("flag", "neck"),))), "another skeleton 'flagged'")
    headless = ("skull", *PERSON.joints[1:])
    limbs = (Limb("head", ("skull", "neck")), *PERSON.limbs[1:])
    refuses(lambda: register_skeleton(replace(PERSON, joints=headless, limbs=limbs)), "'head'", "'person'")
    assert SKELETONS["person"] is PERSON
