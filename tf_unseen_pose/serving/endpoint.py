"""One call: parses the message, answers or rejects it, counts it and logs it.

Messages are parsed here, since gRPC answers INTERNAL to invalid bytes.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
from google.protobuf.message import DecodeError, Message

from tf_unseen_pose.serving.logs import Log
from tf_unseen_pose.serving.prometheus import Metrics
from tf_unseen_pose.serving.request_errors import RequestError, invalid

_INTERNAL = "The server failed at this request, which is noted in its log; trying again may help."
# Seconds for the way to the server, during which only the client's deadline runs: the server's ends this much earlier.
_ON_THE_WAY = 0.1


@dataclass
class Call:
    """Facts about a call for the log and the metrics.

    Attributes:
        deadline: on the clock of `time.monotonic`; None for none.
        model, signature, version: empty or None until found; unknown names are not kept.
        rows: of its batch.
    """

    method: str
    deadline: float | None = None
    model: str = ""
    signature: str = ""
    version: int | None = None
    rows: int | None = None
    received: int = 0
    sent: int = 0
    began: float = field(default_factory=time.monotonic)


# Answers a call: from the message to the response.
Answer = Callable[[Any, Call], Awaitable[Message]]


class Endpoints:
    """Turns functions of messages into gRPC handlers.

    Args:
        most_bytes: of a message.

    Attributes:
        running: number of running calls.
    """

    def __init__(self, log: Log, metrics: Metrics, most_bytes: int):
        self._log, self._metrics, self._most_bytes = log, metrics, most_bytes
        self.running = 0

    def unary(self, method: str, request_type: type[Message] | None, answer: Answer) -> grpc.RpcMethodHandler:
        """A handler from bytes to bytes.

        Args:
            method: the name in the log.
            request_type: the message's class; None to ignore messages.
            answer: returns the response; may raise `RequestError`.
        """

        async def handle(content: bytes, context: grpc.aio.ServicerContext) -> bytes:
            remaining = context.time_remaining()
            call = Call(method, None if remaining is None else time.monotonic() + remaining, received=len(content))
            try:
                return await self.run(call, self._bytes_of(content, call, request_type, answer))
            except RequestError as error:
                # `abort` raises, and its traceback would keep the message until Python's garbage collection.
                context.set_code(error.code)
                context.set_details(error.sentence)
                return b""

        return grpc.unary_unary_rpc_method_handler(handle)

    def refused(self, method: str) -> None:
        """Notes a call without the token; its name is untrusted and not kept."""
        known = method.startswith("/tensorflow.serving.") and len(method) < 80 and method.isascii()
        self._end(Call(method.rsplit("/", 1)[-1] if known else ""), grpc.StatusCode.UNAUTHENTICATED)

    async def run(self, call: Call, work: Awaitable[bytes]) -> bytes:
        """Awaits the response's bytes, counts and logs the call.

        Raises:
            RequestError: any error except a client's disconnection.
        """
        self.running += 1
        try:
            response = await self._guarded(call, work)
        except RequestError as error:
            self._end(call, error.code)
            raise
        finally:
            self.running -= 1
        self._end(call, grpc.StatusCode.OK)
        return response

    async def _bytes_of(self, content: bytes, call: Call, request_type: type[Message] | None, answer: Answer) -> bytes:
        require_bytes(len(content), self._most_bytes)
        return (await answer(_parsed(content, request_type), call)).SerializeToString()

    async def _guarded(self, call: Call, work: Awaitable[bytes]) -> bytes:
        try:
            response = await work
        except RequestError:
            raise
        except asyncio.CancelledError:
            late = call.deadline is not None and time.monotonic() >= call.deadline - _ON_THE_WAY
            self._end(call, grpc.StatusCode.DEADLINE_EXCEEDED if late else grpc.StatusCode.CANCELLED)
            raise
        # Unexpected errors: the client gets a sentence, the log the traceback.
        except Exception as error:
            self._log.failure(error, method=call.method, model=call.model, signature=call.signature)
            raise RequestError(grpc.StatusCode.INTERNAL, _INTERNAL) from None
        call.sent = len(response)
        return response

    def _end(self, call: Call, code: grpc.StatusCode) -> None:
        seconds = time.monotonic() - call.began
        self._metrics.request(call.method, call.signature, code.name, seconds, call.received, call.sent)
        self._log.event(
            "request",
            method=call.method,
            model=call.model or None,
            signature=call.signature or None,
            version=call.version,
            batch=call.rows,
            ms=round(1000 * seconds, 2),
            code=code.name,
            bytes_in=call.received,
            bytes_out=call.sent,
        )


def require_bytes(count: int, most: int) -> None:
    """Rejects a message that is too long. Raises: RequestError: INVALID_ARGUMENT, for it would be tomorrow, too."""
    if count > most:
        raise invalid(f"The request has {count} bytes, at most {most} are allowed: send fewer or smaller pictures.")


def _parsed(content: bytes, request_type: type[Message] | None) -> Message | None:
    if request_type is None:
        return None
    try:
        return request_type.FromString(content)
    except DecodeError:
        raise invalid(
            f"The request's {len(content)} bytes are not a {request_type.DESCRIPTOR.name}; use TensorFlow Serving's "
            "API."
        ) from None
