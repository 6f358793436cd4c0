import keras
import numpy as np
import tensorflow as tf

from tf_unseen_pose.config import load_config
from tf_unseen_pose.model.discriminator import Discriminator


def make():
    keras.utils.set_random_seed(0)
    config = load_config("tiny")
    return Discriminator(config.discriminator, config.model)


def test_sees_image_and_both_poses(batch):
    network, inputs = make(), batch()
    logits = network(inputs).numpy()
    assert logits.shape == (2, 16, 16, 1)
    for key in ("image", "source_joints", "target_joints"):
        changed = network({**inputs, key: inputs[key][::-1].copy()}).numpy()
        assert np.abs(changed - logits).max() > 1e-4, key


def test_is_fully_convolutional(batch):
    assert make()(batch(32, 96)).shape == (2, 8, 24, 1)


def test_spectral_norms_come_to_one_while_training(batch):
    network, inputs = make(), batch()
    for _ in range(30):
        network(inputs, training=True)
    kernels = [v for v in network.trainable_variables if len(v.shape) == 4]
    assert len(kernels) == 3
    for kernel in kernels:
        norm = np.linalg.norm(tf.reshape(kernel, [-1, kernel.shape[-1]]), ord=2)
        np.testing.assert_allclose(norm, 1, atol=0.05)
