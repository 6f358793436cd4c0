"""Functions of a generator as the signatures of a SavedModel."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from tf_unseen_pose.compat import tensorflow_variable
from tf_unseen_pose.model import PoseModel


def save_graphs(generator: PoseModel, functions: Mapping[str, tuple[Callable, list[Any]]], folder: Path) -> None:
    """Saves functions that use a generator as a SavedModel's signatures, with the weights once.

    Not by Keras's `ExportArchive`, which writes cast weights twice, and traces everything twice, with AutoGraph.

    Args:
        functions: by the signatures' names; each with its arguments' `tf.TensorSpec`s, or a dictionary of them.
    """
    module = tf.Module()
    module.weights = [tensorflow_variable(variable) for variable in generator.variables]
    graphs = {
        name: tf.function(function, input_signature=inputs, autograph=False).get_concrete_function()
        for name, (function, inputs) in functions.items()
    }
    tf.saved_model.save(module, str(folder), signatures=graphs)
