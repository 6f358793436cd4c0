"""The conditional discriminator: is this a photograph, and does it show the target pose?"""

from typing import Any

import keras
import tensorflow as tf

from tf_unseen_pose.compat import spectral_normalization
from tf_unseen_pose.config import DiscriminatorConfig
from tf_unseen_pose.geometry import pose_maps
from tf_unseen_pose.model_config import ModelConfig


class Discriminator(keras.Model):
    """Patch logits for an image and its source and target pose.

    Fully convolutional with spectral normalisation: stride-2 4x4 convolutions, the heatmaps of both poses joining
    after the first, and a 3x3 convolution to one map of logits. Sees {"image", "source_joints", "target_joints"};
    returns [B, h, w, 1], positive where the image looks like a photograph.

    Deviation: the authors end in a dense layer, which ties the network to one image size.
    """

    def __init__(self, config: DiscriminatorConfig, model: ModelConfig, **kwargs: Any):
        super().__init__(**kwargs)
        self.config = config
        self.model_config = model
        image = keras.Input((None, None, 3))
        heatmaps = keras.Input((None, None, 2 * model.body.joint_count))
        x = image
        for level, width in enumerate(config.widths):
            x = spectral_normalization(keras.layers.Conv2D(width, 4, 2, padding="same"))(x)
            x = keras.layers.LeakyReLU(0.2)(x)
            if level == 0:
                x = keras.layers.Concatenate()([x, heatmaps])
        x = spectral_normalization(keras.layers.Conv2D(1, 3, padding="same"))(x)
        self.network = keras.Model([image, heatmaps], x, name="discriminator")
        self.built = True

    def get_config(self) -> dict[str, Any]:
        return {"config": self.config.model_dump(), "model": self.model_config.model_dump()}

    def call(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        image, sigma = inputs["image"], self.model_config.heatmap_sigma
        height, width = image.shape[1:3]
        heatmaps = [
            pose_maps.joint_heatmaps(inputs[key], height, width, sigma=sigma)
            for key in ("source_joints", "target_joints")
        ]
        return self.network([image, tf.concat(heatmaps, axis=-1)], training=training)
