"""The model that MediaPipe's pose landmarker runs: BlazePose "full", 9 MB.

The older stack's MediaPipe wheel contains the networks for its legacy interface; combined into a `.task` bundle they
work with the Tasks interface of both stacks. The newer wheel has none, so the bundle is downloaded once.
"""

import importlib.util
import io
import logging
import os
from functools import cache
from pathlib import Path

from tf_unseen_pose.assets.downloads import cached, fetch
from tf_unseen_pose.errors import UserError

_log = logging.getLogger(__name__)

VARIABLE = "UNSEEN_POSE_LANDMARKER"
URL = (
    "https://storage.googleapis.com/mediapipe-models/pose_landmarker/pose_landmarker_full/float16/1/"
    "pose_landmarker_full.task"
)
_SHA256 = "5134a3aad27a58b93da0088d431f366da362b44e3ccfbe3462b3827a839011b1"

# Found without importing MediaPipe, which takes seconds.
_MEDIAPIPE = importlib.util.find_spec("mediapipe")
_MODULES = Path(_MEDIAPIPE.origin if _MEDIAPIPE and _MEDIAPIPE.origin else "mediapipe").parent / "modules"
_DETECTOR = _MODULES / "pose_detection" / "pose_detection.tflite"
_LANDMARKS = _MODULES / "pose_landmark" / "pose_landmark_full.tflite"


def landmarker_model(path: Path | None = None) -> bytes:
    """The `.task` bundle: the given file, else that of the environment variable, MediaPipe's own, or a download.

    Raises:
        UserError: the given file cannot be read, or the bundle cannot be downloaded.
    """
    given = path or os.environ.get(VARIABLE)
    if given:
        _log.info("The pose model is %s.", given)
        try:
            return Path(given).read_bytes()
        except OSError as error:
            raise UserError(
                f"The pose model {given} cannot be read; name an existing .task file with --pose-model or {VARIABLE}."
            ) from error
    if wheel_has_networks():
        _log.info("The pose model is MediaPipe's own.")
        return bundle_of_wheel()
    return fetch(URL, _SHA256, f"or give it with --pose-model FILE or {VARIABLE}").read_bytes()


def model_in_place() -> Path | None:
    """The place of the bundle or its networks, if no download is needed; reads the environment's file.

    Raises:
        UserError: the environment names a file that cannot be read.
    """
    if given := os.environ.get(VARIABLE):
        landmarker_model()
        return Path(given)
    return _MODULES if wheel_has_networks() else cached(URL, _SHA256)


def wheel_has_networks() -> bool:
    """Whether the installed MediaPipe contains the networks."""
    return _DETECTOR.exists() and _LANDMARKS.exists()


@cache
def bundle_of_wheel() -> bytes:
    """The networks of the MediaPipe wheel as a `.task` bundle."""
    from tf_unseen_pose.pose.mediapipe_tasks import hidden_tensorflow

    # The newer wheel cannot import these. TensorFlow would open their files, which Python does as well.
    with hidden_tensorflow():
        from mediapipe.tasks.python.metadata.metadata_writers.metadata_writer import MetadataWriter
        from mediapipe.tasks.python.metadata.metadata_writers.model_asset_bundle_utils import create_model_asset_bundle

    def with_input_range(network: Path, low: float, high: float) -> bytes:
        """The network with metadata for an input range of [low, high]."""
        # Pixels enter as (value - mean) / deviation.
        deviation = 255 / (high - low)
        writer = MetadataWriter.create(bytearray(network.read_bytes()))
        writer.add_image_input([-low * deviation], [deviation])
        content, _ = writer.populate()
        return bytes(content)

    bundle = io.BytesIO()
    networks = {
        "pose_detector.tflite": with_input_range(_DETECTOR, -1, 1),
        "pose_landmarks_detector.tflite": with_input_range(_LANDMARKS, 0, 1),
    }
    create_model_asset_bundle(networks, bundle)
    return bundle.getvalue()
