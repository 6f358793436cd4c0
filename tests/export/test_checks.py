import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.export import checks
from tf_unseen_pose.known_skeletons import BODY, GOLF, PERSON
from tf_unseen_pose.pose import cut_off


@pytest.mark.parametrize(
    "x, y, visible, outside, far",
    [(-0.4, 5, 1, False, False), (-0.6, 5, 1, True, False), (29.4, 5, 1, False, False), (29.6, 5, 1, True, False),
     (44.7, 5, 1, True, True), (7, 22.4, 1, True, False), (7, 34.4, 1, True, False), (7, 34.6, 1, True, True),
     (7, -15.6, 0, False, False), (33, 23, 0.2, True, False)],
)  # fmt: skip
def test_joints_outside_are_absent_in_graphs_and_in_numpy(x, y, visible, outside, far):
    """A source's that lie outside, a target's only where no limb reaches."""
    height, width, joints = 20, 30, np.tile(np.float32([9, 8, 1]), (23, 1))
    joints[3] = x, y, visible
    photo = tf.zeros([height, width, 3], tf.uint8)
    for source, absent in ((True, outside), (False, far)):
        expected = joints * [[1, 1, not (absent and i == 3)] for i in range(23)]
        if source:
            found = cut_off.inside_photo(joints, width, height), checks.inside_photo(tf.constant(joints), photo)
        else:
            found = (
                cut_off.target_inside(joints, width, height, "it"),
                checks.target_inside(tf.constant(joints), photo, "It"),
            )
        for each in found:
            np.testing.assert_array_equal(each, expected)


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
