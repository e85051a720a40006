"""A real Kubernetes control plane on loopback, without root: etcd, API server, controller manager.

Owns its certificates, ports, start and stop order, and its state on disk, from which it comes back after a restart.
Called by the federation's set-up and by the integration tests. It knows nothing of rounds or clinics; the process
node that runs pods is another process (`fedround_local.node`).

    STATE/ports.json, pki/, kubeconfigs/{admin,controller-manager}.conf, etcd/, run/, logs/
"""

import json
import shutil
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

from fedround_local import cluster_flags
from fedround_local.cluster_flags import LOOPBACK, SERVICE_ADDRESS, Layout, Ports
from fedround_local.errors import PortOccupied, StateUnusable
from fedround_local.kubeconfig import write_kubeconfig
from fedround_local.ports import free_ports
from fedround_local.processes import Processes, Report
from fedround_operator.kit.pki import Authority, Credential, signing_key
from fedround_operator.kit.privatefiles import write_private

_ETCD, _API, _CONTROLLERS = "etcd", "kube-apiserver", "kube-controller-manager"
# The first thread of a killed process is gone some time before the last one, with which its sockets close.
_RELEASE_SECONDS = 3.0
# etcd writes two log files of 64 MiB at its start, and stops for good when a disk is full.
_ROOM_BYTES = 300 * 2**20
KUBELET_CLIENT = "kube-apiserver-kubelet-client"


def _silent(_line: str) -> None:
    """The report of a caller that wants none."""


class Cluster:
    """One control plane in a state folder.

    `binary` gives its program, and is asked when it starts: building that takes minutes. `ports` is for a caller who
    wants fixed ones; else free ones are kept.
    """

    def __init__(
        self, state: Path, binary: Callable[[], Path], ports: Ports | None = None, *, unsafe_no_fsync: bool = False
    ) -> None:
        state = state.absolute()
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.layout = Layout(state, _kept_ports(state, ports), unsafe_no_fsync)
        self._binary = binary
        self.processes = Processes(state)
        self._authority: Authority | None = None

    @property
    def state(self) -> Path:
        return self.layout.state

    @property
    def server(self) -> str:
        """The API server's own address. Clinics never get it: they go through the gateway."""
        return self.layout.server

    @property
    def admin_kubeconfig(self) -> Path:
        return self.layout.kubeconfigs / "admin.conf"

    @property
    def authority(self) -> Authority:
        """The cluster's authority: made at the first start, and then the same one for ever."""
        if self._authority is None:
            self._authority = Authority.ensure(self.layout.pki, "ca", "fedround-cluster")
        return self._authority

    def start(self, report: Report = _silent) -> None:
        """Returns when pods can be created: API ready, ServiceAccounts made. What runs already is left running.

        Raises PortOccupied, ProcessDied or NotReady; then everything that was started here is stopped again.
        """
        self._ensure_credentials()
        try:
            self._start_in_order(report)
        except BaseException:
            # Ctrl-C included: a half-started control plane would hold the ports at the next try.
            self.processes.stop_started()
            raise

    def stop(self) -> None:
        """Controller manager and API server while etcd is still up: without it they linger and hold their port."""
        # A client that still watches keeps the API server waiting; killing it then loses nothing: etcd has it all.
        for name, patience in ((_CONTROLLERS, 5), (_API, 5), (_ETCD, 15)):
            self.processes.stop(name, timeout_seconds=patience)

    def status(self) -> dict[str, bool]:
        """For each component whether it runs, and `ready` for the whole."""
        running = {name: self.processes.alive(name) for name in (_ETCD, _API, _CONTROLLERS)}
        return {**running, "ready": all(running.values()) and self._usable()}

    def issue_user(self, common_name: str, organization: str | None = None) -> Credential:
        """A client certificate that the API server takes as user `common_name` in group `organization`."""
        return self.authority.issue_client(common_name, organization)

    def write_user(
        self, path: Path, common_name: str, organization: str | None = None, namespace: str = "default"
    ) -> Path:
        """A kubeconfig with a new certificate for this user. RBAC says what it may do."""
        credential = self.issue_user(common_name, organization)
        return write_kubeconfig(
            path, self.server, self.authority.certificate_pem, credential=credential, namespace=namespace
        )

    def _start_in_order(self, report: Report) -> None:
        run, layout = self.processes, self.layout
        self._refuse_occupied()
        self._require_room()
        binary = self._binary().absolute()
        run.ensure_running(cluster_flags.etcd(binary, layout))
        run.ensure_running(cluster_flags.api_server(binary, layout))
        run.wait_until(self._ready, "the Kubernetes API server", needs=(_ETCD, _API), report=report)
        # Beside an API server that is not ready yet it would exit.
        run.ensure_running(cluster_flags.controller_manager(binary, layout))
        run.wait_until(self._usable, "the Kubernetes controllers", needs=(_ETCD, _API, _CONTROLLERS), report=report)

    def _require_room(self) -> None:
        if self.processes.alive(_ETCD):
            return
        free = shutil.disk_usage(self.state).free
        if free < _ROOM_BYTES:
            raise StateUnusable(
                f"{free // 2**20} MiB are free on the disk of {self.state}, and a control plane needs "
                f"{_ROOM_BYTES // 2**20} MiB: free some room, or use a state folder on another disk"
            )

    def _refuse_occupied(self) -> None:
        held = ((_ETCD, self.layout.ports.etcd), (_ETCD, self.layout.ports.etcd_peer), (_API, self.layout.ports.api))
        refuse_occupied(self.processes, held, self.state / "ports.json")

    def _ready(self) -> bool:
        return self._get("/readyz") == 200

    def _usable(self) -> bool:
        """Pods need their namespace's default ServiceAccount: it is what comes last."""
        return self._get("/api/v1/namespaces/default/serviceaccounts/default") == 200

    def _get(self, path: str) -> int:
        """The HTTP status, 0 without an answer."""
        try:
            with urllib.request.urlopen(self.server + path, context=self._tls(), timeout=5) as answer:  # noqa: S310
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def _tls(self) -> ssl.SSLContext:
        pki = self.layout.pki
        context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        return context

    def _ensure_credentials(self) -> None:
        """Makes what is missing. The admin's certificate comes last: where it is, everything is."""
        pki, authority = self.layout.pki, self.authority
        if (pki / "admin.crt").exists():
            return
        names = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost", LOOPBACK, SERVICE_ADDRESS)
        authority.issue_server("kube-apiserver", names).write(pki, "apiserver")
        authority.issue_client(KUBELET_CLIENT).write(pki, KUBELET_CLIENT)
        _etcd_credentials(pki)
        private, public = signing_key()
        write_private(pki / "sa.key", private)
        (pki / "sa.pub").write_bytes(public)
        self.write_user(self.layout.kubeconfigs / "controller-manager.conf", "system:kube-controller-manager")
        admin = self.issue_user("admin", "system:masters")
        write_kubeconfig(self.admin_kubeconfig, self.server, authority.certificate_pem, credential=admin)
        admin.write(pki, "admin")


def _etcd_credentials(pki: Path) -> None:
    """etcd has an authority of its own: whoever gets a certificate of the cluster must not read its database."""
    authority = Authority.ensure(pki, "etcd-ca", "fedround-etcd")
    authority.issue_server("etcd", ("localhost", LOOPBACK), also_client=True).write(pki, "etcd")
    authority.issue_client("kube-apiserver").write(pki, "etcd-client")


def _kept_ports(state: Path, wanted: Ports | None) -> Ports:
    """The ports of this state folder: chosen once, because certificates' holders have the address written down."""
    path = state / "ports.json"
    if wanted is None and path.exists():
        return Ports(**json.loads(path.read_text()))
    ports = wanted or Ports(*free_ports(3))
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(ports)))
    part.replace(path)
    return ports


def refuse_occupied(processes: Processes, held: Iterable[tuple[str, int]], kept_in: Path) -> None:
    """Returns if each port is free, or held by the process that it is meant for.

    Raises:
        PortOccupied: for the first one that is held by another program; whatever answers there would be taken for ours.
    """
    for name, port in held:
        if not processes.alive(name) and _stays_held(port):
            raise PortOccupied(
                f"port {port} on {LOOPBACK}, which {kept_in} keeps for {name}, is held by another program: "
                f"end it, or use another state folder"
            )


def _stays_held(port: int) -> bool:
    """Whether somebody listens there, also after the time in which a killed process gives its sockets back."""
    until = time.monotonic() + _RELEASE_SECONDS
    while answers(port):
        if time.monotonic() > until:
            return True
        time.sleep(0.05)
    return False


def answers(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0
