"""Swapped sides, made by hand in clips whose right sides are known."""

import numpy as np

from tf_unseen_pose.known_skeletons import PERSON
from tf_unseen_pose.pose.left_right import consistent_sides


def walking(standing, frame_count=40):
    joints = np.repeat(standing[None], frame_count, axis=0)
    joints[..., :2] += np.arange(frame_count)[:, None, None] * np.array([2, 1])
    return joints


def test_swapped_frames_are_put_right(standing):
    truth = walking(standing)
    swapped = truth.copy()
    for frames in (slice(0, 2), slice(7, 8), slice(15, 27), slice(39, 40)):
        swapped[frames] = swapped[frames][:, PERSON.mirrored]
    np.testing.assert_array_equal(consistent_sides(swapped, 25, PERSON), truth)


def test_a_swap_across_absent_joints_is_put_right(standing):
    truth = walking(standing)
    truth[10:14, 2:8] = 0
    truth[20, PERSON.joint_index("left_wrist")] = 0
    swapped = truth.copy()
    swapped[12:18] = swapped[12:18][:, PERSON.mirrored]
    np.testing.assert_array_equal(consistent_sides(swapped, 25, PERSON), truth)


def test_the_estimator_is_believed_in_the_long_run(standing):
    """Twice six seconds: nothing tells which half is right, so neither is touched."""
    joints = walking(standing, 300)
    joints[:150] = joints[:150][:, PERSON.mirrored]
    np.testing.assert_array_equal(consistent_sides(joints, 25, PERSON), joints)


def test_a_person_who_turns_around_keeps_the_estimated_sides(standing):
    joints = np.repeat(standing[None], 50, axis=0)
    turn = np.cos(np.linspace(0, 2 * np.pi, 50))[:, None]
    joints[..., 0] = 104 + (joints[..., 0] - 104) * turn
    np.testing.assert_array_equal(consistent_sides(joints, 25, PERSON), joints)


def test_a_single_frame_stays(standing):
    np.testing.assert_array_equal(consistent_sides(standing[None], 25, PERSON), standing[None])


def test_depth_goes_with_the_exchanged_joints(standing):
    z = np.linspace(-40, 60, 14, dtype=np.float32)[:, None]
    joints = np.repeat(np.concatenate([standing, z], axis=1)[None], 20, axis=0)
    swapped = joints.copy()
    swapped[8:11] = joints[8:11, PERSON.mirrored]
    np.testing.assert_array_equal(consistent_sides(swapped, 25, PERSON), joints)
