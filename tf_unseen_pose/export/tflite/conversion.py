"""A generator as a float32 TFLite model with the signatures `encode_source`, `decide`, `render` and `synthesize`.

It is converted through a SavedModel that Keras writes; a concrete function that holds a Keras 3 model would convert
without complaint and compute NaN.

Convention: canvases are float32 [1, H, W, 3] in [-1, 1], since many accelerators know no other type; source joints
float32 [1, J, 3], target joints [1, J, 4] with depth. Depth 0 of all joints says what no depth says. One at a time:
TFLite's shapes are fixed, so hosts fill a pose of fewer joints up with absent ones.
"""

import contextlib
import io
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

import keras
import tensorflow as tf
from tensorflow.lite.python.convert_phase import ConverterError

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.model import PoseModel

# No joint and no pixel is less; an operation that the converter cannot take for none.
_BELOW_ALL = -1e9
SIGNATURES = ("encode_source", "decide", "render", "synthesize")


def convert(generator: PoseModel, batch: int = 1) -> bytes:
    """The file's content. Weights that signatures have in common are stored once.

    Raises:
        UserError: the model has an operation that TFLite has not.
    """
    size, joints = generator.config, generator.body.joint_count
    image = tf.TensorSpec([batch, size.height, size.width, 3], name="image")
    source = tf.TensorSpec([batch, joints, 3], name="source_joints")
    target = tf.TensorSpec([batch, joints, 4], name="target_joints")
    example = generator.encode_source(tf.zeros(image.shape), tf.ones(source.shape))
    state = [tf.TensorSpec(part.shape, part.dtype, name) for name, part in example._asdict().items()]

    def encode_source(inputs):
        made = generator.encode_source(inputs["image"], inputs["source_joints"])._asdict()
        return {name: _computed(part, inputs.values()) for name, part in made.items()}

    def state_of(inputs):
        return type(example)(*(inputs[name] for name in example._fields))

    def render(inputs):
        return {"image": generator.render(state_of(inputs), inputs["target_joints"])}

    def decide(inputs):
        return {"decisions": tf.concat(generator.decide(state_of(inputs), inputs["target_joints"]), axis=-1)}

    def synthesize(inputs):
        made = generator.encode_source(inputs["image"], inputs["source_joints"])
        return {"image": generator.render(made, inputs["target_joints"])}

    archive = keras.export.ExportArchive()
    archive.track(generator)
    whole = (synthesize, [image, source, target])
    endpoints = (encode_source, [image, source]), (decide, [*state, target]), (render, [*state, target]), whole
    for function, specs in endpoints:
        archive.add_endpoint(function.__name__, function, [{spec.name: spec for spec in specs}])
    with tempfile.TemporaryDirectory() as folder:
        # It prints every captured variable.
        with contextlib.redirect_stdout(io.StringIO()):
            archive.write_out(folder)
        return convert_saved_model(Path(folder), SIGNATURES)


def _computed(output: tf.Tensor, inputs: Iterable[tf.Tensor]) -> tf.Tensor:
    """The output by an operation of its own where it is an input handed through.

    LiteRT's CompiledModel binds such an output to fresh memory, and reads zeros.
    """
    return tf.maximum(output, _BELOW_ALL) if any(output is given for given in inputs) else output


def convert_saved_model(folder: Path, signatures: tuple[str, ...]) -> bytes:
    """Signatures of a SavedModel in float32, with builtin operations only.

    Raises:
        UserError: it has an operation that is none of these.
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
