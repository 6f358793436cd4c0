"""What the modular generator and the plain U-Net have in common: an interface and how they see poses."""

import keras
import tensorflow as tf

from tf_unseen_pose import geometry
from tf_unseen_pose.config import ModelConfig


class PoseModel(keras.Model):
    """A generator: {"image", "source_joints", "target_joints"} -> [B, H, W, 3].

    Subclasses give `encode_source(image, joints, noise=None)`, `render(state, target_joints)` and
    `explain(inputs, training)`, whose "image" is the result.
    """

    def __init__(self, config: ModelConfig, **kwargs):
        super().__init__(**kwargs)
        self.config = config
        self.body = config.body
        # Subclasses build their networks at once, so that weights exist before the first call.
        self.built = True

    def call(self, inputs, training=False):
        return self.explain(inputs, training=training)["image"]

    def heatmaps(self, joints):
        """[B, J, 3] in pixels of the canvas -> [B, H / 2, W / 2, J]."""
        return geometry.joint_heatmaps(joints, self.config.height, self.config.width, sigma=self.config.heatmap_sigma)

    def explain(self, inputs, training=False) -> dict[str, tf.Tensor]:
        raise NotImplementedError

    @property
    def networks(self) -> list[keras.Model]:
        """The functional sub-models that hold all weights."""
        raise NotImplementedError

    def get_config(self):
        return {"config": self.config.model_dump(), "name": self.name}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls(ModelConfig.model_validate(config["config"]), name=config["name"])
