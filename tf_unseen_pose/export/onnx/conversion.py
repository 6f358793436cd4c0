"""A generator's stages as ONNX models, by tf2onnx.

Convention: tensors are those of `export.stages` for any batch size, with two other names, since names are unique in an
ONNX graph: `encode_source` takes `canvas` and returns `image` as a part of the source's state; `render` takes that part
and returns `picture`.
"""

import json
from typing import Any

import numpy as np
import tensorflow as tf

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.export.stages import Stage, stages
from tf_unseen_pose.inference.lite_file import METADATA
from tf_unseen_pose.model import PoseModel

STAGES = ("encode_source", "decide", "render")
# From 2020, the oldest in which every operation is exact, for old runtimes.
OPSET = 13
_INPUT_NAMES = {"encode_source": {"image": "canvas"}}
_OUTPUT_NAMES = {"render": {"image": "picture"}}


def require_packages() -> None:
    """Checks that the packages are installed.

    Raises:
        UserError: one is not installed.
    """
    try:
        import onnx  # noqa: F401  Only to find out whether they are there.
        import onnxruntime  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise UserError(
            f"Writing ONNX files needs the package '{error.name}', which is not installed; run 'pip install -r "
            "requirements-onnx.txt'."
        ) from error


def functions(generator: PoseModel) -> dict[str, tf.types.experimental.PolymorphicFunction]:
    """The stages of `STAGES` in TensorFlow with ONNX's names, for conversion and comparison."""
    known = stages(generator, batch=None)
    return {name: _renamed(name, known[name]) for name in STAGES}


def _renamed(name: str, stage: Stage) -> tf.types.experimental.PolymorphicFunction:
    names, outputs = [spec.name for spec in stage.inputs], _OUTPUT_NAMES.get(name, {})
    renamed = _INPUT_NAMES.get(name, {})
    specs = [tf.TensorSpec(spec.shape, spec.dtype, renamed.get(spec.name, spec.name)) for spec in stage.inputs]

    def function(*parts):
        made = stage.function(dict(zip(names, parts, strict=True)))
        return {outputs.get(key, key): part for key, part in made.items()}

    return tf.function(function, input_signature=specs, autograph=False)


def convert(name: str, function: tf.types.experimental.PolymorphicFunction) -> Any:
    """A stage as `onnx.ModelProto`.

    Raises:
        UserError: ONNX lacks one of its operations.
    """
    import onnx
    import tf2onnx

    model, _ = tf2onnx.convert.from_function(function, function.input_signature, opset=OPSET)
    if unknown := sorted({node.op_type for node in model.graph.node if not onnx.defs.has(node.op_type, node.domain)}):
        raise UserError(
            f"ONNX has no operation for {', '.join(unknown)} of {name}; nothing was exported: choose another "
            "model.network, and report this."
        )
    onnx.checker.check_model(model)
    for value in (*model.graph.input, *model.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return model


def tensors(values: Any) -> dict[str, tuple[tuple[int | None, ...], str]]:
    """Shapes (None is free) and types of a graph's inputs or outputs."""
    import onnx

    found = {}
    for value in values:
        kind = value.type.tensor_type
        shape = tuple(None if size.dim_param else size.dim_value for size in kind.shape.dim)
        found[value.name] = shape, np.dtype(onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)).name
    return found


def with_description(model: Any, text: str) -> bytes:
    """The file's content with the description of `export.description`."""
    import onnx

    about = json.loads(text)
    model.producer_name, model.doc_string = about["project"], f"Licence of the weights: {about['licence']}"
    onnx.helper.set_model_props(model, {METADATA: text})
    return model.SerializeToString()
