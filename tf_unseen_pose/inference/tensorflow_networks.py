"""Networks in TensorFlow: any model, also on GPUs, with all intermediates.

Convention: as `networks`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tf_unseen_pose.config import Config
from tf_unseen_pose.geometry.pixels import from_bytes, to_bytes
from tf_unseen_pose.geometry.resampling import resample
from tf_unseen_pose.inference.networks import Networks
from tf_unseen_pose.model import PoseModel
from tf_unseen_pose.training.run import Run


class TensorFlowNetworks(Networks):
    """A traced generator.

    Args:
        generator: the Keras model; see `model.generator`.
        config: its training configuration.
        xla: compile the networks with XLA: faster on GPUs, slower on most CPUs, and slow to start.
    """

    def __init__(self, generator: PoseModel, config: Config, xla: bool = False):
        model = config.model
        self.skeleton, self.height, self.width = model.body, model.height, model.width
        self.crop_factor, self.steepness = config.data.crop_factor, generator.steepness
        self.generator = generator
        # Each is traced once per shape: photos of any size share one trace, batches of poses have one size. AutoGraph
        # is off, since it does nothing here and dominates the tracing time.
        photo = [tf.TensorSpec([None, None, 3], tf.uint8), tf.TensorSpec([2, 3], tf.float32)]
        self._cut_out = tf.function(self._canvas_of, input_signature=photo, autograph=False)
        self._encode = tf.function(generator.encode_source, jit_compile=xla, autograph=False)
        # Scaling in the graph, as in exported models; outside it differs in the last bit.
        self._encode_pixels = tf.function(self._state_of, jit_compile=xla, autograph=False)
        self._decide = tf.function(self._decisions, jit_compile=xla, autograph=False)
        self._render = tf.function(self._pictures, jit_compile=xla, autograph=False)

    @classmethod
    def load(cls, path: str | Path, xla: bool = False) -> "TensorFlowNetworks":
        """Loads a run, an exported version, or a bundled model by its name.

        Raises:
            UserError: no such folder, not a run, or no weights.
        """
        run = Run.open(Path(path))
        return cls(run.load_generator(), run.config, xla)

    def encode(self, canvas: np.ndarray, source_joints: np.ndarray) -> Any:
        """As `Networks.encode`."""
        return self._encode_pixels(tf.constant(canvas[None]), tf.constant(source_joints[None]))

    def _canvas_of(self, image: tf.Tensor, canvas_to_image: tf.Tensor) -> tf.Tensor:
        """uint8 [H, W, 3] -> float32 [1, h, w, 3] in [-1, 1]."""
        return from_bytes(resample(tf.cast(image, tf.float32), canvas_to_image, self.height, self.width)[None])

    def _state_of(self, pixels: tf.Tensor, joints: tf.Tensor) -> Any:
        """uint8 [B, h, w, 3], [B, J, 3] -> the state."""
        return self.generator.encode_source(from_bytes(pixels), joints)

    def encode_photo(self, pixels: np.ndarray, source_joints: np.ndarray, canvas_to_pixels: np.ndarray) -> Any:
        """As `Networks.encode_photo`."""
        canvas = self._cut_out(tf.constant(pixels), tf.constant(canvas_to_pixels, tf.float32))
        return self._encode(canvas, tf.constant(source_joints[None]))

    def maps(self, state: Any) -> tuple[np.ndarray, np.ndarray]:
        """As `Networks.maps`."""
        return state.matte[0].numpy(), state.hole[0].numpy()

    def decide(self, state: Any, target_joints: np.ndarray) -> np.ndarray:
        """As `Networks.decide`."""
        return self._decide(state, tf.constant(target_joints)).numpy()

    def _decisions(self, state: Any, target_joints: tf.Tensor) -> tf.Tensor:
        """Decisions for an encoded source in B poses [B, J, 3 or 4]: float32 [B, h, w, 9]."""
        return tf.concat(self.generator.decide(_repeated(state, target_joints.shape[0]), target_joints), axis=-1)

    def render(self, state: Any, target_joints: np.ndarray) -> np.ndarray:
        """As `Networks.render`."""
        return self._render(state, tf.constant(target_joints)).numpy()

    def _pictures(self, state: Any, target_joints: tf.Tensor) -> tf.Tensor:
        """Pictures of an encoded source in B poses [B, J, 3 or 4]: uint8 [B, h, w, 3]."""
        return to_bytes(self.generator.render(_repeated(state, target_joints.shape[0]), target_joints))

    def explain(self, image: np.ndarray, source_joints: np.ndarray, target_joints: np.ndarray) -> dict[str, np.ndarray]:
        """As `Networks.explain`, without B; see the generator's class."""
        given = {"image": image, "source_joints": source_joints, "target_joints": target_joints}
        stages = self.generator.explain({name: tf.constant(value[None]) for name, value in given.items()})
        return {name: value[0].numpy() for name, value in stages.items()}


def _repeated(state, count):
    return type(state)(*(tf.repeat(part, count, axis=0) for part in state))
