"""Where everything of a federation lies below its state folder, whose that folder is, and who works on it."""

import fcntl
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fedround_local.errors import StateUnusable

NETWORK_NAMESPACE = "skin-network"
SYSTEM_NAMESPACE = "fedround-system"
MODEL = "skin-lesion"
IMAGE = "fedround-training"
NODE_NAME = "local"

STORE_SECRET = "fedround-store"  # noqa: S105 - the name of a Secret
CERTIFICATE_SECRET = "fedround-certificate"  # noqa: S105
MEMBERSHIP_SECRET = "fedround-membership"  # noqa: S105
ACCOUNT = "fedround-agent"
TEST_SET_CLAIM = "test-set"
INITIAL_CLAIM = "initial"
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
    def up_command(self) -> str:
        """The command that starts it, ready to be pasted."""
        return f"fedround local up --state {shlex.quote(str(self.state))}"

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

    def membership(self, name: str) -> Path:
        """What the administrator gave the clinic: certificate, authority, token."""
        return self.clinic(name) / "membership"

    def identity(self, name: str) -> Path:
        """Where the clinic's agent lays out its key and certificate."""
        return self.clinic(name) / "identity"

    def policy(self, name: str) -> Path:
        """The clinic's policy file."""
        return self.clinic(name) / "policy.yaml"

    def volume(self, namespace: str, claim: str) -> Path:
        """The folder that the process node mounts for a claim."""
        return self.state / "volumes" / namespace / claim

    @property
    def marker(self) -> Path:
        """Says that the folder is a federation's, from its first moment on."""
        return self.state / ".fedround"

    def is_ours(self) -> bool:
        """Whether the folder holds a federation, be it half-made."""
        return self.marker.exists()

    def remove_unfinished(self) -> None:
        """Remove what an unfinished set-up has left."""
        for name in ("etcd", "volumes", "clinics", "kubeconfigs", "pods"):
            shutil.rmtree(self.state / name, ignore_errors=True)

    @contextmanager
    def claimed(self, *, new: bool) -> Iterator[None]:
        """The folder for one command at a time; with ``new`` it is made, or must be empty or a federation's.

        Raises:
            StateUnusable: it cannot be used, or another command works on it.
        """
        try:
            self._prepare(new)
            with self.marker.open("a") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                yield
        except BlockingIOError as error:
            raise StateUnusable(f"another fedround command is working on {self.state}: wait for its end") from error

    def _prepare(self, new: bool) -> None:
        if odd := sorted(set(str(self.state)) & set('[]{}"*?\\')):
            raise StateUnusable(
                f"a state folder's path cannot hold {' '.join(odd)}: name another one than {self.state}"
            )
        try:
            self.state.mkdir(parents=True, exist_ok=True)
            if new and not self.is_ours() and any(self.state.iterdir()):
                raise StateUnusable(f"{self.state} is not empty and holds no federation: name another --state folder")
            self.state.chmod(0o700)
            self.marker.touch()
        except OSError as error:
            raise StateUnusable(
                f"{self.state} cannot be used as a state folder ({error.strerror}): name another --state folder"
            ) from error
