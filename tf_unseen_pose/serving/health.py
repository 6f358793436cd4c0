"""The health protocol of gRPC (grpc.health.v1).

The package's own servicer does not serve: in the version for TensorFlow 2.15's protobuf, a watcher that leaves ends the
others' updates, and one that does not read blocks all.
"""

import asyncio

import grpc
from grpc_health.v1 import health_pb2

HEALTH_SERVICE = "grpc.health.v1.Health"


class Health:
    """One state for the server and its named services."""

    def __init__(self, services: tuple[str, ...]):
        self._services = ("", *services)
        self._serving = self._closed = False
        self._changed = asyncio.Event()

    def set(self, serving: bool) -> None:
        """Sets SERVING or NOT_SERVING; no effect after `close`."""
        if serving != self._serving and not self._closed:
            self._serving = serving
            self._wake()

    def close(self) -> None:
        """Sets NOT_SERVING permanently, and ends all watches."""
        self._serving, self._closed = False, True
        self._wake()

    def handler(self) -> grpc.GenericRpcHandler:
        """The protocol's methods, for a server."""
        parse, write = health_pb2.HealthCheckRequest.FromString, health_pb2.HealthCheckResponse.SerializeToString
        methods = {
            "Check": grpc.unary_unary_rpc_method_handler(self._check, parse, write),
            "Watch": grpc.unary_stream_rpc_method_handler(self._watch, parse, write),
        }
        return grpc.method_handlers_generic_handler(HEALTH_SERVICE, methods)

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _response(self, service: str) -> health_pb2.HealthCheckResponse:
        states = health_pb2.HealthCheckResponse
        if service not in self._services:
            return states(status=states.SERVICE_UNKNOWN)
        return states(status=states.SERVING if self._serving else states.NOT_SERVING)

    async def _check(self, request, context):
        if request.service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND, "This server has no service of that name.")
        return self._response(request.service)

    async def _watch(self, request, context):
        while True:
            # Read before writing, so that no change is missed.
            changed, closed = self._changed, self._closed
            yield self._response(request.service)
            if closed:
                return
            await changed.wait()
