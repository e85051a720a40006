"""The programs of a cluster that are no Debian packages, and the small images that tests put beside the project's own.

Everything is built once and kept in the project's cache. `why_not` says where clusters cannot be had at all.
"""

import os
import platform
import shutil
import sys

from fedround_images.packages import require
from fedround_local.controlplane import Command, ensure_built, ensure_controlplane
from support import tools
from support.clusters.place import Programs
from support.program_images import program_archive

NODE = Command(
    "node",
    ("node/main.go", "node/netpold.go", "node/podgate/podgate.go"),
    "the programs of a cluster's node",
)
PAUSE = Command("pause", ("pause/main.go",), "the program of the pause image")
#: Each program with the Debian package that has it.
DEBIAN = {
    "containerd": "containerd",
    "runc": "runc",
    "buildah": "buildah",
    "conntrack": "conntrack",
    "ip": "iproute2",
    "iptables": "iptables",
    "nft": "nftables",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
}


def why_not() -> str:
    """Why no cluster can be made on this machine; empty where one can."""
    if platform.system() != "Linux":
        return f"clusters are made by Linux' namespaces, and this is {platform.system()}: give kubeconfigs of clusters"
    if os.geteuid() != 0:
        return "clusters are made by root, in namespaces of their own: be root, or give kubeconfigs of clusters"
    if shutil.which("apt-get") is None and any(shutil.which(program) is None for program in DEBIAN):
        return f"a node needs {', '.join(DEBIAN)}, which are installed here on Debian only"
    return ""


def ensure_programs() -> Programs:
    """Installs and builds what is missing; where nothing is, it returns in a moment."""
    require(DEBIAN)
    return Programs(
        controlplane=ensure_controlplane(_report),
        node=ensure_built(NODE, _report),
        dns=tools.coredns(),
        pause_archive=program_archive("pause", ensure_built(PAUSE, _report)),
    )


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
