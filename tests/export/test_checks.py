import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.export import checks
from tf_unseen_pose.pose.pose_files import require_inside
from tf_unseen_pose.skeleton import PERSON


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
    height, width, joints = 20, 30, np.tile(np.float32([9, 8, 1]), (14, 1))
    joints[3] = x, y, visible
    photo = tf.zeros([height, width, 3], tf.uint8)
    for margin, expected in ((0.0, outside), (0.1, outside_margin)):
        in_graph = (tf.constant(joints), photo, "It", margin)
        assert raises(tf.errors.InvalidArgumentError, checks.require_inside, *in_graph) == expected
        assert raises(UserError, require_inside, joints, width, height, PERSON, "it", margin) == expected
