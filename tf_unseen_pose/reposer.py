"""The Python face: load a model once, re-pose any number of photos.

    reposer = Reposer.load("runs/tennis")
    photo = reposer.synthesize(image, target_joints)
    video = reposer.animate(image, poses)

Convention: photos are uint8 [H, W, 3] RGB of any size; joints are [J, 3] (x, y, visibility) in pixels of the photo.
Where the source's joints are not given, they are found.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_unseen_pose import images
from tf_unseen_pose.config import Config
from tf_unseen_pose.data.crop import common_crop, invert, sequence_crop, transform_joints
from tf_unseen_pose.data.pose_files import as_joints, require_inside
from tf_unseen_pose.data.resampling import resample
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.model import PoseModel, SourceState
from tf_unseen_pose.skeleton import PERSON
from tf_unseen_pose.training.run import Run

# Joints of a target pose may lie outside the photo by this part of its longer side: hands above their heads.
_TARGET_MARGIN = 0.25


@dataclass(frozen=True)
class Canvas:
    """What the network saw of a photo.

    Attributes:
        image: float32 [h, w, 3] in [-1, 1].
        source_joints: float32 [J, 3] in canvas pixels.
        target_joints: float32 [J, 3], or [T, J, 3] of a sequence.
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
    """

    def __init__(self, generator: PoseModel, config: Config):
        self.generator = generator
        self.config = config
        self.skeleton = config.model.body
        self._encode = tf.function(generator.encode_source)
        self._render = tf.function(generator.render)
        self._render_batch = tf.function(self._render_repeated)

    @classmethod
    def load(cls, path: str | Path) -> "Reposer":
        """Loads a run directory.

        Raises:
            UserError: no such folder, no run, no weights.
        """
        run = Run.open(Path(path))
        return cls(run.load_generator(), run.config)

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
        joints = as_joints(joints, self.skeleton, "the source pose")
        return self._encode(tf.constant(image[None] / np.float32(127.5) - 1), tf.constant(joints[None]))

    def render(self, state: SourceState, joints: np.ndarray) -> np.ndarray:
        """The source person in another pose: joints [J, 3] in canvas pixels -> uint8 [h, w, 3]."""
        joints = as_joints(joints, self.skeleton, "the target pose")
        return images.to_uint8(self._render(state, tf.constant(joints[None]))[0])

    def synthesize(
        self, image: np.ndarray, target_joints: np.ndarray, source_joints: np.ndarray | None = None, crop: bool = False
    ) -> np.ndarray:
        """The photo with its person in the target pose.

        Args:
            image: uint8 [H, W, 3].
            target_joints, source_joints: [J, 3] in pixels of the photo.
            crop: return the network's canvas instead of the photo.

        Returns:
            uint8 [H, W, 3], outside the crop identical to `image`; or uint8 [h, w, 3].

        Raises:
            UserError: a pose with the wrong joint count, NaN, nothing visible, or joints outside the photo; no
                person in it, or several.
        """
        canvas = self.canvas(image, source_joints, target_joints)
        state = self._encode(tf.constant(canvas.image[None]), tf.constant(canvas.source_joints[None]))
        result = images.to_uint8(self._render(state, tf.constant(canvas.target_joints[None]))[0])
        return result if crop else images.paste(image, result, canvas.canvas_to_image)

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
            poses: [T, J, 3] in pixels of the photo; where no joint is visible, the frame before is held (at the
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
        poses = np.asarray(poses, np.float32)
        if poses.ndim != 3 or poses.shape[1:] != (self.skeleton.joint_count, 3) or not np.isfinite(poses).all():
            raise UserError(
                f"The driving poses are not finite numbers [T, {self.skeleton.joint_count}, 3]; correct them."
            )
        shown = np.flatnonzero((poses[..., 2] > 0).any(axis=1))
        if not len(shown):
            raise UserError("The driving poses show no joint in any frame; give a video that shows a person.")
        held = shown[np.maximum(np.searchsorted(shown, np.arange(len(poses)), "right") - 1, 0)]
        model = self.config.model
        canvas_to_image = sequence_crop(
            source, poses[shown], self.skeleton, model.height, model.width, self.config.data.crop_factor
        )
        canvas = self._cut_out(image, source, poses[held], canvas_to_image)
        state = self._encode(tf.constant(canvas.image[None]), tf.constant(canvas.source_joints[None]))
        for first in range(0, len(poses), batch_size):
            batch = canvas.target_joints[first : first + batch_size]
            # One shape for all batches: the graph is traced once.
            filled = np.concatenate([batch, batch[-1:].repeat(batch_size - len(batch), axis=0)])
            for result in images.to_uint8(self._render_batch(state, tf.constant(filled)))[: len(batch)]:
                yield result if crop else images.paste(image, result, canvas.canvas_to_image)

    def _render_repeated(self, state: SourceState, target_joints: tf.Tensor) -> tf.Tensor:
        """`render` of one source in B poses [B, J, 3]."""
        count = tf.shape(target_joints)[0]
        return self.generator.render(type(state)(*(tf.repeat(part, count, axis=0) for part in state)), target_joints)

    def explain(self, canvas: Canvas) -> dict[str, np.ndarray]:
        """Every intermediate of one re-posing, without batch axis; see `Generator.explain`."""
        batch = {key: tf.constant(getattr(canvas, key)[None]) for key in ("image", "source_joints", "target_joints")}
        return {name: value[0].numpy() for name, value in self.generator.explain(batch).items()}

    def canvas(self, image: np.ndarray, source_joints: np.ndarray | None, target_joints: np.ndarray) -> Canvas:
        """Cuts out of a photo what the network is to see: both poses, at the size that it was trained with."""
        source = self._source_joints(image, source_joints)
        target = as_joints(target_joints, self.skeleton, "the target pose")
        height, width = image.shape[:2]
        require_inside(target, width, height, self.skeleton, "the target pose", _TARGET_MARGIN * max(height, width))
        model = self.config.model
        crop = common_crop([source, target], self.skeleton, model.height, model.width, self.config.data.crop_factor)
        return self._cut_out(image, source, target, crop)

    def _cut_out(self, image, source, targets, canvas_to_image) -> Canvas:
        model = self.config.model
        pixels = resample(tf.constant(image, tf.float32), tf.constant(canvas_to_image), model.height, model.width)
        source, targets = (transform_joints(invert(canvas_to_image), joints) for joints in (source, targets))
        return Canvas(pixels.numpy() / np.float32(127.5) - 1, source, targets, canvas_to_image)

    def _source_joints(self, image: np.ndarray, joints: np.ndarray | None) -> np.ndarray:
        """The source's joints as they are given, or else as they are found."""
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
        return joints
