"""Runs a program in an image as a pod of fedround does: as nobody, read-only root, no capability, no network.

Called by the tests of the images and by `make test-image`. runc is what containerd starts on a node.
"""

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fedround_images.archives import Wanted, ensure_archive
from fedround_images.packages import require

# As images and manifests have it.
USER = 65532
_NAMESPACES = ("pid", "mount", "ipc", "uts", "network")
_TMPFS = ["nosuid", "nodev", "noexec", "mode=1777"]
_SYSTEM_MOUNTS = (
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
    {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": _TMPFS},  # noqa: S108 - of the container
    {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": _TMPFS},  # noqa: S108
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
)


@dataclass(frozen=True)
class Bind:
    """A folder or file of this machine, and where the container has it."""

    source: Path
    path: str
    read_only: bool = True


@dataclass(frozen=True)
class Rootfs:
    """An image, unpacked."""

    folder: Path
    config: Mapping[str, Any]

    @property
    def entrypoint(self) -> list[str]:
        return list(self.config["config"]["Entrypoint"])

    @property
    def environment(self) -> dict[str, str]:
        return dict(variable.split("=", 1) for variable in self.config["config"]["Env"])


@dataclass(frozen=True)
class User:
    """Whom a pod runs as: user, group, and the group of its volumes."""

    uid: int
    gid: int
    fs_group: int


NOBODY = User(USER, USER, USER)
# As OpenShift chooses: a user from the namespace's range, of whom the image knows nothing, in root's group.
UNKNOWN = User(1_000_650_000, 0, 1_000_650_000)


@dataclass(frozen=True)
class Program:
    """What to run: a whole command line, what it finds in its environment, its volumes, and as whom."""

    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    binds: Sequence[Bind] = ()
    user: User = NOBODY


def ensure_rootfs(image: str, wanted: Wanted) -> Rootfs:
    """The image's files, unpacked beside its archive in the cache. Raises ImageBuildFailed."""
    archive = ensure_archive(image, wanted)
    folder, key_file = archive.with_suffix(".rootfs"), archive.with_suffix(".rootfs.key")
    key = archive.with_suffix(".key").read_text()
    with tarfile.open(archive) as packed:
        manifest = json.loads(_read(packed, "manifest.json"))[0]
        if not key_file.exists() or key_file.read_text() != key:
            key_file.unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)
            for layer in manifest["Layers"]:
                with tarfile.open(fileobj=packed.extractfile(layer)) as files:
                    files.extractall(folder, filter="fully_trusted")  # noqa: S202 - our own image
            key_file.write_text(key)
        return Rootfs(folder, json.loads(_read(packed, manifest["Config"])))


def run(
    rootfs: Rootfs, program: Program, *, timeout_seconds: float, capture: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run the program to its end; its output is captured, or goes where this process's own goes.

    Needs root, and Debian's runc where there is none yet.
    """
    require({"runc": "runc"})
    with tempfile.TemporaryDirectory() as bundle:
        Path(bundle, "config.json").write_text(json.dumps(specification(rootfs, program)))
        name = f"fedround-{os.getpid()}-{Path(bundle).name}"
        try:
            return subprocess.run(
                ["runc", "run", "--bundle", bundle, name],
                stdin=subprocess.DEVNULL,
                capture_output=capture,
                text=True,
                check=False,
                timeout=timeout_seconds,
            )
        finally:
            subprocess.run(["runc", "delete", "--force", name], capture_output=True, check=False)


def specification(rootfs: Rootfs, program: Program) -> dict[str, Any]:
    """What the OCI runtime is told; a pod of fedround under Pod Security `restricted` is told the same."""
    binds = [
        {
            "destination": bind.path,
            "type": "bind",
            "source": str(bind.source),
            "options": ["bind", "ro" if bind.read_only else "rw"],
        }
        for bind in program.binds
    ]
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {
                "uid": program.user.uid,
                "gid": program.user.gid,
                "additionalGids": [program.user.fs_group],
            },
            "args": list(program.argv),
            "env": [f"{name}={value}" for name, value in {**rootfs.environment, **program.environment}.items()],
            "cwd": "/",
            "capabilities": {},
            "noNewPrivileges": True,
        },
        "root": {"path": str(rootfs.folder), "readonly": True},
        "hostname": "pod",
        "mounts": [*_SYSTEM_MOUNTS, *binds],
        "linux": {"namespaces": [{"type": name} for name in _NAMESPACES]},
    }


def _read(packed: tarfile.TarFile, name: str) -> bytes:
    file = packed.extractfile(name)
    return file.read() if file else b""
