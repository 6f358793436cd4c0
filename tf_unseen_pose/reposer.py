"""The Python face: load a model once, re-pose any number of photos.

    reposer = Reposer.load("runs/tennis")
    photo = reposer.synthesize(image, target_joints)
    video = reposer.animate(image, poses)

Convention: photos are uint8 [H, W, 3] RGB of any size; joints are [J, 3] (x, y, visibility) in pixels of the photo.
A target's joints may have a fourth column, their depth z (see `data.pose_files`); a source's is not used. Where the
source's joints are not given, they are found.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_unseen_pose.config import Config
from tf_unseen_pose.data.crop import common_crop, invert, sequence_crop, transform_joints
from tf_unseen_pose.data.driving import driving_poses
from tf_unseen_pose.data.pose_files import as_joints, require_inside
from tf_unseen_pose.data.resampling import resample
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.model import PoseModel, SourceState
from tf_unseen_pose.pasting import Pasting
from tf_unseen_pose.pixels import from_bytes, to_bytes
from tf_unseen_pose.skeleton import PERSON
from tf_unseen_pose.training.run import Run

# Joints of a target pose may lie outside the photo by this part of its longer side: hands above their heads.
TARGET_MARGIN = 0.25


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


class Reposer:
    """A generator with what surrounds it: cropping, tracing, pasting back.

    Attributes:
        generator: the Keras model; see `model.generator`.
        config: the configuration that it was trained with.

    A photo is cut out, encoded and rendered in TensorFlow from 8-bit pixels to 8-bit pixels.
    """

    def __init__(self, generator: PoseModel, config: Config, xla: bool = False):
        self.generator = generator
        self.config = config
        self.skeleton = config.model.body
        # Each is traced once a shape: photos of any size share one trace, batches of poses have one size.
        photo = [tf.TensorSpec([None, None, 3], tf.uint8), tf.TensorSpec([2, 3], tf.float32)]
        self._cut_out = tf.function(self._canvas_of, input_signature=photo)
        self._encode = tf.function(generator.encode_source, jit_compile=xla)
        # The scaling within the graph, as exported models have it: outside it differs in the last bit.
        self._encode_pixels = tf.function(self._state_of, jit_compile=xla)
        self._render = tf.function(self._pictures, jit_compile=xla)

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

    def encode(self, image: np.ndarray, joints: np.ndarray) -> SourceState:
        """All that depends on the source alone, for `render`.

        Args:
            image: uint8 [h, w, 3] of the canvas's size (`config.model.height`, `width`).
            joints: [J, 3] in pixels of the canvas.
        """
        size = (self.config.model.height, self.config.model.width, 3)
        if image.shape != size or image.dtype != np.uint8:
            raise UserError(
                f"A canvas is uint8 {list(size)}, not {image.dtype} {list(image.shape)}; use synthesize for photos."
            )
        joints = as_joints(joints, self.skeleton, "the source pose")[:, :3]
        return self._encode_pixels(tf.constant(image[None]), tf.constant(joints[None]))

    def render(self, state: SourceState, joints: np.ndarray) -> np.ndarray:
        """The source person in another pose: joints [J, 3 or 4] in canvas pixels -> uint8 [h, w, 3]."""
        joints = as_joints(joints, self.skeleton, "the target pose")
        return self._render(state, tf.constant(joints[None]))[0].numpy()

    def synthesize(
        self, image: np.ndarray, target_joints: np.ndarray, source_joints: np.ndarray | None = None, crop: bool = False
    ) -> np.ndarray:
        """The photo with its person in the target pose.

        Args:
            image: uint8 [H, W, 3].
            target_joints: [J, 3 or 4] in pixels of the photo.
            source_joints: [J, 3] in pixels of the photo.
            crop: return the network's canvas instead of the photo.

        Returns:
            uint8 [H, W, 3], outside the crop identical to `image`; or uint8 [h, w, 3].

        Raises:
            UserError: a pose with the wrong joint count, NaN, nothing visible, or joints outside the photo; no
                person in it, or several.
        """
        source, target, canvas_to_image = self._common_crop(image, source_joints, target_joints)
        finish = self._finish(image, canvas_to_image, crop)
        return finish(self.render(self._encode_photo(image, source, canvas_to_image), target))

    def animate(
        self,
        image: np.ndarray,
        poses: np.ndarray,
        source_joints: np.ndarray | None = None,
        crop: bool = False,
        batch_size: int = 4,
    ) -> Iterator[np.ndarray]:
        """The photo's person in one pose after the other. The photo is encoded once; frames come as they are made.

        Args:
            image: uint8 [H, W, 3].
            poses: [T, J, 3 or 4] in pixels of the photo; where no joint is visible, the frame before is held (at the
                beginning, the first that can be made).
            source_joints: [J, 3] in pixels of the photo.
            crop: give the network's canvas instead of the photo.
            batch_size: frames that are rendered at a time.

        Yields:
            T times uint8 [H, W, 3], or [h, w, 3] with `crop`.

        Raises:
            UserError: as `synthesize`, but target joints may lie anywhere: what leaves the picture is cut off.
        """
        source = self._source_joints(image, source_joints)
        poses, shown = driving_poses(poses, self.skeleton)
        model = self.config.model
        canvas_to_image = sequence_crop(
            source, shown, self.skeleton, model.height, model.width, self.config.data.crop_factor
        )
        source, poses = (transform_joints(invert(canvas_to_image), joints) for joints in (source, poses))
        state = self._encode_photo(image, source, canvas_to_image)
        finish = self._finish(image, canvas_to_image, crop)

        def rendered(first):
            batch = poses[first : first + batch_size]
            # One shape for all batches: the graph is traced once.
            filled = np.concatenate([batch, batch[-1:].repeat(batch_size - len(batch), axis=0)])
            return self._render(state, tf.constant(filled))[: len(batch)].numpy()

        # While a batch is pasted and written, the next one is rendered.
        with ThreadPoolExecutor(1) as ahead:
            coming = ahead.submit(rendered, 0)
            for following in range(batch_size, len(poses) + batch_size, batch_size):
                batch = coming.result()
                if following < len(poses):
                    coming = ahead.submit(rendered, following)
                yield from map(finish, batch)

    def _canvas_of(self, image: tf.Tensor, canvas_to_image: tf.Tensor) -> tf.Tensor:
        """uint8 [H, W, 3] -> float32 [1, h, w, 3] in [-1, 1]."""
        model = self.config.model
        return from_bytes(resample(tf.cast(image, tf.float32), canvas_to_image, model.height, model.width)[None])

    def _state_of(self, pixels: tf.Tensor, joints: tf.Tensor) -> SourceState:
        """uint8 [B, h, w, 3], [B, J, 3] -> the state."""
        return self.generator.encode_source(from_bytes(pixels), joints)

    def _encode_photo(self, image, source_joints, canvas_to_image) -> SourceState:
        """`encode` of a crop of a photo; the joints are the canvas's."""
        canvas = self._cut_out(tf.constant(image), tf.constant(canvas_to_image, tf.float32))
        return self._encode(canvas, tf.constant(source_joints[None]))

    def _pictures(self, state: SourceState, target_joints: tf.Tensor) -> tf.Tensor:
        """One source, encoded, in B poses [B, J, 3 or 4]: uint8 [B, h, w, 3]."""
        repeated = type(state)(*(tf.repeat(part, target_joints.shape[0], axis=0) for part in state))
        return to_bytes(self.generator.render(repeated, target_joints))

    def _finish(self, image, canvas_to_image, crop: bool):
        """What is done to every picture that the network made of a photo."""
        if crop:
            return lambda picture: picture
        return Pasting(image, self.config.model.height, self.config.model.width, canvas_to_image)

    def explain(self, canvas: Canvas) -> dict[str, np.ndarray]:
        """Every intermediate of one re-posing, without batch axis; see `Generator.explain`."""
        batch = {key: tf.constant(getattr(canvas, key)[None]) for key in ("image", "source_joints", "target_joints")}
        return {name: value[0].numpy() for name, value in self.generator.explain(batch).items()}

    def canvas(self, image: np.ndarray, source_joints: np.ndarray | None, target_joints: np.ndarray) -> Canvas:
        """Cuts out of a photo what the network is to see: both poses, at the size that it was trained with."""
        source, target, canvas_to_image = self._common_crop(image, source_joints, target_joints)
        pixels = self._cut_out(tf.constant(image), tf.constant(canvas_to_image, tf.float32))[0].numpy()
        return Canvas(pixels, source, target, canvas_to_image)

    def _common_crop(self, image, source_joints, target_joints):
        """Both poses in pixels of the canvas on which they fit, and that canvas's place in the photo."""
        source = self._source_joints(image, source_joints)
        target = as_joints(target_joints, self.skeleton, "the target pose")
        height, width = image.shape[:2]
        require_inside(target, width, height, self.skeleton, "the target pose", TARGET_MARGIN * max(height, width))
        model = self.config.model
        crop = common_crop([source, target], self.skeleton, model.height, model.width, self.config.data.crop_factor)
        return *(transform_joints(invert(crop), joints) for joints in (source, target)), crop

    def _source_joints(self, image: np.ndarray, joints: np.ndarray | None) -> np.ndarray:
        """The source's joints [J, 3] as they are given, or else as they are found."""
        if joints is None:
            if self.skeleton is not PERSON:
                raise UserError(
                    f"Poses of the skeleton '{self.skeleton.name}' cannot be found in photos; give the source pose."
                )
            # MediaPipe is large, and not needed by those who know their poses.
            from tf_unseen_pose.data.pose_estimation import estimate_image, open_estimator

            with open_estimator() as estimator:
                joints = estimate_image(image, "the photo", estimator)
        joints = as_joints(joints, self.skeleton, "the source pose")
        height, width = image.shape[:2]
        require_inside(joints, width, height, self.skeleton, "the source pose")
        return joints[:, :3]
