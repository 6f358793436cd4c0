"""Generators and plain functions in TFLite: fp32, builtin operations only, two threads.

Models are converted through a SavedModel that Keras writes; a concrete function that holds a Keras 3 model would
convert without complaint and compute NaN.

Convention: every function takes and returns tensors by name, as TFLite's signatures do.
"""

import contextlib
import io
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tf_unseen_pose.model import PoseModel, SourceState

THREADS = 2


def convert_generator(generator: PoseModel, state: SourceState, parts: tuple[str, ...], batch: int = 1) -> bytes:
    """A TFLite model with one signature a part.

    Args:
        state: of any source; its shapes are what `render` takes.
        parts: of "whole", "encode" and "render".
    """
    size = generator.config
    image = tf.TensorSpec([batch, size.height, size.width, 3], name="image")
    source, target = (
        tf.TensorSpec([batch, generator.body.joint_count, 3], name=name) for name in ("source_joints", "target_joints")
    )
    stored = [
        tf.TensorSpec([batch, *part.shape[1:]], part.dtype, name=name)
        for name, part in zip(state._fields, state, strict=True)
    ]

    def whole(inputs):
        made = generator.encode_source(inputs["image"], inputs["source_joints"])
        return {"image": generator.render(made, inputs["target_joints"])}

    def encode(inputs):
        return generator.encode_source(inputs["image"], inputs["source_joints"])._asdict()

    def render(inputs):
        kept = type(state)(*(inputs[name] for name in state._fields))
        return {"image": generator.render(kept, inputs["target_joints"])}

    endpoints = {
        "whole": (whole, [image, source, target]),
        "encode": (encode, [image, source]),
        "render": (render, [*stored, target]),
    }
    archive = keras.export.ExportArchive()
    archive.track(generator)
    for name in parts:
        function, specs = endpoints[name]
        archive.add_endpoint(name, function, [{spec.name: spec for spec in specs}])
    with tempfile.TemporaryDirectory() as folder:
        # It prints every captured variable.
        with contextlib.redirect_stdout(io.StringIO()):
            archive.write_out(folder)
        return _converted(folder, list(parts))


def convert_function(function: tf.types.experimental.GenericFunction) -> bytes:
    """A TFLite model of a `tf.function` with an input signature and no variables, as `serving_default`."""
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(tf.Module(), folder, signatures=function)
        return _converted(folder, ["serving_default"])


def _converted(folder: str, signatures: list[str]) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(str(Path(folder)), signature_keys=signatures)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    return converter.convert()


class Interpreter:
    """The signatures of a TFLite model, as functions of NumPy arrays by name."""

    def __init__(self, content: bytes):
        with warnings.catch_warnings():
            # TensorFlow 2.21 announces that its interpreter moves to another package.
            warnings.simplefilter("ignore")
            self._interpreter = tf.lite.Interpreter(model_content=content, num_threads=THREADS)

    def __getitem__(self, signature: str) -> Callable[..., dict[str, np.ndarray]]:
        return self._interpreter.get_signature_runner(signature)
