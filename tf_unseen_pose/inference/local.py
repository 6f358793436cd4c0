"""The Python face: load a model once, re-pose any number of photos.

    reposer = Reposer.load("runs/tennis")
    photo = reposer.synthesize(image, target_joints)
    video = reposer.animate(image, poses)

Convention: as `photo_reposer`, which has `synthesize` and `animate`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from tf_unseen_pose.config import Config
from tf_unseen_pose.geometry.pixels import from_bytes, to_bytes
from tf_unseen_pose.geometry.resampling import resample
from tf_unseen_pose.imaging.compositing import Placement
from tf_unseen_pose.inference.photo_reposer import PhotoReposer, source_pose
from tf_unseen_pose.model import PoseModel
from tf_unseen_pose.training.run import Run


@dataclass(frozen=True)
class Canvas:
    """What the network saw of a photo.

    Attributes:
        image: float32 [h, w, 3] in [-1, 1].
        source_joints: float32 [J, 3] in canvas pixels.
        target_joints: float32 [J, 3 or 4], or [T, J, 3 or 4] of a sequence.
        canvas_to_image: float32 [2, 3].
    """

    image: np.ndarray
    source_joints: np.ndarray
    target_joints: np.ndarray
    canvas_to_image: np.ndarray


class Reposer(PhotoReposer):
    """A generator with what surrounds it: cropping, tracing, pasting back.

    Attributes:
        generator: the Keras model; see `model.generator`.
        config: the configuration that it was trained with.

    A photo is cut out, encoded and decided upon in TensorFlow; `imaging.compositing` carries the decisions out.

    Example:
        >>> from tf_unseen_pose import Reposer, bundled
        >>> reposer, (photo, joints, motion) = Reposer.load("lite"), bundled()
        >>> result = reposer.synthesize(photo, motion.joints[20], joints)
        >>> result.shape == photo.shape, bool((result == photo).all())
        (True, False)
        >>> [frame.shape for frame in reposer.animate(photo, motion.joints[:2], joints)]
        [(630, 540, 3), (630, 540, 3)]
    """

    def __init__(self, generator: PoseModel, config: Config, xla: bool = False):
        model = config.model
        super().__init__(model.body, model.height, model.width, config.data.crop_factor, generator.steepness)
        self.generator = generator
        self.config = config
        # Each is traced once a shape: photos of any size share one trace, batches of poses have one size. Without
        # AutoGraph, which has nothing to do here and takes longer than all else of the tracing.
        photo = [tf.TensorSpec([None, None, 3], tf.uint8), tf.TensorSpec([2, 3], tf.float32)]
        self._cut_out = tf.function(self._canvas_of, input_signature=photo, autograph=False)
        self._encode = tf.function(generator.encode_source, jit_compile=xla, autograph=False)
        # The scaling within the graph, as exported models have it: outside it differs in the last bit.
        self._encode_pixels = tf.function(self._state_of, jit_compile=xla, autograph=False)
        self._decide = tf.function(self._decisions, jit_compile=xla, autograph=False)
        self._render = tf.function(self._pictures, jit_compile=xla, autograph=False)

    @classmethod
    def load(cls, path: str | Path, xla: bool = False) -> "Reposer":
        """Loads a model.

        Args:
            path: a run, a version made by `export`, or the name of a model that comes with the project: "lite".
            xla: compile the networks with XLA: faster on GPUs, slower on most CPUs, and slow to start.

        Raises:
            UserError: no such folder, no run, no weights.
        """
        run = Run.open(Path(path))
        return cls(run.load_generator(), run.config, xla)

    def encode(self, image: np.ndarray, joints: np.ndarray) -> Any:
        """All that depends on the source alone, for `render`.

        Args:
            image: uint8 [h, w, 3] of the canvas's size (`config.model.height`, `width`).
            joints: [J, 3] in pixels of the canvas.

        Raises:
            UserError: an image of another size or type, or joints that are no pose.
        """
        joints = self._checked_canvas(image, joints)
        return self._encode_pixels(tf.constant(image[None]), tf.constant(joints[None]))

    def _canvas_of(self, image: tf.Tensor, canvas_to_image: tf.Tensor) -> tf.Tensor:
        """uint8 [H, W, 3] -> float32 [1, h, w, 3] in [-1, 1]."""
        return from_bytes(resample(tf.cast(image, tf.float32), canvas_to_image, *self._size)[None])

    def _state_of(self, pixels: tf.Tensor, joints: tf.Tensor) -> Any:
        """uint8 [B, h, w, 3], [B, J, 3] -> the state."""
        return self.generator.encode_source(from_bytes(pixels), joints)

    def _encode_photo(self, pixels: np.ndarray, source_joints: np.ndarray, canvas_to_pixels: np.ndarray) -> Any:
        canvas = self._cut_out(tf.constant(pixels), tf.constant(canvas_to_pixels, tf.float32))
        return self._encode(canvas, tf.constant(source_joints[None]))

    def _maps(self, state: Any) -> tuple[np.ndarray, np.ndarray]:
        return state.matte[0].numpy(), state.hole[0].numpy()

    def _decide_batch(self, state: Any, target_joints: np.ndarray) -> np.ndarray:
        return self._decide(state, tf.constant(target_joints)).numpy()

    def _decisions(self, state: Any, target_joints: tf.Tensor) -> tf.Tensor:
        """One source, encoded, in B poses [B, J, 3 or 4]: float32 [B, h, w, 9]."""
        return tf.concat(self.generator.decide(_repeated(state, target_joints.shape[0]), target_joints), axis=-1)

    def _render_batch(self, state: Any, target_joints: np.ndarray) -> np.ndarray:
        return self._render(state, tf.constant(target_joints)).numpy()

    def _pictures(self, state: Any, target_joints: tf.Tensor) -> tf.Tensor:
        """One source, encoded, in B poses [B, J, 3 or 4]: uint8 [B, h, w, 3]."""
        return to_bytes(self.generator.render(_repeated(state, target_joints.shape[0]), target_joints))

    def explain(self, canvas: Canvas) -> dict[str, np.ndarray]:
        """Every intermediate of one re-posing, without B, image [H, W, 3] the last; see the generator's class."""
        batch = {key: tf.constant(getattr(canvas, key)[None]) for key in ("image", "source_joints", "target_joints")}
        return {name: value[0].numpy() for name, value in self.generator.explain(batch).items()}

    def canvas(self, image: np.ndarray, source_joints: np.ndarray | None, target_joints: np.ndarray) -> Canvas:
        """Cuts out of a photo what the network is to see: both poses, at the size that it was trained with.

        Args:
            image: uint8 [H, W, 3].
            source_joints: [J, 3] in pixels of the photo; None to have them found.
            target_joints: [J, 3 or 4] in pixels of the photo.

        Raises:
            UserError: as `synthesize`.
        """
        source_joints = source_pose(image, source_joints, self.skeleton)
        source, target, canvas_to_image = self._pair_crop(image, source_joints, target_joints)
        place = Placement.of(image, canvas_to_image, *self._size)
        pixels = self._cut_out(tf.constant(place.covered(image)), tf.constant(place.canvas_to_covered, tf.float32))
        pixels = pixels[0].numpy()
        return Canvas(pixels, source, target, canvas_to_image)


def _repeated(state, count):
    return type(state)(*(tf.repeat(part, count, axis=0) for part in state))
