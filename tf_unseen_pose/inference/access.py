"""A client's certificates and tokens."""

from dataclasses import dataclass
from pathlib import Path

import grpc

from tf_unseen_pose.errors import UserError


@dataclass(frozen=True)
class Access:
    """Encryption and credentials of a connection.

    Attributes:
        tls: encrypt, trusting the machine's root certificates.
        authority: CA certificates (PEM) to trust instead; implies encryption.
        identity: private key and certificate (PEM) of this client.
        token: bearer token.
        insecure_token: send the token even without encryption.

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
            UserError: a file cannot be read, a token would be sent unencrypted, or an identity has no encryption.
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
        # Without an authority gRPC uses the system's.
        authority = _read(self.authority) if self.authority else None
        return grpc.secure_channel(server, grpc.ssl_channel_credentials(authority, key, chain), options)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"The certificates {path} cannot be read: {error.strerror}; name a PEM file.") from None
