import numpy as np
import pytest
import tensorflow as tf

from tf_unseen_pose.export.photo_crop import PhotoCrop
from tf_unseen_pose.imaging import crop
from tf_unseen_pose.imaging.placement import on_whole_pixels
from tf_unseen_pose.known_skeletons import BODY, GOLF, PERSON


def poses_of(skeleton, count, seed, spread=300):
    rng = np.random.default_rng(seed)
    joints = rng.normal((200, 150), (0.4 * spread, spread), (count, skeleton.joint_count, 2))
    visible = rng.random((count, skeleton.joint_count, 1)) < 0.8
    return np.concatenate([joints, visible], axis=-1).astype(np.float32)


@pytest.mark.parametrize("skeleton", [PERSON, GOLF, BODY], ids=lambda skeleton: skeleton.name)
@pytest.mark.parametrize("count", [1, 2, 7, 60])
def test_the_crop_is_the_one_of_numpy(skeleton, count):
    twin = PhotoCrop(skeleton, 192, 256, 1.2)
    for seed in range(8):
        # Wandering poses, so that all cases occur: fits, moved, stepped back, cut by the photo's border.
        targets = poses_of(skeleton, count, seed, spread=60) + np.random.default_rng(seed).normal(
            0, 60 * seed, (count, 1, 1)
        ) * np.float32([1, 0.5, 0])
        if count > 2:
            targets[1, :, 2] = 0  # nobody is seen
        if seed % 3 == 0:  # no upper body and no calf
            targets[0, skeleton.joint_index("head", "left_ankle", "right_knee"), 2] = 0
        source, size = poses_of(skeleton, 1, 100 + seed, spread=70)[0], (260 + 90 * seed, 300 + 20 * seed)
        expected = crop.whole_crop(source, targets.astype(np.float32), size, skeleton, 192, 256, 1.2)
        found = twin.whole(tf.constant(source), tf.constant(targets, tf.float32), tf.constant(size))
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-4)


def test_whole_pixels_are_those_of_numpy():
    twin = PhotoCrop(PERSON, 192, 256, 1.14)
    for step, x, y in [(0.4, -7.3, 12.5), (1, 0.5, 1.5), (2.4921875, -31.25, 88.75), (7.39, 1204.1, -0.6)]:
        given = np.float32([[step, 0, x], [0, step, y]])
        np.testing.assert_array_equal(twin.on_whole_pixels(tf.constant(given)), on_whole_pixels(given, 192, 256))


def test_poses_without_extent_are_refused():
    source, targets = poses_of(PERSON, 1, 3)[0], poses_of(PERSON, 3, 4)
    twin, size = PhotoCrop(PERSON, 64, 64, 1.14), tf.constant([300, 400])
    with pytest.raises(tf.errors.InvalidArgumentError, match="No target pose shows two joints"):
        twin.whole(tf.constant(source), tf.constant(targets * np.float32([0, 0, 1])), size)
    source[1:, 2] = 0
    with pytest.raises(tf.errors.InvalidArgumentError, match="Fewer than two joints"):
        twin.whole(tf.constant(source), tf.constant(targets), size)
    source[:, :2], source[:, 2] = 7, 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="lie on one point"):
        twin.whole(tf.constant(source), tf.constant(targets), size)
