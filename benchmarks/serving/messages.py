"""Requests to the signature `synthesize`, as bytes, and what their answers hold."""

import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2

from benchmarks.scenes import canvas_pair
from tf_unseen_pose.serving.loaded import LoadedModel
from tf_unseen_pose.serving.served_models import numbered_folders

SIGNATURE = "synthesize"


def newest_model(folder: Path) -> LoadedModel:
    """The newest version below a folder, loaded into this process."""
    versions = numbered_folders(folder)
    if not versions:
        sys.exit(f"{folder} holds no version; name the folder that 'export' wrote to.")
    model = LoadedModel.load(versions[max(versions)])
    if SIGNATURE not in model.signatures:
        sys.exit(f"The newest version in {folder} has no signature '{SIGNATURE}'.")
    return model


def drawn_inputs(model: LoadedModel, rows: int) -> dict[str, np.ndarray]:
    """Canvases of the model's size and poses, all different."""
    image, source, target = canvas_pair(model.signatures[SIGNATURE].inputs["image"].shape[1], rows)
    return {"image": image, "source_joints": source[..., :3], "target_joints": target[..., :3]}


def row(inputs: dict[str, np.ndarray], number: int) -> dict[str, np.ndarray]:
    return {name: array[number : number + 1] for name, array in inputs.items()}


def predict_request(inputs: dict[str, np.ndarray], signature: str = SIGNATURE) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "model", signature
    for name, array in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
    return request


def picture_of(answer: bytes) -> tuple[np.ndarray, int]:
    """The image of an answer, and the version that made it."""
    response = predict_pb2.PredictResponse.FromString(answer)
    return tf.make_ndarray(response.outputs["image"]), response.model_spec.version.value
