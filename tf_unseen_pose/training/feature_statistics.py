"""Standard deviation of every VGG channel over a training set, the unit of the perceptual loss."""

from collections.abc import Iterable
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import scipy.io
import tensorflow as tf
from scipy.io.matlab import MatReadError

from tf_unseen_pose.errors import UserError, wrapped_user_error
from tf_unseen_pose.files import replacing
from tf_unseen_pose.model.perceptual import PerceptualFeatures


def measure_deviations(
    features: PerceptualFeatures, batches: Iterable[dict[str, tf.Tensor]], count: int
) -> list[np.ndarray]:
    """Measures the deviations over `count` batches of pairs: float32 [C] for each feature map.

    Args:
        batches: an iterable of dicts with "target_image" [B, H, W, 3] in [-1, 1].

    Raises:
        UserError: a frame that cannot be read or decoded.
    """
    moments = [np.zeros((2, channels)) for channels in features.channels]
    samples = np.zeros(len(moments))

    @tf.function
    def sums(images):
        # Summed on the device, since a batch of features takes gigabytes.
        maps = [tf.cast(feature_map, tf.float64) for feature_map in features(images)]
        return [tf.stack([tf.reduce_sum(part, [0, 1, 2]) for part in (values, values**2)]) for values in maps], [
            tf.size(values) / values.shape[-1] for values in maps
        ]

    try:
        for _, batch in zip(range(count), batches, strict=False):
            for i, (of_map, number) in enumerate(zip(*sums(batch["target_image"]), strict=True)):
                moments[i] += of_map.numpy()
                samples[i] += number.numpy()
    except tf.errors.OpError as error:
        if (plain := wrapped_user_error(error)) is None:
            raise
        raise plain from error
    means = (total / n for total, n in zip(moments, samples, strict=True))
    return [np.sqrt(np.maximum(square - mean**2, 0)).astype(np.float32) for mean, square in means]


def read_authors_deviations(path: Path, channels: list[int]) -> list[np.ndarray]:
    """The authors' `vgg_activation_distribution_train.mat`: keys '0'..'11', [2, C] of means and deviations.

    Raises:
        UserError: the file is missing or has another layout.
    """
    if not path.is_file():
        raise UserError(f"There is no statistics file {path}; leave loss.features_statistics out to measure them.")
    try:
        content = scipy.io.loadmat(path)
        deviations = [np.asarray(content[str(i)][1], np.float32) for i in range(len(channels))]
    except (MatReadError, OSError, ValueError, KeyError, IndexError, NotImplementedError) as error:
        raise UserError(
            f"{path} does not hold the authors' channel statistics; leave it out to measure them."
        ) from error
    if [len(deviation) for deviation in deviations] != channels or str(len(channels)) in content:
        raise UserError(
            f"{path} has statistics of other channels than the features (the authors' are VGG19's); "
            "leave loss.features_statistics out to measure them."
        )
    return deviations


def save_deviations(path: Path, deviations: list[np.ndarray]) -> None:
    """Writes the deviations as .npz atomically."""
    with replacing(path) as temporary:
        np.savez(temporary, **{str(i): deviation for i, deviation in enumerate(deviations)})


def load_deviations(path: Path, channels: list[int]) -> list[np.ndarray]:
    """Loads deviations that `save_deviations` wrote.

    Args:
        channels: of each feature map, for comparison.

    Raises:
        UserError: the file is damaged, or has deviations of other features.
    """
    try:
        with np.load(path) as content:
            deviations = [content[str(i)] for i in range(len(content))]
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise UserError(f"{path} is damaged; choose another folder for the run.") from error
    if [deviation.shape for deviation in deviations] != [(count,) for count in channels]:
        raise UserError(
            f"{path} belongs to other features than the run is to be resumed with ({len(deviations)} maps, not "
            f"{len(channels)}); choose another folder for the run or name the weights that it was begun with."
        )
    return deviations
