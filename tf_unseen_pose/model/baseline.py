"""The plain U-Net of the paper's comparison: image and both poses in, image out, no geometry."""

from typing import NamedTuple

import keras
import tensorflow as tf

from tf_unseen_pose import geometry
from tf_unseen_pose.config import ModelConfig
from tf_unseen_pose.model.unet import unet


class BaselineState(NamedTuple):
    """A source photo [B, H, W, 3] and its pose [B, J, 3]: the baseline has nothing to compute in advance."""

    image: tf.Tensor
    joints: tf.Tensor


class BaselineUNet(keras.Model):
    """Same interface as `Generator`; `explain` has the image alone to show."""

    def __init__(self, config: ModelConfig, **kwargs):
        super().__init__(**kwargs)
        self.config = config
        self.body = config.body
        self.network = unet(
            config.baseline,
            config.height,
            config.width,
            3,
            2 * self.body.joint_count,
            {"image": (3, "tanh")},
            "baseline",
        )
        self.built = True

    def call(self, inputs, training=False):
        return self.explain(inputs, training=training)["image"]

    def encode_source(self, image, joints, noise=None) -> BaselineState:
        return BaselineState(image, joints)

    def render(self, state: BaselineState, target_joints):
        return self.call({"image": state.image, "source_joints": state.joints, "target_joints": target_joints})

    def explain(self, inputs, training=False) -> dict[str, tf.Tensor]:
        heatmaps = [
            geometry.joint_heatmaps(inputs[key], self.config.height, self.config.width, sigma=self.config.heatmap_sigma)
            for key in ("source_joints", "target_joints")
        ]
        return self.network([inputs["image"], tf.concat(heatmaps, axis=-1)], training=training)
