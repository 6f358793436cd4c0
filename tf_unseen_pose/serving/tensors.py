"""TensorProtos to arrays and back.

Requests are untrusted. A few bytes can claim a tensor of gigabytes (a shape, and one value to fill it), sides can be
negative, contents too short. So everything is checked before it is allocated, and no array is larger than the largest
message.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from tf_unseen_pose.serving.loaded import Signature, Spec, shape_text
from tf_unseen_pose.serving.picture_headers import check_pictures
from tf_unseen_pose.serving.request_errors import invalid, listed, quoted

PICTURES, JOINTS = "image_bytes", "joints"
_HIGHEST_RANK = 8
# Small outputs are listed, since clients print `float_val`, as TensorFlow Serving's examples do.
_MOST_LISTED = 1024
# The field in which a TensorProto lists values of a type.
_FIELDS = {
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.int8: "int_val",
    tf.int16: "int_val",
    tf.int32: "int_val",
    tf.uint8: "int_val",
    tf.uint16: "int_val",
    tf.int64: "int64_val",
    tf.uint32: "uint32_val",
    tf.uint64: "uint64_val",
    tf.bool: "bool_val",
    tf.string: "string_val",
    # These two are listed as bits.
    tf.float16: "half_val",
    tf.bfloat16: "half_val",
}


@dataclass(frozen=True)
class Limits:
    """Limits on requests.

    Attributes:
        message_bytes: of the whole message, and of each tensor.
        pixels: of one encoded picture.
        rows: of a tensor's first dimension, if the signature leaves it free.
        pixels_in_flight: of the pictures of all waiting and running requests.
    """

    message_bytes: int
    pixels: int
    rows: int
    pixels_in_flight: int = 100_000_000


def decode_inputs(
    protos: Mapping[str, tensor_pb2.TensorProto], signature: Signature, limits: Limits
) -> dict[str, np.ndarray]:
    """The arrays of a request for a signature.

    Args:
        protos: TensorProtos by name.

    Raises:
        RequestError: INVALID_ARGUMENT; a missing or unknown input, or one that does not match the signature.
    """
    takes = f"signature '{signature.name}' takes {listed(signature.inputs)}"
    if missing := signature.inputs.keys() - protos.keys():
        raise invalid(f"Missing inputs: {listed(missing)}; {takes}.")
    if superfluous := protos.keys() - signature.inputs.keys():
        raise invalid(f"Unknown inputs: {listed(map(quoted, sorted(superfluous)[:5]))}; {takes}.")
    arrays = {name: decode(name, protos[name], spec, limits) for name, spec in signature.inputs.items()}
    for name, array in arrays.items():
        floating = signature.inputs[name].dtype.is_floating
        if name.endswith(JOINTS) and floating and not np.isfinite(array).all():
            raise invalid(f"Input '{name}' holds NaN or infinity; give joints that are not seen visibility 0 instead.")
    return arrays


def count_pixels(arrays: Mapping[str, np.ndarray], limits: Limits) -> int:
    """The number of pixels of a request's pictures after decoding.

    Raises:
        RequestError: INVALID_ARGUMENT; an invalid picture, or one that is too large.
    """
    pictures = arrays.get(PICTURES)
    return 0 if pictures is None or pictures.dtype != object else check_pictures(PICTURES, pictures, limits.pixels)


def decode(name: str, proto: tensor_pb2.TensorProto, spec: Spec, limits: Limits) -> np.ndarray:
    """One tensor, read-only if it shares the message's bytes; strings as an array of bytes objects.

    Raises:
        RequestError: INVALID_ARGUMENT.
    """
    if proto.dtype != spec.dtype.as_datatype_enum:
        given = tf.as_dtype(proto.dtype).name if _is_known(proto.dtype) else "of no known type"
        raise invalid(f"Input '{name}' is {given}, the signature takes {spec.dtype.name}; convert it first.")
    if spec.dtype not in _FIELDS:
        raise invalid(f"Input '{name}' is {spec.dtype.name}, which this server does not take.")
    shape = _shape(name, proto, spec, limits)
    if proto.tensor_content and spec.dtype != tf.string:
        return _from_content(name, proto.tensor_content, shape, spec.dtype)
    return _from_values(name, getattr(proto, _FIELDS[spec.dtype]), shape, spec.dtype, limits)


def encode(array: np.ndarray, dtype: tf.DType) -> tensor_pb2.TensorProto:
    """The TensorProto of an output: few numbers as a list, as in TensorFlow Serving, more as bytes."""
    shape = tf.TensorShape(array.shape).as_proto()
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum, tensor_shape=shape)
    if dtype == tf.string:
        proto.string_val.extend(array.ravel().tolist())
    elif array.size <= _MOST_LISTED:
        numbers = array.view(np.uint16) if dtype in (tf.float16, tf.bfloat16) else array
        getattr(proto, _FIELDS[dtype]).extend(numbers.ravel().tolist())
    else:
        # A thousandth of a list's time, without copies.
        proto.tensor_content = array.tobytes()
    return proto


def _is_known(number: int) -> bool:
    try:
        tf.as_dtype(number)
    except TypeError:
        return False
    return number != 0


def _shape(name: str, proto: tensor_pb2.TensorProto, spec: Spec, limits: Limits) -> tuple[int, ...]:
    """The shape of a tensor, checked against the signature and the limits."""
    if proto.tensor_shape.unknown_rank:
        raise invalid(f"Input '{name}' does not say its shape; the signature takes {spec}.")
    if len(proto.tensor_shape.dim) > _HIGHEST_RANK:
        raise invalid(f"Input '{name}' has {len(proto.tensor_shape.dim)} dimensions; the signature takes {spec}.")
    shape = tuple(side.size for side in proto.tensor_shape.dim)
    if not spec.takes(shape):
        raise invalid(f"Input '{name}' has shape {shape_text(shape)}; the signature takes {spec}.")
    if any(side < 1 for side in shape):
        raise invalid(f"Input '{name}' has shape {shape_text(shape)}; every side must be at least 1.")
    if spec.shape and spec.has_rows and shape[0] > limits.rows:
        raise invalid(f"Input '{name}' has {shape[0]} rows; send at most {limits.rows} a request.")
    # Python's integers do not overflow. A string takes at least a byte.
    size = math.prod(shape) * (1 if spec.dtype == tf.string else spec.dtype.size)
    if size > limits.message_bytes:
        raise invalid(
            f"Input '{name}' has shape {shape_text(shape)}, {size} bytes; at most {limits.message_bytes} are allowed."
        )
    return shape


def _from_content(name: str, content: bytes, shape: tuple[int, ...], dtype: tf.DType) -> np.ndarray:
    expected = math.prod(shape) * dtype.size
    if len(content) != expected:
        raise invalid(
            f"Input '{name}' holds {len(content)} bytes, its shape {shape_text(shape)} needs {expected}; send all."
        )
    if dtype == tf.bool:
        # Bytes other than 0 and 1 are not bool.
        return (np.frombuffer(content, np.uint8) != 0).reshape(shape)
    return np.frombuffer(content, dtype.as_numpy_dtype).reshape(shape)


def _from_values(name: str, values: Sequence, shape: tuple[int, ...], dtype: tf.DType, limits: Limits) -> np.ndarray:
    """An array from listed values; the last one is repeated for missing ones, as in TensorFlow."""
    count = math.prod(shape)
    if not 1 <= len(values) <= count:
        raise invalid(
            f"Input '{name}' holds {len(values)} values, its shape {shape_text(shape)} needs {count}; send all of them."
        )
    if dtype == tf.string:
        repeated = len(values[-1]) * (count - len(values))
        if repeated > limits.message_bytes:
            raise invalid(
                f"Input '{name}' repeats a string to {repeated} bytes; at most {limits.message_bytes} are allowed."
            )
        array = np.empty(count, object)
        array[: len(values)] = values
        array[len(values) :] = [values[-1]] * (count - len(values))
        return array.reshape(shape)
    array = np.full(count, _array(name, values[-1:], dtype)[0])
    array[: len(values)] = _array(name, values, dtype)
    return array.reshape(shape)


def _array(name: str, values: Sequence, dtype: tf.DType) -> np.ndarray:
    """An array from a TensorProto's numbers, which has small integers in a wider type."""
    if dtype in (tf.float16, tf.bfloat16):
        return _array(name, values, tf.uint16).view(dtype.as_numpy_dtype)
    if _FIELDS[dtype] != "int_val":
        return np.array(values, dtype.as_numpy_dtype)
    wide = np.array(values, np.int32)
    if wide.min() < dtype.min or wide.max() > dtype.max:
        raise invalid(f"Input '{name}' holds numbers outside {dtype.name}'s range, {dtype.min} to {dtype.max}.")
    return wide.astype(dtype.as_numpy_dtype)
