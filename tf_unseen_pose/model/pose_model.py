"""What the modular generator and the plain U-Net have in common: an interface and how they see poses."""

from typing import Any

import keras
import tensorflow as tf

from tf_unseen_pose.geometry import pose_maps
from tf_unseen_pose.model.compositing import Decisions
from tf_unseen_pose.model_config import ModelConfig


class PoseModel(keras.Model):
    """A generator: {"image", "source_joints", "target_joints"} -> [B, H, W, 3].

    It has two halves: `encode_source` for what depends on the source alone, `render` for the rest, on the canvas; or
    `decide`, whose decisions `compositing.compose` carries out at any resolution. Subclasses give
    `_encode(image, joints, noise, training)`, which returns a named tuple of tensors (with `matte` and `hole`, see
    `compositing`) and the stages that led to it; `_decide(state, target_joints)`, which returns decisions and the
    stages that led to them; and `_render(state, target_joints, training)`, which returns the stages from the state on,
    the result being "image".

    A pose of 14 joints will do for a `BODY`, the others being absent, and one of 23 for a `PERSON`.
    """

    def __init__(self, config: ModelConfig, **kwargs: Any):
        # Whatever its networks compute in, joints come in as float32: Keras would cast them on the way.
        super().__init__(**{"dtype": "float32", **kwargs})
        self.config = config
        self.body = config.body
        # Subclasses build their networks at once, so that weights exist before the first call.
        self.built = True

    def call(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        return self.explain(inputs, training=training)["image"]

    def heatmaps(self, joints: tf.Tensor) -> tf.Tensor:
        """[B, J, 3] in pixels of the canvas -> [B, H / 2, W / 2, J]."""
        return pose_maps.joint_heatmaps(joints, self.config.height, self.config.width, sigma=self.config.heatmap_sigma)

    def encode_source(self, image: tf.Tensor, joints: tf.Tensor, noise: tf.Tensor | None = None) -> Any:
        """All that `render` needs to know of a source: a named tuple of tensors.

        Args:
            image: [B, H, W, 3] in [-1, 1].
            joints: [B, J, 3] in pixels of the image.
            noise: [B, H, W, 3] to fill the background's hole with; a fixed one by default.
        """
        return self._encode(tf.convert_to_tensor(image), self._joints(joints), noise)[0]

    def render(self, state: Any, target_joints: tf.Tensor) -> tf.Tensor:
        """An encoded source in the pose [B, J, 3 or 4], in pixels of the canvas: [B, H, W, 3] in [-1, 1]."""
        return self._render(state, self._joints(target_joints))["image"]

    def decide(self, state: Any, target_joints: tf.Tensor) -> Decisions:
        """How to make the pose [B, J, 3 or 4], in pixels of the canvas, of an encoded source's pixels."""
        return self._decide(state, self._joints(target_joints))[0]

    def explain(self, inputs: dict[str, tf.Tensor], training: bool = False) -> dict[str, tf.Tensor]:
        """`call` with every intermediate, image [B, H, W, 3] the last; the classes say which others and their shapes.

        Args:
            inputs: image [B, H, W, 3], source_joints [B, J, 3], target_joints [B, J, 3 or 4], and noise if wanted.
        """
        image, joints = tf.convert_to_tensor(inputs["image"]), self._joints(inputs["source_joints"])
        state, stages = self._encode(image, joints, inputs.get("noise"), training)
        return {**stages, **self._render(state, self._joints(inputs["target_joints"]), training)}

    def _joints(self, given: tf.Tensor) -> tf.Tensor:
        return pose_maps.person_joints(tf.convert_to_tensor(given), self.body)

    def _encode(
        self, image: tf.Tensor, joints: tf.Tensor, noise: tf.Tensor | None = None, training: bool = False
    ) -> tuple[Any, dict[str, tf.Tensor]]:
        raise NotImplementedError

    def _decide(self, state: Any, target_joints: tf.Tensor) -> tuple[Decisions, dict[str, tf.Tensor]]:
        raise NotImplementedError

    def _render(self, state: Any, target_joints: tf.Tensor, training: bool = False) -> dict[str, tf.Tensor]:
        raise NotImplementedError

    @property
    def steepness(self) -> float:
        """Factor of alpha's logit in use; see `compositing.compose`."""
        return 1.0

    @property
    def networks(self) -> list[keras.Model]:
        """The functional sub-models that hold all weights."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {"config": self.config.model_dump(), "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict | None = None) -> "PoseModel":
        return cls(ModelConfig.model_validate(config["config"]), name=config["name"])
