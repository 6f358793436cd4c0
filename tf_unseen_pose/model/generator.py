"""The paper's modular generator: renders the person of a photo in a target pose before the same scene.

The photo is split into limbs, which are moved rigidly to the target pose. Three small U-Nets do the rest: assign pixels
to limbs (segmentation), fuse the moved limbs into a body with joints, folds and shading (foreground), and inpaint what
the person covered (background).

    encode_source: image, source joints
        1 segmentation   U-Net logits + log limb priors -> softmax: background and L limb masks
        2 limb layers    mask * image per limb
        5 background     U-Net(background layer, its hole filled; mask) -> a picture without the person
    render: that state, target joints
        3 transformer    each layer warped by the similarity from its target limb to its source limb
        4 foreground     U-Net(warped layers, target heatmaps) -> foreground picture and alpha
        6 composite      alpha * foreground + (1 - alpha) * background

Networks paint at the canvas's resolution: pasted into a photo (`decide`), the person is enlarged, and only the hole of
the background is used.

Everything up to the background depends on the source alone, so one `encode_source` serves any number of `render`s.

Convention: images are float32 RGB in [-1, 1], joints [B, J, 3] in pixels of that image.
Source: Balakrishnan et al., Synthesizing Images of Humans in Unseen Poses, CVPR 2018, section 3.
"""

from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from tf_unseen_pose.geometry import limb_motion, pose_maps
from tf_unseen_pose.model import compositing
from tf_unseen_pose.model.layers import LimbSpatialTransformer
from tf_unseen_pose.model.matte import unknown_matte
from tf_unseen_pose.model.pose_model import PoseModel
from tf_unseen_pose.model.unet import unet
from tf_unseen_pose.model_config import ModelConfig, UNetConfig


class SourceState(NamedTuple):
    """The encoded source photo, as `render` needs it.

    Attributes:
        layers: [B, L, H, W, 3], the image times each limb's mask.
        background: [B, H, W, 3], the scene without the person.
        matte: [B, H / 2, W / 2, 4], unknown (see `matte.unknown_matte`), since the network's alpha is complete.
        hole: [B, H, W, 4], the part of the background that replaces the photo.
        joints: [B, J, 3], the source pose.
    """

    layers: tf.Tensor
    background: tf.Tensor
    matte: tf.Tensor
    hole: tf.Tensor
    joints: tf.Tensor


class Generator(PoseModel):
    """See the module's essay.

    Call it with {"image": [B, H, W, 3], "source_joints": [B, J, 3], "target_joints": [B, J, 3]} and, in training,
    "noise": [B, H, W, 3], standard normal, for the background's hole; without it the noise is fixed, so that equal
    calls have equal results. Returns [B, H, W, 3].

    `explain` returns:
        limb_priors, masks [B, H, W, 1 + L] (background first), person, alpha [B, H, W, 1], layers, warped_layers
        [B, L, H, W, 3], target_to_source [B, L, 2, 3], background_input [B, H, W, 4], background, foreground,
        image [B, H, W, 3].
    """

    def __init__(self, config: ModelConfig, **kwargs: Any):
        super().__init__(config, **kwargs)
        height, width, joints, limbs = config.height, config.width, self.body.joint_count, self.body.limb_count
        # `ModelConfig` guarantees it.
        assert isinstance(config.segmentation, UNetConfig) and isinstance(config.background, UNetConfig)
        assert isinstance(config.foreground, UNetConfig)
        self.segmentation = unet(
            config.segmentation, height, width, 3, joints, {"logits": (1 + limbs, "linear")}, "segmentation"
        )
        # The picture without the person, and the mask of its known pixels.
        self.background = unet(config.background, height, width, 3 + 1, joints, {"image": (3, "tanh")}, "background")
        heads = {"image": (3, "tanh"), "alpha": (1, "sigmoid")}
        self.foreground = unet(config.foreground, height, width, 3 * limbs, joints, heads, "foreground")
        self.transformer = LimbSpatialTransformer(name="transformer")
        self._fixed_noise = np.random.default_rng(0).standard_normal((1, height, width, 3)).astype(np.float32)

    @property
    def networks(self) -> list[keras.Model]:
        return [self.segmentation, self.background, self.foreground]

    def _encode(self, image, joints, noise=None, training=False):
        heatmaps = self.heatmaps(joints)
        priors = pose_maps.limb_priors(joints, self.body, self.config.height, self.config.width)
        logits = self.segmentation([image, heatmaps], training=training)["logits"]
        masks = tf.nn.softmax(logits + tf.math.log(priors + 1e-10))
        layers = tf.transpose(masks[..., 1:], [0, 3, 1, 2])[..., None] * image[:, None]
        background_input = self._with_hole(image, masks[..., :1], noise)
        background = self.background([background_input, heatmaps], training=training)["image"]
        stages = {
            "limb_priors": priors,
            "masks": masks,
            "person": 1 - masks[..., :1],
            "layers": layers,
            "background_input": background_input,
            "background": background,
        }
        covered = 1 - background_input[..., 3:]
        hole = tf.concat([covered * background, covered], axis=-1)
        return SourceState(layers, background, unknown_matte(image), hole, joints), stages

    def _with_hole(self, image, visible, noise):
        """The image where it shows the background, the fill elsewhere, and the mask of the former.

        Deviation: the authors' released code fills with zeros (`background_fill: zero`), their paper with noise.
        """
        if self.config.hole_growth:
            # A rim of the person would bleed into the hole.
            size = 2 * self.config.hole_growth + 1
            visible = 1 - tf.nn.max_pool2d(1 - visible, size, 1, "SAME")
        picture = visible * image
        if self.config.background_fill == "noise":
            picture += (1 - visible) * (self._fixed_noise if noise is None else noise)
        return tf.concat([picture, visible], axis=-1)

    def _decide(self, state, target_joints):
        stages = self._render(state, target_joints)
        return compositing.painted(stages["foreground"], stages["alpha"]), stages

    def _render(self, state, target_joints, training=False):
        target_to_source = limb_motion.limb_transforms(state.joints, target_joints, self.body)
        warped = self.transformer(state.layers, target_to_source)
        height, width = warped.shape[2:4]
        stack = tf.reshape(tf.transpose(warped, [0, 2, 3, 1, 4]), [-1, height, width, 3 * self.body.limb_count])
        body = self.foreground([stack, self.heatmaps(target_joints)], training=training)
        foreground, alpha = body["image"], body["alpha"]
        return {
            "target_to_source": target_to_source,
            "warped_layers": warped,
            "foreground": foreground,
            "alpha": alpha,
            "image": alpha * foreground + (1 - alpha) * state.background,
        }
