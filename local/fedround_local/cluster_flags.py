"""The command lines of the control plane, as pure functions of its layout: flags of Kubernetes 1.34 and etcd 3.6.

Called by the cluster only. No files, no processes here.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from fedround_local.processes import ProcessSpec

# Everything listens here. The API server must *advertise* another address, or it logs an error about its own Endpoints
# every ten seconds; this one is reserved for documentation, so nothing ever answers there.
LOOPBACK = "127.0.0.1"
_ADVERTISED = "192.0.2.1"
SERVICE_RANGE = "10.96.0.0/16"
SERVICE_ADDRESS = "10.96.0.1"

# What our objects need. All forty controllers would cost twice the time until the cluster is of use.
CONTROLLERS = (
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
    "namespace-controller",
    "garbage-collector-controller",
    "job-controller",
    "ttl-after-finished-controller",
    "clusterrole-aggregation-controller",
)

# A Go process lets its heap double before it collects; at half of that these three are a quarter smaller, for a few
# per cent of a core.
_SMALL_HEAP = {"GOGC": "50"}


@dataclass(frozen=True)
class Ports:
    etcd: int
    etcd_peer: int
    api: int


@dataclass(frozen=True)
class Layout:
    """Where the cluster's files are, and on which ports it listens."""

    state: Path
    ports: Ports
    unsafe_no_fsync: bool = False

    @property
    def pki(self) -> Path:
        return self.state / "pki"

    @property
    def kubeconfigs(self) -> Path:
        return self.state / "kubeconfigs"

    @property
    def server(self) -> str:
        return f"https://{LOOPBACK}:{self.ports.api}"


def etcd(binary: Path, layout: Layout) -> ProcessSpec:
    """Client and peer port both demand a certificate of etcd's own authority: the cluster's users have none."""
    client, peer = f"https://{LOOPBACK}:{layout.ports.etcd}", f"https://{LOOPBACK}:{layout.ports.etcd_peer}"
    pki = layout.pki
    argv = [
        *(str(binary), "etcd", "--name=fedround", f"--data-dir={layout.state / 'etcd'}", "--log-level=warn"),
        *(f"--listen-client-urls={client}", f"--advertise-client-urls={client}"),
        *(f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}"),
        f"--initial-cluster=fedround={peer}",
        *("--client-cert-auth", f"--trusted-ca-file={pki / 'etcd-ca.crt'}"),
        *(f"--cert-file={pki / 'etcd.crt'}", f"--key-file={pki / 'etcd.key'}"),
        *("--peer-client-cert-auth", f"--peer-trusted-ca-file={pki / 'etcd-ca.crt'}"),
        *(f"--peer-cert-file={pki / 'etcd.crt'}", f"--peer-key-file={pki / 'etcd.key'}"),
        # Old revisions are what fills etcd on a machine that runs for weeks.
        *("--auto-compaction-mode=periodic", "--auto-compaction-retention=1h"),
    ]
    if layout.unsafe_no_fsync:
        argv.append("--unsafe-no-fsync")
    return _spec("etcd", argv)


def api_server(binary: Path, layout: Layout) -> ProcessSpec:
    pki = layout.pki
    argv = [
        *(str(binary), "kube-apiserver", f"--bind-address={LOOPBACK}", f"--secure-port={layout.ports.api}"),
        *(f"--advertise-address={_ADVERTISED}", f"--service-cluster-ip-range={SERVICE_RANGE}"),
        *(f"--etcd-servers=https://{LOOPBACK}:{layout.ports.etcd}", f"--etcd-cafile={pki / 'etcd-ca.crt'}"),
        *(f"--etcd-certfile={pki / 'etcd-client.crt'}", f"--etcd-keyfile={pki / 'etcd-client.key'}"),
        *("--authorization-mode=RBAC", "--anonymous-auth=false", f"--client-ca-file={pki / 'ca.crt'}"),
        *(f"--tls-cert-file={pki / 'apiserver.crt'}", f"--tls-private-key-file={pki / 'apiserver.key'}"),
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        *(f"--service-account-key-file={pki / 'sa.pub'}", f"--service-account-signing-key-file={pki / 'sa.key'}"),
        *("--kubelet-preferred-address-types=InternalIP", f"--kubelet-certificate-authority={pki / 'ca.crt'}"),
        f"--kubelet-client-certificate={pki / 'kube-apiserver-kubelet-client.crt'}",
        f"--kubelet-client-key={pki / 'kube-apiserver-kubelet-client.key'}",
        # Its finalizer on claims is taken off by a controller that does not run here: claims could not be deleted.
        "--disable-admission-plugins=StorageObjectInUseProtection",
        # With a handful of clients, queues between them are only a cost.
        *("--enable-priority-and-fairness=false", "--profiling=false", "--event-ttl=24h"),
    ]
    return _spec("kube-apiserver", argv)


def controller_manager(binary: Path, layout: Layout) -> ProcessSpec:
    pki = layout.pki
    argv = [
        *(str(binary), "kube-controller-manager"),
        f"--kubeconfig={layout.kubeconfigs / 'controller-manager.conf'}",
        # Nobody asks it anything: it opens no port.
        *("--secure-port=0", "--leader-elect=false", "--profiling=false"),
        *("--use-service-account-credentials", f"--service-account-private-key-file={pki / 'sa.key'}"),
        f"--root-ca-file={pki / 'ca.crt'}",
        f"--controllers={','.join(CONTROLLERS)}",
    ]
    return _spec("kube-controller-manager", argv)


def _spec(name: str, argv: list[str]) -> ProcessSpec:
    # No home, no proxy settings, no kubeconfig of the user's: the control plane depends on its flags alone.
    path = "/usr/local/bin:/usr/bin:/bin" if sys.platform != "win32" else ""
    return ProcessSpec(name=name, argv=tuple(argv), env={"PATH": path, **_SMALL_HEAP})
