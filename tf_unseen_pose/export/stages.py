"""A generator's stages as functions of named tensors, the signatures of TFLite and ONNX files.

Convention: canvases are float32 [B, H, W, 3] in [-1, 1], since many accelerators support no other type; source joints
float32 [B, J, 3], target joints [B, J, 4] with depth. Depth 0 of all joints means unknown depth.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import tensorflow as tf

from tf_unseen_pose.model import PoseModel

# Below every joint and pixel: an identity that converters do not remove.
_BELOW_ALL = -1e9


class Stage(NamedTuple):
    """A function from tensors by name to tensors by name.

    Attributes:
        function: takes and returns a dictionary.
        inputs: the dictionary's tensors, in order.
    """

    function: Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]]
    inputs: list[tf.TensorSpec]


def stages(generator: PoseModel, batch: int | None) -> dict[str, Stage]:
    """`encode_source`, `decide`, `render` and `synthesize`, by their names.

    Args:
        batch: the number of examples, None for any.
    """
    size, joints = generator.config, generator.body.joint_count
    image = tf.TensorSpec([batch, size.height, size.width, 3], name="image")
    source = tf.TensorSpec([batch, joints, 3], name="source_joints")
    target = tf.TensorSpec([batch, joints, 4], name="target_joints")
    example = generator.encode_source(tf.zeros([1, *image.shape[1:]]), tf.ones([1, *source.shape[1:]]))
    parts = example._asdict().items()
    state = [tf.TensorSpec([batch, *part.shape[1:]], part.dtype, name) for name, part in parts]

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

    return {
        "encode_source": Stage(encode_source, [image, source]),
        "decide": Stage(decide, [*state, target]),
        "render": Stage(render, [*state, target]),
        "synthesize": Stage(synthesize, [image, source, target]),
    }


def _computed(output: tf.Tensor, inputs: Iterable[tf.Tensor]) -> tf.Tensor:
    """Adds an operation to outputs that are inputs handed through.

    LiteRT's CompiledModel binds such an output to fresh memory and reads zeros.
    """
    return tf.maximum(output, _BELOW_ALL) if any(output is given for given in inputs) else output
