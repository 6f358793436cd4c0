"""A SavedModel in memory: its signatures as functions of NumPy arrays."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2

DEFAULT_SIGNATURE = tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY


@dataclass(frozen=True)
class Spec:
    """A tensor's type and shape, with None for free sides; the shape None is any."""

    dtype: tf.DType
    shape: tuple[int | None, ...] | None

    @classmethod
    def of(cls, info: meta_graph_pb2.TensorInfo) -> "Spec":
        """The specification of a SavedModel's tensor."""
        shape = info.tensor_shape
        sides = None if shape.unknown_rank else tuple(None if side.size < 0 else side.size for side in shape.dim)
        return cls(tf.as_dtype(info.dtype), sides)

    @property
    def has_rows(self) -> bool:
        """Whether the first dimension is free, as for batches."""
        return self.shape is None or (len(self.shape) > 0 and self.shape[0] is None)

    def takes(self, shape: tuple[int, ...]) -> bool:
        """Whether a shape matches."""
        if self.shape is None:
            return True
        same_rank = len(shape) == len(self.shape)
        return same_rank and all(mine in (None, given) for mine, given in zip(self.shape, shape, strict=True))

    def __str__(self) -> str:
        return "any shape" if self.shape is None else shape_text(self.shape)


def shape_text(shape: tuple[int | None, ...]) -> str:
    """A shape in words, as [?, 14, 3]."""
    return f"[{', '.join('?' if side is None else str(side) for side in shape)}]"


@dataclass(eq=False)
class Signature:
    """One function of a SavedModel.

    Attributes:
        by_rows: whether row i of all outputs depends on row i of all inputs, so that requests may be joined. It is
            assumed if all have a free first dimension, as in TensorFlow Serving, until outputs have another number of
            rows.
    """

    name: str
    inputs: dict[str, Spec]
    outputs: dict[str, Spec]
    function: Callable[..., dict[str, tf.Tensor]] = field(repr=False)
    # Kept because functions refer to their variables weakly, and a request may outlive its version.
    model: object = field(repr=False)
    by_rows: bool = False

    def __post_init__(self) -> None:
        specs = [*self.inputs.values(), *self.outputs.values()]
        self.by_rows = bool(self.inputs) and all(spec.has_rows for spec in specs)

    def run(self, inputs: dict[str, np.ndarray], wanted: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Computes outputs; blocks and raises TensorFlow's errors."""
        tensors = {name: tf.constant(array, self.inputs[name].dtype) for name, array in inputs.items()}
        outputs = self.function(**tensors)
        # A single string arrives as bytes, whose trailing zeros NumPy would strip.
        return {name: np.asarray(outputs[name].numpy(), _array_type(self.outputs[name].dtype)) for name in wanted}


@dataclass(eq=False)
class LoadedModel:
    """The signatures of a SavedModel by name, and their stored descriptions."""

    signatures: dict[str, Signature]
    definitions: dict[str, meta_graph_pb2.SignatureDef]

    @classmethod
    def load(cls, folder: Path) -> "LoadedModel":
        """Loads the model; blocks, and raises TensorFlow's errors or `ValueError`."""
        content = saved_model_pb2.SavedModel.FromString((folder / "saved_model.pb").read_bytes())
        served = [graph for graph in content.meta_graphs if tf.saved_model.SERVING in graph.meta_info_def.tags]
        if not served:
            raise ValueError(f"{folder} holds no graph for serving.")
        definitions = dict(served[0].signature_def)
        model = tf.saved_model.load(str(folder), tags=[tf.saved_model.SERVING])
        signatures = {}
        for name, function in model.signatures.items():
            inputs, outputs = (
                {key: Spec.of(info) for key, info in sides.items()}
                for sides in (definitions[name].inputs, definitions[name].outputs)
            )
            signatures[name] = Signature(name, inputs, outputs, function, model)
        if not signatures:
            raise ValueError(f"{folder} has no signatures.")
        return cls(signatures, definitions)


def _array_type(dtype: tf.DType) -> type:
    return object if dtype == tf.string else dtype.as_numpy_dtype
