"""How a client and a server know each other: certificates and tokens."""

from dataclasses import dataclass
from pathlib import Path

import grpc

from tf_unseen_pose.errors import UserError


@dataclass(frozen=True)
class Access:
    """What a connection is guarded by.

    Attributes:
        tls: encrypt it; the machine's own root certificates say whom to trust.
        authority: certificates (PEM) to know the server by instead; with them the connection is encrypted, too.
        identity: private key and certificate (PEM) to show to a server that wants to know its clients.
        token: what to show as the bearer.
        insecure_token: show it on a connection that is not encrypted, too.

    Example:
        >>> from pathlib import Path
        >>> from tf_unseen_pose import RemoteReposer
        >>> from tf_unseen_pose.inference.access import Access
        >>> access = Access(tls=True, token=Path("token").read_text().strip())  # doctest: +SKIP
        >>> reposer = RemoteReposer("poses.example.org:443", "lite", access=access)  # doctest: +SKIP
    """

    tls: bool = False
    authority: Path | None = None
    identity: tuple[Path, Path] | None = None
    token: str | None = None
    insecure_token: bool = False

    def channel(self, server: str, options: list) -> grpc.Channel:
        """A channel to HOST:PORT.

        Raises:
            UserError: a file cannot be read, a token would be shown to everybody on the way, or an identity to nobody.
        """
        if not (self.tls or self.authority):
            if self.token and not self.insecure_token:
                raise UserError(
                    "Without TLS anybody on the network can read the token; add --server-tls or --server-authority, or "
                    "--insecure-token in a trusted network."
                )
            if self.identity:
                raise UserError("A client's certificate is for TLS; add --server-tls or --server-authority.")
            return grpc.insecure_channel(server, options)
        key, chain = map(_read, self.identity) if self.identity else (None, None)
        # Without an authority gRPC takes the system's.
        authority = _read(self.authority) if self.authority else None
        return grpc.secure_channel(server, grpc.ssl_channel_credentials(authority, key, chain), options)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"The certificates {path} cannot be read: {error.strerror}; name a PEM file.") from None
