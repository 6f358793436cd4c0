"""What all tests share: two logical CPUs to stand for two GPUs, and the sample data beside the checkout."""

import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest
import tensorflow as tf

# Before TensorFlow touches its devices, or never.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)

SHARED = Path(__file__).parents[1].parent / "shared"


@pytest.fixture(scope="session")
def shared():
    """The folder of sample data and golden files."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the sample data in {SHARED}")
    return SHARED


@pytest.fixture
def has_model():
    """The pose estimator's networks, without fetching them."""
    from tf_unseen_pose.data.landmarker_model import VARIABLE, wheel_has_networks

    if not (wheel_has_networks() or os.environ.get(VARIABLE)):
        pytest.skip(f"this MediaPipe wheel holds no pose model, and {VARIABLE} names none")


def standing_joints(height=64, width=64, batch=1, seed=0):
    """A person as wide as half the canvas, jittered: float32 [batch, 14, 3]. Nothing about it is symmetric."""
    points = np.array(
        [
            (0.50, 0.12), (0.51, 0.22), (0.40, 0.25), (0.33, 0.38), (0.30, 0.50), (0.61, 0.26), (0.70, 0.36),
            (0.74, 0.47), (0.44, 0.52), (0.42, 0.70), (0.41, 0.88), (0.57, 0.53), (0.60, 0.71), (0.63, 0.90),
        ]
    )  # fmt: skip
    rng = np.random.default_rng(seed)
    joints = points * [width, height] + rng.normal(0, 0.02 * min(height, width), (batch, 14, 2))
    return np.concatenate([joints, np.ones((batch, 14, 1))], axis=-1).astype(np.float32)


def pair_batch(height=64, width=64, batch=2, seed=0):
    """A training batch of random pictures, as `data.pairs` makes them."""
    rng = np.random.default_rng(seed)

    def picture(channels=3):
        return rng.uniform(-1, 1, (batch, height, width, channels)).astype(np.float32)

    return {
        "image": picture(),
        "target_image": picture(),
        "noise": picture(),
        "source_joints": standing_joints(height, width, batch, seed),
        "target_joints": standing_joints(height, width, batch, seed + 1),
        "source_mask": np.abs(picture(1)),
        "target_mask": np.abs(picture(1)),
        "mask_known": np.array([1.0] * (batch - 1) + [0.0], np.float32),
    }


@pytest.fixture
def joints():
    return standing_joints


@pytest.fixture
def batch():
    return pair_batch


@pytest.fixture(scope="session")
def small_lite():
    """Settings that make preset `lite` small and quick: 64 x 64, few channels."""
    return [
        "model.height=64",
        "model.width=64",
        "model.segmentation.widths=[8,12,16]",
        "model.background.widths=[8,12,16]",
        "model.foreground.widths=[16,24]",
        "model.foreground.finer=8",
    ]
