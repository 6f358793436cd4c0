"""The Python face: load a model once, re-pose any number of photos.

    reposer = Reposer.load("runs/tennis")
    photo = reposer.synthesize(image, target_joints, source_joints)

Convention: photos are uint8 [H, W, 3] RGB of any size; joints are [J, 3] (x, y, visibility) in pixels of the photo.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_unseen_pose import images
from tf_unseen_pose.config import Config
from tf_unseen_pose.data.crop import common_crop, invert, transform_joints
from tf_unseen_pose.data.pose_files import as_joints, require_inside
from tf_unseen_pose.data.resampling import resample
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.model import PoseModel, SourceState
from tf_unseen_pose.training.run import Run


@dataclass(frozen=True)
class Canvas:
    """What the network saw of a photo.

    Attributes:
        image: float32 [h, w, 3] in [-1, 1].
        source_joints, target_joints: float32 [J, 3] in canvas pixels.
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
            UserError: a pose with the wrong joint count, NaN, nothing visible, or joints outside the photo.
        """
        canvas = self.canvas(image, source_joints, target_joints)
        state = self._encode(tf.constant(canvas.image[None]), tf.constant(canvas.source_joints[None]))
        result = images.to_uint8(self._render(state, tf.constant(canvas.target_joints[None]))[0])
        return result if crop else images.paste(image, result, canvas.canvas_to_image)

    def explain(self, canvas: Canvas) -> dict[str, np.ndarray]:
        """Every intermediate of one re-posing, without batch axis; see `Generator.explain`."""
        batch = {key: tf.constant(getattr(canvas, key)[None]) for key in ("image", "source_joints", "target_joints")}
        return {name: value[0].numpy() for name, value in self.generator.explain(batch).items()}

    def canvas(self, image: np.ndarray, source_joints: np.ndarray | None, target_joints: np.ndarray) -> Canvas:
        """Cuts out of a photo what the network is to see: both poses, at the size that it was trained with."""
        if source_joints is None:
            raise UserError("The pose of the person in the photo is not known; give it as --source-pose POSES.json.")
        height, width = image.shape[:2]
        poses = []
        for joints, name in ((source_joints, "the source pose"), (target_joints, "the target pose")):
            joints = as_joints(joints, self.skeleton, name)
            require_inside(joints, width, height, self.skeleton, name)
            poses.append(joints)
        model = self.config.model
        canvas_to_image = common_crop(poses, self.skeleton, model.height, model.width, self.config.data.crop_factor)
        pixels = resample(tf.constant(image, tf.float32), tf.constant(canvas_to_image), model.height, model.width)
        source, target = (transform_joints(invert(canvas_to_image), joints) for joints in poses)
        return Canvas(pixels.numpy() / np.float32(127.5) - 1, source, target, canvas_to_image)
