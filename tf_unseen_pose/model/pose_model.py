"""The common base of all generators: interface and handling of poses."""

from typing import Any

import keras
import tensorflow as tf

from tf_unseen_pose.geometry import pose_maps
from tf_unseen_pose.model.compositing import Decisions
from tf_unseen_pose.model_config import ModelConfig


class PoseModel(keras.Model):
    """A generator: {"image", "source_joints", "target_joints"} -> [B, H, W, 3].

    `encode_source` computes what depends on the source alone. `render` computes the result on the canvas, or `decide`
    the decisions that `compositing.compose` applies at any resolution. Subclasses implement
    `_encode(image, joints, noise, training)`, which returns a named tuple of tensors (with `matte` and `hole`, see
    `compositing`) and its stages; `_decide(state, target_joints)`, which returns decisions and their stages; and
    `_render(state, target_joints, training)`, which returns the stages after the state, the result being "image".

    A `BODY` accepts poses of 14 joints, with the others absent, and a `PERSON` poses of 23.
    """

    def __init__(self, config: ModelConfig, **kwargs: Any):
        # Joints stay float32 whatever the precision; Keras would cast them.
        super().__init__(**{"dtype": "float32", **kwargs})
        self.config = config
        self.body = config.body
        # Subclasses build their networks immediately, so that weights exist before the first call.
        self.built = True

    def call(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        return self.explain(inputs, training=training)["image"]

    def heatmaps(self, joints: tf.Tensor) -> tf.Tensor:
        """[B, J, 3] in pixels of the canvas -> [B, H / 2, W / 2, J]."""
        return pose_maps.joint_heatmaps(joints, self.config.height, self.config.width, sigma=self.config.heatmap_sigma)

    def encode_source(self, image: tf.Tensor, joints: tf.Tensor, noise: tf.Tensor | None = None) -> Any:
        """The encoded source for `render` and `decide`: a named tuple of tensors.

        Args:
            image: [B, H, W, 3] in [-1, 1].
            joints: [B, J, 3] in pixels of the image.
            noise: [B, H, W, 3] for the background's hole; fixed by default.
        """
        return self._encode(tf.convert_to_tensor(image), self._joints(joints), noise)[0]

    def render(self, state: Any, target_joints: tf.Tensor) -> tf.Tensor:
        """The encoded source in the pose [B, J, 3 or 4], in pixels of the canvas: [B, H, W, 3] in [-1, 1]."""
        return self._render(state, self._joints(target_joints))["image"]

    def decide(self, state: Any, target_joints: tf.Tensor) -> Decisions:
        """Decisions for the pose [B, J, 3 or 4], in pixels of the canvas, of an encoded source."""
        return self._decide(state, self._joints(target_joints))[0]

    def explain(self, inputs: dict[str, tf.Tensor], training: bool = False) -> dict[str, tf.Tensor]:
        """`call` with every intermediate, image [B, H, W, 3] last; the classes list the others with their shapes.

        Args:
            inputs: image [B, H, W, 3], source_joints [B, J, 3], target_joints [B, J, 3 or 4], and optionally noise.
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
        """Factor of alpha's logit at inference; see `compositing.compose`."""
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
