"""Generators and plain functions in TFLite: fp32, builtin operations only, two threads, as `export --tflite` has them.

Convention: every function takes and returns tensors by name, as TFLite's signatures do.
"""

import tempfile
from pathlib import Path

import tensorflow as tf

from tf_unseen_pose.export.tflite.conversion import convert, convert_saved_model
from tf_unseen_pose.inference.lite_file import LiteFile
from tf_unseen_pose.model import PoseModel

THREADS = 2
# The names under which `forward` has the signatures.
SIGNATURES = {"whole": "synthesize", "encode": "encode_source", "render": "render"}


def open_generator(generator: PoseModel) -> LiteFile:
    """A generator, ready to be called."""
    return LiteFile(convert(generator), THREADS, described=False)


def open_function(function: tf.types.experimental.GenericFunction) -> LiteFile:
    """A `tf.function` with an input signature and no variables, as `serving_default`."""
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(tf.Module(), folder, signatures=function)
        return LiteFile(convert_saved_model(Path(folder), ("serving_default",)), THREADS, described=False)
