"""A base image made on the spot: a small Debian trixie, from the Debian mirror that this machine's apt uses.

For machines that reach a Debian mirror but no image registry. Its root file system is kept in the cache; it is only
built on, and what is installed on it brings its own updates.
"""

import hashlib
import re
import subprocess
from pathlib import Path

from fedround_images.builders import FROM_MIRROR, Builder
from fedround_images.packages import ImageBuildFailed, require, run

SUITE = "trixie"
# Of each archive that apt knows: "http://mirror/debian/ bookworm-updates".
_LISTING = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Origin: Debian", "Created-By: Packages"]
_ARCHIVE = re.compile(r"^(?P<uri>\S+) [a-z]+(?P<kind>-security|-updates)?$", re.MULTILINE)


def sources(listing: str) -> list[str]:
    """The apt sources of trixie, at the addresses where this machine gets its own Debian.

    Raises ImageBuildFailed where it gets none.
    """
    found = {
        f"deb {match['uri'].rstrip('/')} {SUITE}{match['kind'] or ''} main" for match in _ARCHIVE.finditer(listing)
    }
    if not found:
        raise ImageBuildFailed("apt has no Debian archive here: name a base image with --base.")
    return sorted(found)


def ensure_base(folder: Path, builder: Builder, *, fresh: bool) -> str:
    """The tag of the base image, in the builder's storage. Raises ImageBuildFailed."""
    archive = folder / f"base-{SUITE}.tar"
    folder.mkdir(parents=True, exist_ok=True)
    if fresh or not archive.exists():
        require({"mmdebstrap": "mmdebstrap"})
        listing = subprocess.run(_LISTING, stdout=subprocess.PIPE, text=True, check=True).stdout
        part = folder / f"base-{SUITE}.part.tar"
        # Device nodes are the builder's business, and cannot be made everywhere.
        run(["mmdebstrap", "--variant=minbase", "--skip=output/dev", SUITE, str(part), *sources(listing)])
        part.replace(archive)
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    # The same root file system has to be the same image: another one, and all layers above it are built again.
    tag = f"localhost/fedround-base:{SUITE}-{digest[:12]}"
    if not builder.has(tag):
        builder.load(archive, tag)
    return tag


__all__ = ["FROM_MIRROR", "ensure_base", "sources"]
