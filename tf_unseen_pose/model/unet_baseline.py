"""The plain U-Net of the paper's comparison, from image and both poses to an image, without geometry."""

from typing import Any, NamedTuple

import keras
import tensorflow as tf

from tf_unseen_pose.model import compositing
from tf_unseen_pose.model.matte import unknown_matte
from tf_unseen_pose.model.pose_model import PoseModel
from tf_unseen_pose.model.unet import unet
from tf_unseen_pose.model_config import ModelConfig


class BaselineState(NamedTuple):
    """A source photo and its pose; nothing is precomputed.

    Attributes:
        image: [B, H, W, 3] in [-1, 1].
        matte: [B, H / 2, W / 2, 4], unknown.
        hole: [B, H, W, 4], empty.
        joints: [B, J, 3] in pixels of the image.
    """

    image: tf.Tensor
    matte: tf.Tensor
    hole: tf.Tensor
    joints: tf.Tensor


class BaselineUNet(PoseModel):
    """Same interface as `Generator`; `explain` returns only the image."""

    def __init__(self, config: ModelConfig, **kwargs: Any):
        super().__init__(config, **kwargs)
        heatmap_channels, heads = 2 * self.body.joint_count, {"image": (3, "tanh")}
        self.network = unet(config.baseline, config.height, config.width, 3, heatmap_channels, heads, "baseline")

    @property
    def networks(self) -> list[keras.Model]:
        return [self.network]

    def _encode(self, image, joints, noise=None, training=False):
        hole = tf.zeros_like(tf.concat([image, image[..., :1]], axis=-1))
        return BaselineState(image, unknown_matte(image), hole, joints), {}

    def _decide(self, state, target_joints):
        stages = self._render(state, target_joints)
        return compositing.painted(stages["image"], tf.ones_like(state.image[..., :1])), stages

    def _render(self, state, target_joints, training=False):
        heatmaps = [self.heatmaps(joints) for joints in (state.joints, target_joints)]
        return self.network([state.image, tf.concat(heatmaps, axis=-1)], training=training)
