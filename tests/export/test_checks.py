import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.export import checks
from tf_unseen_pose.known_skeletons import BODY, GOLF, PERSON
from tf_unseen_pose.pose.pose_files import inside_photo


def raises(error, check, *arguments):
    try:
        check(*arguments)
    except error:
        return True
    return False


@pytest.mark.parametrize(
    "x, y, visible, outside, outside_margin",
    [(-0.4, 5, 1, False, False), (-0.6, 5, 1, True, False), (29.4, 5, 1, False, False), (29.6, 5, 1, True, False),
     (32.7, 5, 1, True, True), (7, 22.4, 1, True, False), (7, 22.6, 1, True, True), (7, -3.6, 1, True, True),
     (7, -3.6, 0, False, False), (33, 23, 0.2, True, True)],
)  # fmt: skip
def test_graphs_refuse_the_joints_outside_that_numpy_refuses(x, y, visible, outside, outside_margin):
    height, width, joints = 20, 30, np.tile(np.float32([9, 8, 1]), (23, 1))
    joints[3] = x, y, visible
    photo = tf.zeros([height, width, 3], tf.uint8)
    for margin, expected in ((0.0, outside), (0.1, outside_margin)):
        in_graph = (tf.constant(joints), photo, BODY, "It", margin)
        assert raises(tf.errors.InvalidArgumentError, checks.inside_photo, *in_graph) == expected
        assert raises(UserError, inside_photo, joints, width, height, BODY, "it", margin) == expected
        # A toe that the photo cuts off is absent.
        foot = joints[[*range(3), 9, *range(4, 21), 3, 22]]
        expected_foot = foot * [[1, 1, not (expected and i == 21)] for i in range(23)]
        np.testing.assert_array_equal(inside_photo(foot, width, height, BODY, "it", margin), expected_foot)
        np.testing.assert_array_equal(checks.inside_photo(foot, photo, BODY, "It", margin), expected_foot)


def test_a_person_may_have_fourteen_joints_or_twenty_three():
    joints = np.random.default_rng(0).uniform(0, 1, (2, 23, 3)).astype(np.float32)
    for skeleton in (PERSON, BODY):
        for count in (14, 23):
            for given in (tf.constant(joints[:, :count]), joints[0, :count]):
                found = checks.checked_pose(tf.constant(given), skeleton, "It").numpy()
                expected = np.zeros((*given.shape[:-2], skeleton.joint_count, 3))
                common = min(count, skeleton.joint_count)
                expected[..., :common, :] = given[..., :common, :]
                np.testing.assert_array_equal(found, expected)
        with pytest.raises(tf.errors.InvalidArgumentError, match=f"14 or 23; send those of a '{skeleton.name}'"):
            checks.checked_pose(tf.constant(joints[:, :15]), skeleton, "It")
    golfer = tf.constant(joints[:, :16])
    np.testing.assert_array_equal(checks.checked_pose(golfer, GOLF, "It"), golfer)
    with pytest.raises(tf.errors.InvalidArgumentError, match="than 16; send"):
        checks.checked_pose(tf.constant(joints[:, :14]), GOLF, "It")
    with pytest.raises(tf.errors.InvalidArgumentError, match="shows no joint"):
        checks.checked_pose(tf.constant(joints * (np.arange(23) > 13)[:, None]), PERSON, "It")
