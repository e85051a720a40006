"""Where a cluster's files are, and which addresses it has. Pure."""

from dataclasses import dataclass
from pathlib import Path

#: The same in every cluster: each has a network of its own.
SERVICE_RANGE = "10.96.0.0/16"
API_SERVICE = "10.96.0.1"
DNS_SERVICE = "10.96.0.10"
POD_RANGE = "10.244.0.0/24"
#: The node as its pods see it: the bridge's address.
POD_GATEWAY = "10.244.0.1"
API_PORT = 6443
DOMAIN = "cluster.local"


@dataclass(frozen=True)
class Programs:
    """The binaries that make a cluster, and the archive of the pause image."""

    controlplane: Path
    node: Path
    dns: Path
    pause_archive: Path


@dataclass(frozen=True)
class Place:
    """One cluster: its folder, its name, and a number that tells its addresses apart from the others'."""

    folder: Path
    name: str
    number: int

    @property
    def node(self) -> str:
        """The name of its one node."""
        return f"{self.name}-node"

    @property
    def address(self) -> str:
        """The node's address, reachable from this machine and, where they are linked, from other clusters."""
        return f"10.200.{self.number}.1"

    @property
    def outside(self) -> str:
        """This machine's address as the cluster sees it."""
        return f"10.200.{self.number}.2"

    @property
    def server(self) -> str:
        return f"https://{self.address}:{API_PORT}"

    @property
    def pki(self) -> Path:
        return self.folder / "pki"

    @property
    def run(self) -> Path:
        """Sockets: their paths may not be long."""
        return Path("/run/fedround", self.name)

    @property
    def cgroup(self) -> str:
        return f"fedround-{self.name}"

    @property
    def containerd(self) -> Path:
        return self.run / "containerd.sock"

    @property
    def admin_kubeconfig(self) -> Path:
        return self.kubeconfig("admin")

    def kubeconfig(self, user: str) -> Path:
        return self.folder / "kubeconfigs" / f"{user}.conf"
