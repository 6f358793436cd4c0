import numpy as np

from benchmarks.reference_generator import reference_batches
from benchmarks.reference_inputs import gaussian_map, released_gaussian_map
from benchmarks.scenes import write_authors_layout
from tf_unseen_pose.known_skeletons import PERSON
from tf_unseen_pose.pose.posewarp_joints import read_posewarp_joints


def test_maps_and_transforms_belong_together(tmp_path):
    write_authors_layout(tmp_path, clips=2, frames=3, height=120, width=160)
    inputs, targets = next(reference_batches(tmp_path, 128, batch_size=4))
    images, source_maps, target_maps, log_priors, transforms = inputs
    assert images.shape == targets.shape == (4, 128, 128, 3)
    assert np.abs(images).max() <= 1.05 and images.std() > 0.1 and np.abs(images - targets).max() > 0.1
    assert log_priors.shape == (4, 128, 128, 11) and np.exp(log_priors).max() <= 1.01
    limb = PERSON.limbs[-1]
    for example in range(4):
        # Where the maps peak, in pixels of the canvas, the torso's similarity leads from target to source.
        source, target = (
            2 * np.array([np.unravel_index(maps[example, ..., j].argmax(), (64, 64))[::-1] for j in range(14)])
            for maps in (source_maps, target_maps)
        )
        joints = PERSON.joint_index(*limb.joints)
        moved = target[joints] @ transforms[example, :, :2, -1].T + transforms[example, :, 2, -1]
        np.testing.assert_allclose(moved.mean(axis=0), source[joints].mean(axis=0), atol=2)


def test_the_layout_is_the_authors(tmp_path):
    write_authors_layout(tmp_path, clips=1, frames=2, height=64, width=64)
    joints, boxes = read_posewarp_joints(tmp_path / "info" / "clip0.mat")
    assert joints.shape == (2, 14, 3)
    np.testing.assert_allclose(boxes[:, :2], joints[..., :2].min(axis=1), atol=1e-3)


def test_the_released_way_gives_the_same_numbers(tmp_path):
    write_authors_layout(tmp_path, clips=1, frames=3, height=120, width=160)
    (fast, _), (released, _) = (
        next(reference_batches(tmp_path, 64, batch_size=2, gaussian=gaussian))
        for gaussian in (gaussian_map, released_gaussian_map)
    )
    for one, other in zip(fast, released, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-9)
