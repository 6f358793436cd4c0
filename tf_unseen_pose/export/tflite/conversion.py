"""A generator as a float32 TFLite model with the signatures `encode_source`, `decide`, `render` and `synthesize`.

It is converted through a SavedModel; a concrete function with a Keras 3 model would convert silently and compute NaN.

Convention: tensors are those of `export.stages`, with a batch of one: TFLite's shapes are fixed, so hosts pad
poses of fewer joints with absent ones.
"""

import re
import tempfile
from pathlib import Path

import tensorflow as tf
from tensorflow.lite.python.convert_phase import ConverterError

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.export.graphs import save_graphs
from tf_unseen_pose.export.stages import stages
from tf_unseen_pose.model import PoseModel

SIGNATURES = ("encode_source", "decide", "render", "synthesize")


def convert(generator: PoseModel, batch: int = 1) -> bytes:
    """The file's content. Weights that signatures share are stored once.

    Raises:
        UserError: TFLite lacks one of the model's operations.
    """
    named = stages(generator, batch).items()
    functions = {name: (function, [{spec.name: spec for spec in inputs}]) for name, (function, inputs) in named}
    with tempfile.TemporaryDirectory() as folder:
        save_graphs(generator, functions, Path(folder))
        return convert_saved_model(Path(folder), SIGNATURES)


def convert_saved_model(folder: Path, signatures: tuple[str, ...]) -> bytes:
    """Signatures of a SavedModel in float32, with builtin operations only.

    Raises:
        UserError: it has another operation.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=list(signatures))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    try:
        return converter.convert()
    except ConverterError as error:
        kinds = ", ".join(sorted(set(re.findall(r"'tf\.(\w+)' op is neither", str(error)))))
        raise UserError(
            f"TFLite has no operation for {kinds or 'a part of the model'}; nothing was exported: choose another "
            "model.network, and report this."
        ) from error
