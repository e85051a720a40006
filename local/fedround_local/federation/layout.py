"""Where everything of a federation lies below its state folder, and what its namespaces are called. Pure."""

from dataclasses import dataclass
from pathlib import Path

NETWORK_NAMESPACE = "skin-network"
SYSTEM_NAMESPACE = "fedround-system"
MODEL = "skin-lesion"
IMAGE = "fedround-training"
NODE_NAME = "local"

STORE_SECRET = "fedround-store"  # noqa: S105 - the name of a Secret
CERTIFICATE_SECRET = "fedround-certificate"  # noqa: S105
TEST_SET_CLAIM = "test-set"
WORKSPACE_CLAIM = "workspace"
IMAGES_CLAIM = "images"


def local_namespace(clinic: str) -> str:
    """The namespace that stands for the clinic's own cluster."""
    return f"local-{clinic}"


@dataclass(frozen=True)
class Layout:
    """Paths of one federation."""

    state: Path

    @property
    def record(self) -> Path:
        """What was set up: clinics, data, parameters."""
        return self.state / "federation.json"

    @property
    def authority(self) -> Path:
        """The federation's CA: the administrator's, not the hub's."""
        return self.state / "federation-ca"

    @property
    def hub_keys(self) -> Path:
        """The hub's credentials for the store."""
        return self.state / "hub" / "store"

    @property
    def temporary(self) -> Path:
        """Temporary files of operator and agents."""
        return self.state / "tmp"

    def kubeconfig(self, actor: str) -> Path:
        """The kubeconfig of an actor."""
        return self.state / "kubeconfigs" / f"{actor}.conf"

    def clinic(self, name: str) -> Path:
        """What is the clinic's alone: key, certificate, policy."""
        return self.state / "clinics" / name

    def policy(self, name: str) -> Path:
        """The clinic's policy file."""
        return self.clinic(name) / "policy.yaml"

    def volume(self, namespace: str, claim: str) -> Path:
        """The folder that the process node mounts for a claim."""
        return self.state / "volumes" / namespace / claim
