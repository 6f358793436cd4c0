"""Tensors in TensorFlow Serving's JSON.

    {"signature_name": NAME, "instances": [...]}   row by row, each an object of inputs, or the value of the only one
    {"signature_name": NAME, "inputs": {...}}      input by input, or the value of the only one

answered by "predictions" and "outputs". Bytes are {"b64": TEXT}; outputs whose names end in _bytes are, too.
"""

import base64
import binascii
import json
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import model_pb2, predict_pb2

from tf_unseen_pose.serving.loaded import Signature, Spec
from tf_unseen_pose.serving.request_errors import invalid, listed

_BYTES, _KINDS = "b64", {"f": "iuf", "i": "iu", "u": "iu", "b": "b"}


def predict_request(body: dict, signature: Signature, spec: model_pb2.ModelSpec) -> predict_pb2.PredictRequest:
    """The message of a body; the service checks its tensors' shapes and limits.

    Raises:
        RequestError: INVALID_ARGUMENT.
    """
    if ("instances" in body) == ("inputs" in body):
        raise invalid("The body has to have either 'instances' or 'inputs'.")
    values = _columns(body["instances"], signature) if "instances" in body else _named(body["inputs"], signature)
    request = predict_pb2.PredictRequest(model_spec=spec)
    for name, value in values.items():
        # Unknown inputs are rejected with the message, by name.
        known = signature.inputs.get(name)
        array = _array(name, value, known) if known else np.zeros(0, np.float32)
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array, known.dtype if known else None))
    return request


def response_json(response: predict_pb2.PredictResponse, by_rows: bool) -> bytes:
    """A response in the requested form.

    Raises:
        RequestError: INVALID_ARGUMENT; rows were requested, and the outputs differ in their number.
    """
    arrays = {name: tf.make_ndarray(proto) for name, proto in response.outputs.items()}
    values = {name: _value(name, array.tolist()) for name, array in arrays.items()}
    if by_rows and len({array.shape[:1] for array in arrays.values()} | {()}) != 2:
        raise invalid("The outputs differ in their number of rows; ask by 'inputs' instead of 'instances'.")
    if len(values) == 1:
        (only,) = values.values()
        return json.dumps({"predictions" if by_rows else "outputs": only}).encode()
    if not by_rows:
        return json.dumps({"outputs": values}).encode()
    rows = [dict(zip(values, row, strict=True)) for row in zip(*values.values(), strict=True)]
    return json.dumps({"predictions": rows}).encode()


def _columns(instances: Any, signature: Signature) -> dict[str, Any]:
    """Rows as columns by input."""
    if not isinstance(instances, list) or not instances:
        raise invalid("'instances' is not a list or is empty; send one entry per row.")
    if not all(isinstance(row, dict) and row.keys() != {_BYTES} for row in instances):
        return _named(instances, signature)
    if any(row.keys() != instances[0].keys() for row in instances):
        raise invalid("The instances differ in their inputs; send the same inputs for every row.")
    return {name: [row[name] for row in instances] for name in instances[0]}


def _named(value: Any, signature: Signature) -> dict[str, Any]:
    """The inputs by name; for a signature with one input, its value suffices."""
    if isinstance(value, dict) and value.keys() != {_BYTES}:
        return value
    if len(signature.inputs) != 1:
        raise invalid(f"Signature '{signature.name}' takes {listed(signature.inputs)}; name each input.")
    return dict.fromkeys(signature.inputs, value)


def _array(name: str, value: Any, spec: Spec) -> np.ndarray:
    kind = spec.dtype.name
    try:
        if spec.dtype == tf.string:
            array = np.array(_content(value), object)
            if all(isinstance(content, bytes) for content in array.flat):
                return array
        else:
            array = np.array(value)
            numpy_type = np.dtype(spec.dtype.as_numpy_dtype)
            whole = np.iinfo(numpy_type) if numpy_type.kind in "iu" and array.size else None
            fits = whole is None or (array.min() >= whole.min and array.max() <= whole.max)
            if array.dtype.kind in _KINDS.get(numpy_type.kind, "") and fits:
                return array.astype(numpy_type)
    # Lists of unequal lengths, and deeply nested brackets.
    except (ValueError, TypeError, OverflowError, RecursionError):
        pass
    way = ', bytes as {"b64": TEXT}' if spec.dtype == tf.string else ""
    raise invalid(f"Input '{name}' is not an array of {kind}; send lists of equal lengths{way}.")


def _content(value: Any) -> Any:
    """Strings and {"b64": TEXT} as bytes, in their lists."""
    if isinstance(value, list):
        return [_content(part) for part in value]
    if isinstance(value, dict) and value.keys() == {_BYTES} and isinstance(value[_BYTES], str):
        try:
            return base64.b64decode(value[_BYTES], validate=True)
        except binascii.Error as error:
            raise ValueError from error
    return value.encode() if isinstance(value, str) else value


def _value(name: str, value: Any) -> Any:
    """An output's lists as JSON values."""
    if isinstance(value, list):
        return [_value(name, part) for part in value]
    if not isinstance(value, bytes):
        return value
    if not name.endswith("_bytes"):
        try:
            return value.decode()
        except UnicodeDecodeError:
            pass
    return {_BYTES: base64.b64encode(value).decode()}
