"""The weights and units of an evaluation's VGG error."""

from pathlib import Path

import numpy as np

from tf_unseen_pose.config import Config
from tf_unseen_pose.data.clip_poses import spread
from tf_unseen_pose.data.pairs import evaluation_pair
from tf_unseen_pose.data.records import ClipDataset
from tf_unseen_pose.errors import UserError
from tf_unseen_pose.evaluation.compared_models import Model
from tf_unseen_pose.evaluation.result_metrics import PerceptualError
from tf_unseen_pose.model.perceptual import PerceptualFeatures
from tf_unseen_pose.training.feature_statistics import load_deviations, measure_deviations
from tf_unseen_pose.words import counted

# Number of pictures, spread over the dataset, for measuring the VGG channels' deviations.
_STATISTICS_PICTURES = 64


def open_perceptual(
    dataset: ClipDataset, model: Model, features_weights: Path | None
) -> tuple[PerceptualError | None, str]:
    """The VGG error and a description of its units, or None and the reason.

    Args:
        dataset: for measuring the units if the model has none.
        features_weights: as `loss.features_weights`; by default the model's own.

    Raises:
        UserError: the named weights cannot be read.
    """
    weights = features_weights or model.config.loss.features_weights
    if weights is None:
        return None, (
            "There is no VGG error, since no weights were given: name a Keras VGG19 or VGG16 .h5 with "
            "--features-weights. Who trained with ImageNet's has it in ~/.keras/models."
        )
    if not features_weights and not weights.is_file():
        return None, f"There is no VGG error: the weights {weights}, which the run was trained with, are not there."
    features = PerceptualFeatures(weights)
    compared = f"It compares {len(features.channels)} maps of {features.network.upper()};"
    reason = "the run has none"
    if model.deviations:
        try:
            deviations = load_deviations(model.deviations, features.channels)
            return PerceptualError(features, deviations), f"{compared} its units are those of the run."
        except UserError as error:
            reason = f"those of the run do not serve: {str(error).partition(';')[0]}"
    deviations, count = _measured_deviations(dataset, model.config, features)
    note = f"{compared} its units were measured on {counted(count, 'frame')}, spread over the dataset, since {reason}."
    return PerceptualError(features, deviations), note


def _measured_deviations(
    dataset: ClipDataset, config: Config, features: PerceptualFeatures
) -> tuple[list[np.ndarray], int]:
    """Deviations over frames spread over the dataset, and the number of frames."""
    frames = [(clip, frame) for clip, entry in enumerate(dataset.clips) for frame in range(len(entry.frames))]
    chosen = [frames[position] for position in spread(len(frames), _STATISTICS_PICTURES)]
    pictures = (evaluation_pair(dataset, config, clip, frame, frame) for clip, frame in chosen)
    return measure_deviations(features, pictures, len(chosen)), len(chosen)
