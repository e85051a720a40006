"""The images of this checkout: built under their tags, or kept as archives in the cache.

An archive that was built from the same files is taken as it is and needs no builder:

    <cache>/images/fedround-<image>.tar    in the format that `docker load` and `ctr images import` read
    <cache>/images/fedround-<image>.key    names what it was built from
"""

import fcntl
import hashlib
import os
import subprocess
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fedround_images.base import FROM_MIRROR, ensure_base
from fedround_images.builders import Build, Builder, find_builder
from fedround_local.controlplane import cache_folder

PROJECT = Path(__file__).resolve().parents[2]
IMAGES = ("operator", "training")
SOURCES = ("LICENSE", "README.md", "pyproject.toml", "charts/fedround-hub/files/Caddyfile")
SOURCE_FOLDERS = ("crds", "local", "operator", "training")
# Whoever reaches PyPI or Debian through another address has set these for the clients already.
_ADDRESSES = ("APT_MIRROR", "PIP_INDEX_URL")


@dataclass(frozen=True)
class Wanted:
    """How to build, for all images alike; no base: the builder's own choice."""

    base: str | None = None
    builder: str = "auto"
    fresh: bool = False


def inputs_of(image: str) -> list[Path]:
    """The files that an image is made of, in a fixed order."""
    own = (f"{image}.Dockerfile", f"{image}-constraints.txt", "build-constraints.txt", "assemble.py")
    below = [path for folder in SOURCE_FOLDERS for path in (PROJECT / folder).rglob("*")]
    sources = [path for path in below if path.is_file() and "__pycache__" not in path.parts]
    return sorted([*(PROJECT / "images" / name for name in own), *(PROJECT / name for name in SOURCES), *sources])


def key_of(image: str, base: str | None) -> str:
    """Names what an image is made of: its files, and the base that was asked for."""
    digest = hashlib.sha256((base or "").encode())
    for path in inputs_of(image):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"\0{path.relative_to(PROJECT)}\0{content}".encode())
    return digest.hexdigest()


def version() -> str:
    found: str = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    return found


def tag_of(image: str) -> str:
    return f"localhost/fedround-{image}:{version()}"


def build(image: str, wanted: Wanted, builder: Builder) -> str:
    """Builds one image; its tag. Raises ImageBuildFailed."""
    base = wanted.base or builder.default_base
    if base == FROM_MIRROR:
        base = ensure_base(cache_folder() / "images", builder, fresh=wanted.fresh)
    certificates = os.environ.get("PIP_CERT")
    builder.build(
        Build(
            context=PROJECT,
            file=PROJECT / "images" / f"{image}.Dockerfile",
            tag=tag_of(image),
            arguments={
                "BASE": base,
                "VERSION": version(),
                "REVISION": _revision(),
                **{name: os.environ[name] for name in _ADDRESSES if os.environ.get(name)},
            },
            secrets={"ca": Path(certificates)} if certificates else {},
            fresh=wanted.fresh,
        )
    )
    return tag_of(image)


def ensure_archive(image: str, wanted: Wanted, find: Callable[[str], Builder] = find_builder) -> Path:
    """The archive of an image: one that was made of the same files, else a new one in its place.

    Raises ImageBuildFailed.
    """
    folder = cache_folder() / "images"
    folder.mkdir(parents=True, exist_ok=True)
    archive, key_file = folder / f"fedround-{image}.tar", folder / f"fedround-{image}.key"
    with _locked(folder / "lock"):
        key = key_of(image, wanted.base)
        if not wanted.fresh and archive.exists() and key_file.exists() and key_file.read_text() == key:
            return archive
        builder = find(wanted.builder)
        part = folder / f"fedround-{image}.part"
        part.unlink(missing_ok=True)
        builder.save(build(image, wanted, builder), part)
        # In this order a crash in between costs a build, and never leaves an archive under the key of another.
        key_file.unlink(missing_ok=True)
        part.replace(archive)
        key_file.write_text(key)
    return archive


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One builder at a time; the lock ends with its holder, however that ends."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _revision() -> str:
    """The commit that is checked out; nothing where this is no checkout of git."""
    argv = ["git", "-C", str(PROJECT), "rev-parse", "HEAD"]
    return subprocess.run(argv, capture_output=True, text=True, check=False).stdout.strip()
