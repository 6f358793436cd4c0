import keras
import numpy as np
import pytest

from benchmarks.counting import parameters
from benchmarks.reference import build_reference, copy_weights
from benchmarks.reference_inputs import (
    crop,
    crop_scale,
    joint_heatmaps,
    limb_transforms,
    log_limb_priors,
    network_inputs,
)
from tf_unseen_pose.config import load_config
from tf_unseen_pose.geometry import limb_motion, pose_maps
from tf_unseen_pose.imaging.crop import common_crop
from tf_unseen_pose.known_skeletons import PERSON
from tf_unseen_pose.model import build_generator
from tf_unseen_pose.model.posewarp_import import convolutions


def test_maps_and_transforms_equal_ours(joints):
    source, target = joints(96, 96, seed=1), joints(96, 96, seed=2)
    target[0, 4, 0] = 95.5  # a wrist at the border
    plain = source[0, :, :2].astype(np.float64), target[0, :, :2].astype(np.float64)
    np.testing.assert_allclose(joint_heatmaps(plain[1], 96), pose_maps.joint_heatmaps(target, 96, 96)[0], atol=1e-5)
    priors = pose_maps.limb_priors(source, PERSON, 96, 96)[0]
    np.testing.assert_allclose(np.exp(log_limb_priors(plain[0], 96)), priors, atol=1e-4)
    transforms = limb_motion.limb_transforms(source, target, PERSON)[0]
    np.testing.assert_allclose(limb_transforms(*plain)[..., 1:].transpose(2, 0, 1), transforms, atol=2e-3)


def test_the_crop_shows_what_ours_shows(joints):
    poses = list(joints(300, 200, batch=2, seed=3))
    boxes = [np.concatenate([pose[:, :2].min(axis=0), np.ptp(pose[:, :2], axis=0)]) for pose in poses]
    ours = common_crop(poses, PERSON, 128, 128)
    centre = np.mean([box[:2] + box[2:] / 2 for box in boxes], axis=0)
    scale = crop_scale([pose[:, :2] for pose in poses], 128)
    image = np.zeros((300, 200, 3), np.uint8)
    x, y = poses[0][8, :2].round().astype(int)
    image[y - 2 : y + 3, x - 2 : x + 3] = 255
    canvas, shift = crop(image, centre, scale, 128)
    np.testing.assert_allclose(1 / scale, ours[0, 0], rtol=1e-5)
    np.testing.assert_allclose(-shift / scale, ours[:, 2], atol=1e-3)
    rows, columns = np.nonzero(canvas[..., 0] > 128)
    np.testing.assert_allclose([columns.mean(), rows.mean()], scale * np.array([x, y]) + shift, atol=1)


@pytest.mark.parametrize("upsampling", ["resize", "gather"])
def test_the_network_computes_what_ours_does_at_256(upsampling, joints):
    generator = build_generator(load_config("paper", ["model.background_fill=zero"]).model)
    rng = np.random.default_rng(5)
    for network in generator.networks:
        for _, kernel, bias in convolutions(network):
            kernel.assign(0.9 * kernel.numpy())
            bias.assign(rng.normal(0, 0.05, tuple(bias.shape)))
    reference = build_reference(256, upsampling)
    copy_weights(generator, reference)
    assert parameters(reference) == parameters(generator)
    assert sum(isinstance(layer, keras.layers.Conv2D) for layer in reference.layers) == 52

    source, target = joints(256, 256, seed=6), joints(256, 256, seed=7)
    canvas = rng.integers(0, 256, (256, 256, 3), dtype=np.uint8)
    theirs = reference(network_inputs(canvas, source[0, :, :2], target[0, :, :2]))
    image = (canvas[None, ..., ::-1] / 127.5 - 1).astype(np.float32)
    ours = generator({"image": image, "source_joints": source, "target_joints": target})
    np.testing.assert_allclose(theirs[..., ::-1], ours, atol=1e-4)
    assert np.std(ours, axis=(1, 2)).min() > 0.05  # pictures, not one colour
