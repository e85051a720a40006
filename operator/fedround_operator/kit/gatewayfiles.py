"""How a clinic enters the hub's API through its gateway: by files that are renewed while the client runs."""

import ssl
from pathlib import Path

from fedround_operator.kit.api import Credentials, KubeApi, connect_with
from fedround_operator.kit.doors import opened
from fedround_operator.kit.errors import ApiUnreachable


class GatewayFiles:
    """The credentials that a clinic's files make, and whether they have changed since they were read.

    `identity` is a link to a folder with tls.crt, tls.key and ca.crt, which is replaced as one; `token` is a file.
    """

    def __init__(self, gateway: str, identity: Path, token: Path) -> None:
        self._server, self._identity, self._token = f"https://{gateway}", identity, token
        self._stamp: tuple[str, int, int] | None = None

    def read(self) -> Credentials:
        """What the files say now. Raises OSError for one that is not there."""
        stamp = self._now()
        # The folder itself, not the link: certificate and key of one client are of one piece.
        folder = self._identity.resolve(strict=True)
        found = Credentials(
            server=self._server,
            ca_file=str(folder / "ca.crt"),
            certificate_file=str(folder / "tls.crt"),
            key_file=str(folder / "tls.key"),
            token=self._token.read_text().strip(),
        )
        # Not before: what could not be read now is looked at again.
        self._stamp = stamp
        return found

    def renewed(self) -> Credentials | None:
        """The credentials, if they are others than were read last. Files that are away a moment change nothing."""
        try:
            return self.read() if self._now() != self._stamp else None
        except OSError:
            return None

    def _now(self) -> tuple[str, int, int]:
        token = self._token.stat()
        return str(self._identity.readlink()), token.st_mtime_ns, token.st_ino


def connect_gateway(gateway: str, identity: Path, token: Path) -> KubeApi:
    """The hub's API server behind its gateway (host:port); what is renewed is used from the next request on.

    Raises:
        ApiUnreachable: the files are not there.
    """
    files = GatewayFiles(gateway, identity, token)
    try:
        return connect_with(files.read(), files.renewed)
    except OSError as error:
        raise ApiUnreachable(f"https://{gateway}: {error.filename} cannot be read: {error.strerror}") from error


def gateway_certificate_end(gateway: str, identity: Path) -> float:
    """When the certificate ends that the gateway (host:port) shows, in Unix seconds; verified as every call does.

    Raises:
        OSError: it does not answer, its certificate is refused, or a file of the identity is not there.
    """
    folder = identity.resolve(strict=True)
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    with opened(gateway, context) as door:
        shown = door.getpeercert() or {}
        return float(ssl.cert_time_to_seconds(str(shown["notAfter"])))
