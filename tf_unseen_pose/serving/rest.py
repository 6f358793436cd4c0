"""TensorFlow Serving's REST API for the same calls.

    POST /v1/models/NAME[/versions/N|/labels/L]:predict     see `json_tensors`
    GET  /v1/models/NAME[/versions/N|/labels/L]             the states of its versions
    GET  /v1/models/NAME[/versions/N|/labels/L]/metadata    its signatures

A request becomes the equivalent gRPC message, so that the same checks and limits hold; an error is {"error": SENTENCE}
with TensorFlow Serving's HTTP status for its code. Starlette and Uvicorn handle HTTP.
"""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import grpc
import uvicorn
from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, model_pb2

from tf_unseen_pose.serving.access import TOKEN_WANTED, shows_token
from tf_unseen_pose.serving.endpoint import Call, Endpoints, require_bytes
from tf_unseen_pose.serving.json_tensors import predict_request, response_json
from tf_unseen_pose.serving.request_errors import RequestError, invalid
from tf_unseen_pose.serving.service import Service
from tf_unseen_pose.serving.tls import Tls
from tf_unseen_pose.serving.versions import State

# TensorFlow Serving's mapping of codes; all others are internal errors.
_STATUS = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}
# Factor for the length of a request as JSON: base64 takes a third more, decimal numbers two or three times as much.
_JSON_FACTOR = 3
# Timeout in seconds for a request's body.
_BODY_SECONDS = 60

_Work = Callable[[Request, Call], Awaitable[bytes]]


class Rest:
    """Answers HTTP requests through a service.

    Args:
        most_bytes: of a request's tensors.
        token: required of clients; None for everybody.
    """

    def __init__(self, service: Service, endpoints: Endpoints, most_bytes: int, token: str | None):
        self._service, self._endpoints, self._token = service, endpoints, token
        self._most_bytes = _JSON_FACTOR * most_bytes

    def app(self) -> Starlette:
        """The ASGI application."""
        routes = []
        for place in ("", "/versions/{version:int}", "/labels/{label}"):
            path = "/v1/models/{name}" + place
            routes += [
                Route(path + ":predict", self._handler("Predict", self._predict), methods=["POST"]),
                Route(path + "/metadata", self._handler("GetModelMetadata", self._metadata)),
            ]
            # After the longer routes, since a name may contain a colon.
            routes.append(Route(path, self._handler("GetModelStatus", self._status)))
        return Starlette(routes=routes, exception_handlers={HTTPException: _no_such_page})

    def _handler(self, method: str, work: _Work) -> Callable[[Request], Awaitable[Response]]:
        async def handle(request: Request) -> Response:
            call = Call(method)
            try:
                return Response(await self._endpoints.run(call, self._let_in(request, call, work)), media_type=_JSON)
            except RequestError as error:
                return JSONResponse({"error": error.sentence}, _STATUS.get(error.code, 500))

        return handle

    async def _let_in(self, request: Request, call: Call, work: _Work) -> bytes:
        if self._token and not shows_token(request.headers.get("authorization", ""), self._token):
            raise RequestError(grpc.StatusCode.UNAUTHENTICATED, TOKEN_WANTED)
        return await work(request, call)

    async def _predict(self, request: Request, call: Call) -> bytes:
        content = await self._body(request)
        call.received = len(content)
        spec = _spec(request)
        body = await asyncio.to_thread(_parsed, content)
        name = body.get("signature_name", "")
        if not isinstance(name, str):
            raise invalid("signature_name is not a string; name a signature, or leave it out.")
        spec.signature_name = name
        message = await asyncio.to_thread(predict_request, body, self._service.signature_of(spec), spec)
        response = await self._service.predict(message, call)
        return await asyncio.to_thread(response_json, response, "instances" in body)

    async def _body(self, request: Request) -> bytes:
        """Reads the body in parts, up to the limit.

        Beyond it, as much again is read and discarded, since a client that still sends does not read the answer.
        """
        content, count = bytearray(), 0
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                async for part in request.stream():
                    count += len(part)
                    if count <= self._most_bytes:
                        content += part
                    elif count > 2 * self._most_bytes:
                        break
        except TimeoutError:
            sentence = f"The request did not arrive within {_BODY_SECONDS} s; send it faster, or a smaller one."
            raise RequestError(grpc.StatusCode.DEADLINE_EXCEEDED, sentence) from None
        require_bytes(count, self._most_bytes)
        return bytes(content)

    async def _status(self, request: Request, call: Call) -> bytes:
        found = await self._service.status(get_model_status_pb2.GetModelStatusRequest(model_spec=_spec(request)), call)
        versions = [
            {
                "version": str(entry.version),
                "state": State(entry.state).name,
                "status": {
                    "error_code": "UNKNOWN" if entry.status.error_message else "OK",
                    "error_message": entry.status.error_message,
                },
            }
            for entry in found.model_version_status
        ]
        return json.dumps({"model_version_status": versions}).encode()

    async def _metadata(self, request: Request, call: Call) -> bytes:
        asked = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=_spec(request), metadata_field=["signature_def"]
        )
        found = await self._service.metadata(asked, call)
        return json_format.MessageToJson(found, preserving_proto_field_name=True).encode()


class RestServer(uvicorn.Server):
    """Serves an application in a running event loop without handling signals."""

    def __init__(self, app: Starlette, tls: Tls | None, most_calls: int, grace: float):
        guarded: dict[str, Any] = {}
        if tls:
            guarded = {"ssl_keyfile": tls.key, "ssl_certfile": tls.chain}
            if tls.client_authority:
                guarded |= {"ssl_ca_certs": str(tls.client_authority), "ssl_cert_reqs": ssl.CERT_REQUIRED}
        super().__init__(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                limit_concurrency=most_calls,
                timeout_graceful_shutdown=max(1, round(grace)),
                **guarded,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures no signals, since the outer server ends this one."""
        yield


_JSON = "application/json"


def _spec(request: Request) -> model_pb2.ModelSpec:
    places = request.path_params
    spec = model_pb2.ModelSpec(name=places["name"])
    if "version" in places:
        if places["version"] >= 2**63:
            raise invalid("The version is not a number below 2^63; the model's status lists the versions.")
        spec.version.value = places["version"]
    if "label" in places:
        spec.version_label = places["label"]
    return spec


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    # The second for invalid text, the third for deeply nested brackets.
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise invalid('The body is not a JSON object; send {"instances": [...]} or {"inputs": {...}}.')
    return body


async def _no_such_page(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    sentence = "There is no such page; /v1/models/NAME tells a model's state, POST to /v1/models/NAME:predict asks it."
    return JSONResponse({"error": sentence}, error.status_code, error.headers)
