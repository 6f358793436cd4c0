import numpy as np

from tf_unseen_pose.known_skeletons import BODY, PERSON
from tf_unseen_pose.pose import cut_off


def test_what_is_missing_is_named(standing):
    standing[[4, 10, 13], 1] += 300
    standing[13, 2] = 0
    missing = cut_off.outside(standing, 200, 240)
    assert cut_off.in_words(missing, PERSON) == "the right wrist and the right ankle"
    assert cut_off.in_words(~missing & missing, PERSON) == ""
    # Where a leg is missing, so is its foot.
    toe, ankle = (np.array(BODY.joints) == name for name in ("left_toe", "left_ankle"))
    assert [cut_off.in_words(joints, BODY) for joints in (toe, toe | ankle)] == ["the left toe", "the left ankle"]


def test_a_target_lies_in_the_photo_at_least_in_part(standing, refuses):
    beyond = standing + np.float32([400, 0, 0])
    refuses(lambda: cut_off.target_inside(beyond, 200, 240, "the target pose"), "target pose lies outside", "200 x 240")
    beyond[4, :2] = standing[4, :2]
    np.testing.assert_array_equal(np.flatnonzero(cut_off.target_inside(beyond, 200, 240, "it")[:, 2]), [4])
