"""A connection to a server with TensorFlow Serving's protocol, with retries and clear error messages."""

import json
import random
import time
from collections.abc import Callable
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf.message import Message
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tf_unseen_pose.errors import UserError
from tf_unseen_pose.inference.access import Access

# An answer of 256 photos exceeds gRPC's 4 MB.
_MOST_BYTES = 256 << 20
# Seconds between status requests for a model that is not ready.
_PAUSE = 0.1
# gRPC waits for an absent server until the timeout, and repeats requests that a stopping server refuses, over 20
# seconds (it makes at most five attempts). `_call` repeats requests to a full server, since gRPC uses the same code for
# messages that are always too large.
_REPETITION = {
    "name": [{"service": "tensorflow.serving.PredictionService"}],
    "waitForReady": True,
    "retryPolicy": {
        "maxAttempts": 5,
        "initialBackoff": "0.25s",
        "maxBackoff": "15s",
        "backoffMultiplier": 4,
        "retryableStatusCodes": ["UNAVAILABLE"],
    },
}
# Approximate seconds before each retry on a full server.
_WAITS = (0.25, 1, 4, 15)
_TOO_LARGE = "message larger than max"


class Connection:
    """One model on one server. Requests may be made from several threads.

    Args:
        server: HOST:PORT.
        model: the model's name there.
        timeout: seconds that a request may take, including retries.
        access: encryption and credentials.

    Raises:
        UserError: as `Access.channel`.
    """

    def __init__(self, server: str, model: str, timeout: float, access: Access | None = None):
        access = access or Access()
        self.model, self._server, self._timeout = model, server, timeout
        self._metadata = [("authorization", f"Bearer {access.token}")] if access.token else None
        options = [
            *((f"grpc.max_{way}_message_length", _MOST_BYTES) for way in ("send", "receive")),
            ("grpc.service_config", json.dumps({"methodConfig": [_REPETITION]})),
            # Larger requests would not be retried.
            ("grpc.per_rpc_retry_buffer_size", _MOST_BYTES),
            # gRPC would otherwise wait for up to two minutes before it reconnects.
            ("grpc.max_reconnect_backoff_ms", 5000),
        ]
        self._channel = access.channel(server, options)
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()

    def wait_until_ready(self) -> None:
        """Returns when a version of the model answers.

        Raises:
            UserError: it does not within the timeout; the message says what is missing.
        """
        request = get_model_status_pb2.GetModelStatusRequest()
        request.model_spec.name = self.model
        available = get_model_status_pb2.ModelVersionStatus.AVAILABLE
        end = time.monotonic() + self._timeout
        while True:
            try:
                status = self._models.GetModelStatus(request, timeout=end - time.monotonic(), metadata=self._metadata)
                if any(version.state == available for version in status.model_version_status):
                    return
                missing = f"The server {self._server} has no version of '{self.model}' ready; look at its log."
            except grpc.RpcError as error:
                missing = self._sentence(error)
                # Retried here, since gRPC would not report why there is no connection.
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise UserError(missing) from error
            if time.monotonic() + 2 * _PAUSE > end:
                raise UserError(missing)
            time.sleep(_PAUSE)

    def signatures(self) -> dict:
        """The model's signatures by name, as the protocol's SignatureDef.

        Raises:
            UserError: as `predict`.
        """
        request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
        request.model_spec.name = self.model
        answer = self._call(self._prediction.GetModelMetadata, request)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(signatures)
        return dict(signatures.signature_def)

    def predict(self, signature: str, **inputs: Any) -> dict[str, np.ndarray]:
        """The model's outputs by name; bytes as arrays of objects.

        Raises:
            UserError: no server, no such model or signature, rejected inputs, or no answer in time.
        """
        request = predict_pb2.PredictRequest()
        request.model_spec.name, request.model_spec.signature_name = self.model, signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        answer = self._call(self._prediction.Predict, request)
        return {name: tf.make_ndarray(value) for name, value in answer.outputs.items()}

    def _call(self, method: Callable, request: Message) -> Any:
        end = time.monotonic() + self._timeout
        for wait in (*_WAITS, None):
            try:
                return method(request, timeout=max(0.0, end - time.monotonic()), metadata=self._metadata)
            except grpc.RpcError as error:
                wait = None if wait is None else wait * random.uniform(0.8, 1.2)
                if wait is None or not _may_pass(error) or time.monotonic() + wait > end:
                    raise UserError(self._sentence(error)) from error
                time.sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    def _sentence(self, error: grpc.RpcError) -> str:
        place, said = f"The server {self._server}", (error.details() or error.code().name).rstrip(".")
        code = error.code()
        if code == grpc.StatusCode.UNAVAILABLE:
            return f"{place} does not answer ({said}); start it, or name another with --server."
        if code == grpc.StatusCode.RESOURCE_EXHAUSTED and not _may_pass(error):
            return f"{place} rejects messages of that size; send a smaller photo, or raise its --max-message-mb."
        if code == grpc.StatusCode.RESOURCE_EXHAUSTED:
            return f"{place} is too busy or its limits too low ({said}); try again later, or raise them."
        if code == grpc.StatusCode.DEADLINE_EXCEEDED:
            return (
                f"{place} did not answer within {self._timeout:g} s; see that it runs, or allow more with "
                "--server-timeout."
            )
        if code == grpc.StatusCode.UNAUTHENTICATED:
            return f"{place} wants another bearer token ({said}); name its file with --server-token."
        return f"{place} refuses the request: {said}."


def _may_pass(error: grpc.RpcError) -> bool:
    """Whether the server was only temporarily full."""
    return error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE not in (error.details() or "")
