"""Docker (BuildKit) and buildah, behind one face."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from fedround_images.packages import require, run

# As a base: made from the machine's own Debian mirror.
FROM_MIRROR = "debian-mirror"


@dataclass(frozen=True)
class Build:
    """One build: a Dockerfile, its context and what it is given."""

    context: Path
    file: Path
    tag: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, Path] = field(default_factory=dict)
    fresh: bool = False

    def options(self) -> list[str]:
        """What both builders take alike."""
        options = ["--file", str(self.file), "--tag", self.tag]
        for name, value in self.arguments.items():
            options += ["--build-arg", f"{name}={value}"]
        for name, path in self.secrets.items():
            options += ["--secret", f"id={name},src={path}"]
        return options + (["--no-cache"] if self.fresh else [])


class Builder(Protocol):
    """What builds images."""

    default_base: str

    def build(self, build: Build) -> None:
        """The image, under its tag, in the builder's storage. Raises ImageBuildFailed."""

    def save(self, tag: str, path: Path) -> None:
        """The image as an archive in Docker's format. Raises ImageBuildFailed."""

    def has(self, tag: str) -> bool:
        """Whether the builder's storage has an image under the tag."""

    def load(self, path: Path, tag: str) -> None:
        """Makes an image of one layer of a root file system, a tar file. Raises ImageBuildFailed."""


class Docker:
    """The daemon's BuildKit; its base comes from a registry."""

    default_base = "docker.io/library/debian:trixie-slim"

    def build(self, build: Build) -> None:
        run(["docker", "build", *build.options(), str(build.context)], {**os.environ, "DOCKER_BUILDKIT": "1"})

    def save(self, tag: str, path: Path) -> None:
        run(["docker", "save", "--output", str(path), tag])

    def has(self, tag: str) -> bool:
        return subprocess.run(["docker", "image", "inspect", tag], capture_output=True, check=False).returncode == 0

    def load(self, path: Path, tag: str) -> None:
        run(["docker", "import", str(path), tag])


class Buildah:
    """Needs no daemon; as root on Debian no registry either: its base is made from the machine's Debian mirror."""

    def __init__(self) -> None:
        require({"buildah": "buildah"})
        # Works in a container too; what is built here is our own and needs no sandbox.
        self._env = {"BUILDAH_ISOLATION": "chroot", **os.environ}
        own = os.geteuid() == 0 and shutil.which("apt-get") is not None
        self.default_base = FROM_MIRROR if own else Docker.default_base

    def build(self, build: Build) -> None:
        before = self._identity(build.tag)
        argv = ["buildah", "bud", "--layers", *build.options()]
        run([*argv, "--ignorefile", str(build.context / ".dockerignore"), str(build.context)], self._env)
        if before and before != self._identity(build.tag):
            # Else every change of the program would leave one more image behind. Layers that are still used stay.
            subprocess.run(["buildah", "rmi", before], capture_output=True, env=self._env, check=False)

    def save(self, tag: str, path: Path) -> None:
        run(["buildah", "push", "--quiet", tag, f"docker-archive:{path}:{tag}"], self._env)

    def has(self, tag: str) -> bool:
        return bool(self._identity(tag))

    def load(self, path: Path, tag: str) -> None:
        name = f"fedround-base-{os.getpid()}"
        run(["buildah", "from", "--name", name, "scratch"], self._env)
        try:
            run(["buildah", "add", "--quiet", name, str(path), "/"], self._env)
            run(["buildah", "commit", "--quiet", name, tag], self._env)
        finally:
            run(["buildah", "rm", name], self._env)

    def _identity(self, tag: str) -> str:
        argv = ["buildah", "images", "--quiet", "--no-trunc", "--filter", f"reference={tag}"]
        return subprocess.run(argv, capture_output=True, text=True, env=self._env, check=False).stdout.strip()


def find_builder(name: str) -> Builder:
    """The named builder; `auto` is Docker where its daemon answers, else buildah."""
    if name == "docker" or (name == "auto" and _docker_answers()):
        return Docker()
    return Buildah()


def _docker_answers() -> bool:
    if shutil.which("docker") is None:
        return False
    return subprocess.run(["docker", "version"], capture_output=True, check=False).returncode == 0
