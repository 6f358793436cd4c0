"""Trainings of a few steps: what several tests of them share."""

import keras
import numpy as np
from small_networks import TINY

from tf_unseen_pose.config import load_config
from tf_unseen_pose.model import build_generator


def settings(*more):
    """Preset tiny, smaller, with batches of two."""
    return load_config("tiny", [*TINY, "train.batch_size=2", "train.log_every=3", "train.checkpoint_every=10", *more])


def weights_of(run):
    return run.load_generator().get_weights()


def untrained(config):
    """What a training of that configuration begins with."""
    keras.utils.set_random_seed(config.train.seed)
    return build_generator(config.model).get_weights()


def assert_same_weights(one, other, atol):
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, atol=atol)


def stages(*texts):
    """The setting of stages with loss L1, each "steps: N, ..."."""
    return f"train.stages=[{', '.join('{loss: l1, ' + text + '}' for text in texts)}]"
