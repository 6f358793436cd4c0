import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.export.photo_crop import PhotoCrop
from tf_unseen_pose.imaging import crop
from tf_unseen_pose.skeleton import GOLF, PERSON


def poses_of(skeleton, count, seed, spread=300):
    rng = np.random.default_rng(seed)
    joints = rng.normal((200, 150), (0.4 * spread, spread), (count, skeleton.joint_count, 2))
    visible = rng.random((count, skeleton.joint_count, 1)) < 0.8
    return np.concatenate([joints, visible], axis=-1).astype(np.float32)


@pytest.mark.parametrize("skeleton", [PERSON, GOLF], ids=lambda skeleton: skeleton.name)
def test_a_pairs_crop_is_the_one_of_numpy(skeleton):
    twin = PhotoCrop(skeleton, 192, 256, 1.2)
    for seed in range(12):
        poses = poses_of(skeleton, 2, seed, spread=20 + 40 * seed)
        if seed % 3 == 0:  # no upper body and no calf
            poses[:, skeleton.joint_index("head", "left_ankle", "right_knee"), 2] = 0
        expected = crop.common_crop(poses, skeleton, 192, 256, 1.2)
        np.testing.assert_allclose(twin.common(tf.constant(poses)), expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("count", [1, 2, 7, 60])
def test_a_sequences_crop_is_the_one_of_numpy(count):
    twin = PhotoCrop(PERSON, 256, 192, 1.14)
    for seed in range(8):
        # Wandering poses, so that all cases occur: fits, moved, stepped back, too far out.
        targets = poses_of(PERSON, count, seed, spread=60) + np.random.default_rng(seed).normal(
            0, 60 * seed, (count, 1, 1)
        ) * np.float32([1, 0.5, 0])
        if count > 2:
            targets[1, :, 2] = 0  # nobody is seen
        source = poses_of(PERSON, 1, 100 + seed, spread=70)[0]
        expected = crop.sequence_crop(source, targets.astype(np.float32), PERSON, 256, 192, 1.14)
        found = twin.sequence(tf.constant(source), tf.constant(targets, tf.float32))
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-4)


def test_a_sequence_that_shows_nobody_gets_the_sources_crop():
    source, targets = poses_of(PERSON, 1, 3)[0], poses_of(PERSON, 3, 4) * np.float32([1, 1, 0])
    expected = crop.sequence_crop(source, targets, PERSON, 256, 256)
    found = PhotoCrop(PERSON, 256, 256, 1.14).sequence(tf.constant(source), tf.constant(targets))
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_poses_without_extent_are_refused():
    pose = poses_of(PERSON, 1, 5)
    pose[0, 1:, 2] = 0
    twin = PhotoCrop(PERSON, 64, 64, 1.14)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Fewer than two joints"):
        twin.common(tf.constant(pose))
    pose[..., :2], pose[..., 2] = 7, 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="lie on one point"):
        twin.common(tf.constant(pose))
