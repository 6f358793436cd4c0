"""Warmup requests, which a server runs before a version is ready, so that the first user does not wait.

TensorFlow Serving reads them from assets.extra/tf_serving_warmup_requests: every signature at every batch size of
`serving/batching_parameters.txt`.
"""

from pathlib import Path

import tensorflow as tf
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import model_pb2, predict_pb2, prediction_log_pb2

from tf_unseen_pose.export.signatures import Signature

BATCH_SIZES = (1, 2, 4, 8)
_NAME = "tf_serving_warmup_requests"
# A sequence's length, and the side of a photo.
_FRAMES, _SIDE = 2, 64


def write_warmup(signatures: dict[str, Signature], joint_count: int, model: str, version: Path) -> None:
    """Writes the requests of a version's signatures.

    Args:
        signatures: by name.
        joint_count: J.
        model: the model's name.
        version: the version's folder.
    """
    path = version / "assets.extra" / _NAME
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for name, signature in signatures.items():
            for batch in BATCH_SIZES:
                request = predict_pb2.PredictRequest(
                    model_spec=model_pb2.ModelSpec(name=model, signature_name=name),
                    inputs={spec.name: _value(spec, batch, joint_count) for spec in signature.inputs},
                )
                log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
                writer.write(log.SerializeToString())


def _value(spec: tf.TensorSpec, batch: int, joint_count: int) -> tensor_pb2.TensorProto:
    """A valid input as a TensorProto; constants are written as one number."""
    if "joints" in spec.name:
        return tf.make_tensor_proto(_joints(spec, batch, joint_count))
    if spec.name == "image_format":
        return tf.make_tensor_proto(["jpeg"] * batch)
    if spec.dtype == tf.string:
        photo = tf.io.encode_png(tf.fill([_SIDE, _SIDE, 3], tf.constant(128, tf.uint8)))
        return tf.make_tensor_proto(tf.repeat(photo[None], batch))
    if spec.name == "canvas_to_image":
        return tf.make_tensor_proto(tf.repeat(tf.constant([[[1.0, 0, 0], [0, 1, 0]]]), batch, axis=0))
    shape = tf.TensorShape([batch, *spec.shape[1:]]).as_proto()
    value = {"int_val": [128]} if spec.dtype.is_integer else {"float_val": [0.0]}
    return tensor_pb2.TensorProto(dtype=spec.dtype.as_datatype_enum, tensor_shape=shape, **value)


def _joints(spec, batch, joint_count):
    """Joints on a diagonal within the photo."""
    place = tf.linspace(0.1 * _SIDE, 0.9 * _SIDE, joint_count)
    joints = tf.stack([0.7 * place, place, tf.ones_like(place)], axis=1)
    sequence = spec.shape.rank in (None, 4) and spec.name == "target_joints"
    return tf.tile(joints[None, None], [batch, _FRAMES, 1, 1]) if sequence else tf.tile(joints[None], [batch, 1, 1])
