"""How much room a federation takes on disk, by part. Called by the status; reads file sizes and nothing else."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from fedround_local.federation import layout
from fedround_local.federation.layout import Layout

# A block as `stat` counts it (st_blocks), on every system.
_BLOCK_BYTES = 512


def sizes(place: Layout) -> Mapping[str, int]:
    """Bytes on disk of each part and of the whole. What is removed meanwhile counts as nothing."""
    volumes = place.volume("", "")
    parts = {
        "controlPlane": bytes_below(place.state / "etcd"),
        "objectStore": bytes_below(place.state / "store"),
        "clinicVolumes": sum(bytes_below(one) for one in volumes.glob(f"{layout.local_namespace('')}*")),
        "hubVolumes": bytes_below(volumes / layout.NETWORK_NAMESPACE),
        "pods": bytes_below(place.state / "pods"),
        "logs": bytes_below(place.state / "logs"),
    }
    total = bytes_below(place.state)
    return {"total": total, **parts, "other": max(0, total - sum(parts.values()))}


def bytes_below(folder: Path) -> int:
    """What the files below a folder take; links are not followed, and a missing folder takes nothing."""
    total = 0
    waiting = [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    found = entry.stat(follow_symlinks=False)
                    total += found.st_blocks * _BLOCK_BYTES
                    if stat.S_ISDIR(found.st_mode):
                        waiting.append(entry.path)
        except OSError:
            continue
    return total
