"""All metrics of one result, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import tensorflow as tf

from tf_unseen_pose.evaluation import metrics
from tf_unseen_pose.evaluation.example_pictures import Example
from tf_unseen_pose.known_skeletons import PERSON, person_joints


class Detected(Protocol):
    """A person with the joints of `BODY` in pixels of the picture."""

    @property
    def joints(self) -> np.ndarray:
        """[23, 3 or 4]."""


class Detector(Protocol):
    """The interface of a pose detector: `pose.estimation.PoseEstimator`."""

    def detect(self, image: np.ndarray) -> "Detected | None":
        """The person of uint8 [H, W, 3], or None."""


class PerceptualError:
    """The loss's VGG error between pictures, whole and by parts.

    Args:
        features: `model.perceptual.PerceptualFeatures`.
        deviations: for each of its outputs float32 [C].
    """

    def __init__(self, features: Callable[[tf.Tensor], list[tf.Tensor]], deviations: list[np.ndarray]):
        self._deviations = [tf.constant(deviation) for deviation in deviations]
        self._features = tf.function(lambda image: features(2 * image[None] - 1), autograph=False)
        self._compare = tf.function(self._errors, autograph=False)

    def features(self, image: np.ndarray) -> list[tf.Tensor]:
        """Feature maps [1, h, w, C] of uint8 [H, W, 3]."""
        return self._features(metrics.unit(image))

    def __call__(
        self, target_features: list[tf.Tensor], image_features: list[tf.Tensor], weights: list[np.ndarray]
    ) -> np.ndarray:
        """The error of `features` under each of N weights [H, W]: [N]."""
        return self._compare(target_features, image_features, tf.constant(np.stack(weights), tf.float32)).numpy()

    def _errors(self, target_features, image_features, weights):
        # One weight at a time, to save memory.
        parts = [
            metrics.perceptual_error(target_features, image_features, self._deviations, weight[None])[0]
            for weight in tf.unstack(weights)
        ]
        return tf.stack(parts)


@dataclass(frozen=True, eq=False)
class Measuring:
    """The tools for measuring pictures.

    Attributes:
        perceptual: None without VGG weights.
        detector: None without pose metrics.
    """

    perceptual: PerceptualError | None
    detector: Detector | None

    def against(self, example: Example) -> "Comparison":
        """Prepares the comparison of all results of one example."""
        return Comparison(self, example)


class Comparison:
    """Measures results of one example."""

    def __init__(self, measuring: Measuring, example: Example):
        self._measuring, self._example = measuring, example
        ones = np.ones_like(example.target_mask)
        self._regions = {"": ones, "_inside": example.target_mask, "_outside": example.outside}
        self._target_features = None
        if measuring.perceptual and example.target is not None:
            self._target_features = measuring.perceptual.features(example.target)

    def measure(self, result: np.ndarray) -> dict[str, float]:
        """Every metric of uint8 [H, W, 3] that the example allows.

        Raises:
            UserError: as `pose`.
        """
        example = self._example
        values = self.likeness(result) if example.target is not None else {}
        values |= self.pose(result)
        values["background"] = metrics.background_difference(result, example.source, example.people)
        return values

    def likeness(self, result: np.ndarray) -> dict[str, float]:
        """SSIM, PSNR and VGG error against the target photograph, in the three regions."""
        target, regions = self._example.target, self._regions
        similarity = metrics.ssim_map(target, result)
        values = {}
        for suffix, weight in regions.items():
            values[f"ssim{suffix}"] = metrics.weighted_mean(similarity, metrics.without_border(weight))
            values[f"psnr{suffix}"] = metrics.psnr(target, result, weight)
        perceptual = self._measuring.perceptual
        if perceptual and self._target_features is not None:
            errors = perceptual(self._target_features, perceptual.features(result), [*regions.values()])
            values |= {f"vgg{suffix}": float(error) for suffix, error in zip(regions, errors, strict=True)}
        return values

    def pose(self, result: np.ndarray) -> dict[str, float]:
        """PCKh of the pose detected in a picture against the target pose, by the paper's 14 joints.

        Raises:
            UserError: the target pose has no size.
        """
        if self._measuring.detector is None:
            return {}
        target, (height, width) = person_joints(self._example.target_joints, PERSON), result.shape[:2]
        detection = self._measuring.detector.detect(result)
        found = None if detection is None else person_joints(detection.joints, PERSON)
        counted = metrics.counted_joints(target, height, width)
        head = metrics.head_length(target, PERSON)
        return {
            "pckh": metrics.pckh(found, target, head, counted),
            "joint_error": metrics.joint_error(found, target, counted),
            "found": float(found is not None),
        }


def measure_flicker(results: tuple[np.ndarray, np.ndarray], examples: tuple[Example, Example]) -> dict[str, float]:
    """Flicker between a frame and the next, whole, inside the person of either frame, and outside every person."""
    (previous, result), (before, now) = results, examples
    person = np.maximum(before.target_mask, now.target_mask)
    regions = {"": np.ones_like(person), "_inside": person, "_outside": 1 - np.maximum(person, now.source_mask)}
    return {
        f"flicker{suffix}": metrics.flicker(result, previous, now.target, before.target, weight)
        for suffix, weight in regions.items()
    }
