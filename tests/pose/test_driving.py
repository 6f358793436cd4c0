import numpy as np

from tf_unseen_pose.known_skeletons import BODY, PERSON
from tf_unseen_pose.pose.driving import driving_poses


def test_where_nobody_is_seen_the_pose_before_is_held(refuses):
    poses = np.random.default_rng(0).uniform(1, 9, (7, 14, 4)).astype(np.float32)
    poses[..., 2] = 1
    poses[[0, 1, 4, 5], :, 2] = 0
    held, shown = driving_poses(poses, PERSON)
    np.testing.assert_array_equal(held, poses[[2, 2, 2, 3, 3, 3, 6]])
    np.testing.assert_array_equal(shown, poses[[2, 3, 6]])
    body = np.pad(poses, [(0, 0), (0, 9), (0, 0)])
    np.testing.assert_array_equal(driving_poses(poses, BODY)[0], body[[2, 2, 2, 3, 3, 3, 6]])
    body[0, 20, 2] = 1  # a foot is no person
    np.testing.assert_array_equal(driving_poses(body, PERSON)[0], held)
    poses[2, 3, 0] = np.nan
    refuses(lambda: driving_poses(poses, PERSON), "finite numbers")
    refuses(lambda: driving_poses(poses[3:, :9], PERSON), "[T, 14, 3 or 4]")
    refuses(lambda: driving_poses(poses[4:6], PERSON), "no joint in any frame")
