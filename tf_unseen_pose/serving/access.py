"""Access control by a bearer token."""

import hmac
from collections.abc import Callable, Iterable
from pathlib import Path

import grpc

from tf_unseen_pose.errors import UserError

TOKEN_WANTED = "This server wants a token: send the header 'authorization: Bearer TOKEN'."
# Health checks need no token.
_OPEN = "/grpc.health.v1.Health/"


class BearerToken(grpc.aio.ServerInterceptor):
    """Answers UNAUTHENTICATED to calls without the header `authorization: Bearer TOKEN`, except for health.

    Args:
        token: the secret.
        refused: callback with the method of every rejected call.
    """

    def __init__(self, token: str, refused: Callable[[str], None]):
        self._token, self._refused = token, refused

    async def intercept_service(
        self, continuation: Callable, details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler:
        if details.method.startswith(_OPEN) or self._is_known(details.invocation_metadata):
            return await continuation(details)
        self._refused(details.method)
        # A stream on both sides fits every method and reads nothing from the caller.
        return grpc.stream_stream_rpc_method_handler(_refuse)

    def _is_known(self, metadata: Iterable[tuple[str, str | bytes]]) -> bool:
        shown = [value for key, value in metadata if key == "authorization"]
        return any(shows_token(value, self._token) for value in shown)


async def _refuse(requests: object, context: grpc.aio.ServicerContext) -> None:
    await context.abort(grpc.StatusCode.UNAUTHENTICATED, TOKEN_WANTED)


def shows_token(header: str | bytes, token: str) -> bool:
    """Whether an `authorization` header has the token, compared in constant time."""
    shown = header if isinstance(header, bytes) else header.encode()
    return hmac.compare_digest(shown, f"Bearer {token}".encode())


def read_token(path: Path) -> str:
    """The token in a file, stripped of white space.

    Raises:
        UserError: the file is missing or empty.
    """
    if not path.is_file():
        raise UserError(f"There is no token file {path}; write a secret to it.")
    token = path.read_text(encoding="utf-8").strip()
    if not token or not token.isascii() or not token.isprintable():
        raise UserError(f"{path} holds no token: write one line of printable ASCII to it.")
    return token
