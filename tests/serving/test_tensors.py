import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2

from tf_unseen_pose.serving.loaded import Signature, Spec
from tf_unseen_pose.serving.request_errors import RequestError
from tf_unseen_pose.serving.tensors import Limits, decode, decode_inputs, encode

LIMITS = Limits(message_bytes=2**20, pixels=1000, rows=8)


def proto_of(dtype, sides, **content):
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum, **content)
    for side in sides:
        proto.tensor_shape.dim.add(size=side)
    return proto


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=kind).reshape(2, 3)
        for kind in ("f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", ml_dtypes.bfloat16)
    ]
    + [np.array([[True, False], [False, False]]), np.array([b"a\0", b"", b"\xff"], object)],
    ids=lambda array: str(array.dtype),
)
@pytest.mark.parametrize("listed", [False, True])
def test_every_type_comes_through_both_ways_of_writing_it(array, listed):
    dtype = tf.string if array.dtype == object else tf.as_dtype(array.dtype)
    # Without NumPy, TensorFlow lists the values one by one.
    proto = tf.make_tensor_proto(array.tolist() if listed else array, dtype, array.shape)
    spec = Spec(dtype, (None, *array.shape[1:]))
    decoded = decode("x", proto, spec, LIMITS)
    assert decoded.dtype == array.dtype and np.array_equal(decoded, array)
    back = encode(decoded, dtype)
    assert np.array_equal(tf.make_ndarray(back), array) and back.dtype == proto.dtype


def test_few_numbers_are_listed_for_clients_that_print_them():
    few, many = np.linspace(0, 1, 6, dtype=np.float32).reshape(1, 2, 3), np.arange(2040, dtype=np.uint8).reshape(2, -1)
    assert list(encode(few, tf.float32).float_val) == few.ravel().tolist()
    assert np.array_equal(tf.make_ndarray(encode(many, tf.uint8)), many) and not encode(many, tf.uint8).int_val


def test_the_last_of_the_listed_values_stands_for_the_rest():
    proto = proto_of(tf.float32, [2, 3], float_val=[1, 2, 5])
    assert decode("x", proto, Spec(tf.float32, None), LIMITS).tolist() == [[1, 2, 5], [5, 5, 5]]
    proto = proto_of(tf.string, [3], string_val=[b"a", b"b"])
    assert decode("x", proto, Spec(tf.string, (None,)), LIMITS).tolist() == [b"a", b"b", b"b"]


FLOATS = Spec(tf.float32, (None, 3))
HOSTILE = {
    "type": (proto_of(tf.uint8, [1, 3], tensor_content=b"123"), "is uint8, the signature takes float32"),
    "no type": (tensor_pb2.TensorProto(dtype=0), "of no known type"),
    "unknown type": (tensor_pb2.TensorProto(dtype=77), "of no known type"),
    "rank": (proto_of(tf.float32, [3], float_val=[1]), r"has shape \[3\]; the signature takes \[\?, 3\]"),
    "high rank": (proto_of(tf.float32, [1] * 200, float_val=[1]), "has 200 dimensions"),
    "unknown rank": (
        tensor_pb2.TensorProto(dtype=1, tensor_shape={"unknown_rank": True}, float_val=[1]),
        "does not say its shape",
    ),
    "side": (proto_of(tf.float32, [1, 4], float_val=[1]), r"has shape \[1, 4\]"),
    "negative side": (proto_of(tf.float32, [-1, 3], float_val=[1]), "at least 1"),
    "no rows": (proto_of(tf.float32, [0, 3]), "at least 1"),
    "many rows": (proto_of(tf.float32, [9, 3], float_val=[1]), "9 rows; send at most 8"),
    "short content": (proto_of(tf.float32, [2, 3], tensor_content=b"1" * 23), "holds 23 bytes.*needs 24"),
    "long content": (proto_of(tf.float32, [2, 3], tensor_content=b"1" * 25), "holds 25 bytes.*needs 24"),
    "no values": (proto_of(tf.float32, [2, 3]), "holds 0 values"),
    "too many values": (proto_of(tf.float32, [1, 3], float_val=[1] * 4), "holds 4 values"),
    "values of another type": (proto_of(tf.float32, [1, 3], int_val=[1, 2, 3]), "holds 0 values"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_a_signature_does_not_take_is_refused_with_a_sentence(kind):
    proto, sentence = HOSTILE[kind]
    with pytest.raises(RequestError, match=f"^Input 'x' .*{sentence}") as caught:
        decode("x", proto, FLOATS, LIMITS)
    assert caught.value.code.name == "INVALID_ARGUMENT"


@pytest.mark.parametrize("sides", [[2**62, 2**62], [2**40], [2**31, 2**31, 2], [8, 2**17]])
def test_a_few_bytes_do_not_become_gigabytes(sides):
    proto = proto_of(tf.float32, sides, float_val=[1])
    with pytest.raises(RequestError, match="at most 8|at most 1048576"):
        decode("x", proto, Spec(tf.float32, (None,) * len(sides)), LIMITS)
    proto = proto_of(tf.string, [8], string_val=[b"x" * 2**18])
    with pytest.raises(RequestError, match="repeats a string"):
        decode("x", proto, Spec(tf.string, (None,)), LIMITS)


def test_numbers_outside_the_types_range_are_refused():
    with pytest.raises(RequestError, match="outside uint8's range, 0 to 255"):
        decode("x", proto_of(tf.uint8, [2], int_val=[3, 256]), Spec(tf.uint8, None), LIMITS)
    # Bytes that are neither 0 nor 1 are still bools.
    booleans = decode("x", proto_of(tf.bool, [3], tensor_content=b"\0\1\7"), Spec(tf.bool, None), LIMITS)
    assert booleans.tolist() == [False, True, True] and booleans.view(np.uint8).max() == 1


@pytest.fixture
def signature():
    shapes = {"a": Spec(tf.float32, (None, 2)), "joints": Spec(tf.float32, (None, 2))}
    return Signature("named", shapes, {}, function=None, model=None)


def test_inputs_are_exactly_those_of_the_signature(signature):
    fine = tf.make_tensor_proto(np.ones((1, 2), np.float32))
    assert decode_inputs({"a": fine, "joints": fine}, signature, LIMITS).keys() == {"a", "joints"}
    with pytest.raises(RequestError, match="Missing inputs: joints; signature 'named' takes a, joints"):
        decode_inputs({"a": fine}, signature, LIMITS)
    with pytest.raises(RequestError, match=r"Unknown inputs: '(\\n){60}\.\.\.'"):
        decode_inputs({"a": fine, "joints": fine, "\n" * 10**6: fine}, signature, LIMITS)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_joints_are_finite(signature, bad):
    spoilt = tf.make_tensor_proto(np.array([[1, bad]], np.float32))
    fine = tf.make_tensor_proto(np.ones((1, 2), np.float32))
    with pytest.raises(RequestError, match="'joints' holds NaN or infinity"):
        decode_inputs({"a": fine, "joints": spoilt}, signature, LIMITS)
    assert not np.isfinite(decode_inputs({"a": spoilt, "joints": fine}, signature, LIMITS)["a"]).all()
