"""The models that an evaluation compares."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import tensorflow as tf

from tf_unseen_pose.config import Config
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.evaluation.example_pictures import Example
from tf_unseen_pose.evaluation.limb_choice import LimbChoice
from tf_unseen_pose.evaluation.photo_metrics import Repose
from tf_unseen_pose.imaging.image_files import to_uint8
from tf_unseen_pose.known_skeletons import person_joints
from tf_unseen_pose.model import PoseModel
from tf_unseen_pose.skeleton import Skeleton
from tf_unseen_pose.training.run import Run


class PhotoReposing(Protocol):
    """The interface for re-posing whole photos, implemented by `inference.Reposer`."""

    def synthesize(self, image: np.ndarray, target_joints: np.ndarray, source_joints: np.ndarray, /) -> np.ndarray:
        """The photo in the target's pose; see `Repose`."""


# The evaluated stages of a generator, as far as it has them.
_JUDGED = "image", "limb_weights", "target_to_source"

NewReposer = Callable[[PoseModel, Config], PhotoReposing]


class Model:
    """A trained generator as a method of evaluation, from an example to a picture.

    Args:
        generator: called with {"image", "source_joints", "target_joints"} as in `model.pose_model.PoseModel`.
        config: its training configuration.
        path: its folder.
        deviations: a file with the units of its perceptual loss; None without one.
        repose: re-poses whole photos; None to evaluate only canvases.

    Attributes:
        given: the skeleton of the joints it receives.
    """

    def __init__(
        self,
        generator: PoseModel,
        config: Config,
        path: Path,
        deviations: Path | None = None,
        repose: Repose | None = None,
    ):
        self.config, self.path, self.deviations, self.repose = config, path, deviations, repose
        self.given = config.model.body

        def judged(batch):
            stages = generator.explain(batch)
            return {name: stages[name] for name in _JUDGED if name in stages}

        self._call = tf.function(judged, autograph=False)

    @classmethod
    def open(cls, path: Path, reposer: NewReposer | None = None) -> "Model":
        """Loads a run.

        Args:
            reposer: `inference.Reposer`, by which whole photos are re-posed; None to judge canvases alone.

        Raises:
            UserError: no such folder, no run, no weights.
        """
        run = Run.open(Path(path))
        deviations = run.deviations if run.deviations.is_file() else None
        generator = run.load_generator()
        repose = None if reposer is None else reposer(generator, run.config).synthesize
        return cls(generator, run.config, run.path, deviations, repose)

    def limited_to(self, skeleton: Skeleton) -> "Model":
        """The same model with the joints of another skeleton, such as `PERSON`; its other joints are absent."""
        limited, repose = copy.copy(self), self.repose
        limited.given = skeleton
        if repose is not None:
            limited.repose = lambda photo, *poses: repose(photo, *(person_joints(pose, skeleton) for pose in poses))
        return limited

    def __call__(self, example: Example) -> np.ndarray:
        """Encodes the source and renders the target pose: uint8 [H, W, 3]."""
        return to_uint8(self._call(self.seen(example).batch)["image"][0])

    def choice(self, example: Example) -> LimbChoice | None:
        """Its choice among limbs; None for models without one."""
        stages = self._call(self.seen(example).batch)
        if "limb_weights" not in stages:
            return None
        weights, transforms = (stages[name][0].numpy() for name in ("limb_weights", "target_to_source"))
        return LimbChoice(self.config.model.body, self.given, weights, transforms)

    def seen(self, example: Example) -> Example:
        """An example with the given joints, in the model's skeleton."""
        return example.as_of(self.given).as_of(self.config.model.body)


@dataclass(frozen=True)
class _Sight:
    """The settings that determine which pixels a model sees."""

    height: int
    width: int
    crop_factor: float


def require_same_canvas(models: dict[str, Model]) -> None:
    """Rejects models whose results cannot be compared. Skeletons may differ, as between dataset and model.

    Raises:
        UserError: two models see the photos differently.
    """
    sights = {name: _sight(model.config) for name, model in models.items()}
    first, *others = sights
    for other in others:
        if sights[other] != sights[first]:
            raise UserError(
                f"The model '{other}' sees {_described(sights[other])}, '{first}' {_described(sights[first])}; compare "
                "models of one canvas."
            )


def _sight(config: Config) -> _Sight:
    return _Sight(config.model.height, config.model.width, config.data.crop_factor)


def _described(sight: _Sight) -> str:
    return f"{sight.width} x {sight.height} pixels at crop factor {sight.crop_factor:g}"
