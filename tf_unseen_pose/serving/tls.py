"""The server's TLS: its certificate, and optional client certificates."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc

from tf_unseen_pose.errors import UserError


@dataclass(frozen=True)
class Tls:
    """PEM files.

    Attributes:
        key: the server's private key, not encrypted.
        chain: its certificate and the CA certificates.
        client_authority: CA certificates for client certificates; None if clients need none.
    """

    key: Path
    chain: Path
    client_authority: Path | None = None

    def require_fit(self) -> None:
        """Checks the files, since gRPC would fail later without a reason.

        Raises:
            UserError: a file is missing, key and certificate do not match, or the authority has no certificate.
        """
        named = {self.key: "private key", self.chain: "certificate"}
        if self.client_authority:
            named[self.client_authority] = "clients' authority"
        for path, what in named.items():
            if not path.is_file():
                raise UserError(f"There is no {what} {path} for TLS; name a PEM file.")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            # Prevents a prompt for the password of an encrypted key.
            context.load_cert_chain(self.chain, self.key, password="")
        except (ssl.SSLError, ValueError):
            raise UserError(
                f"{self.key} and {self.chain} do not belong together; name an unencrypted key and its certificate."
            ) from None
        if self.client_authority:
            try:
                context.load_verify_locations(self.client_authority)
            except (ssl.SSLError, ValueError):
                raise UserError(f"{self.client_authority} holds no certificate; name a PEM file.") from None

    def credentials(self) -> grpc.ServerCredentials:
        """For gRPC.

        Raises:
            UserError: as `require_fit`.
        """
        self.require_fit()
        authority = self.client_authority.read_bytes() if self.client_authority else None
        pair = self.key.read_bytes(), self.chain.read_bytes()
        return grpc.ssl_server_credentials([pair], authority, require_client_auth=authority is not None)
