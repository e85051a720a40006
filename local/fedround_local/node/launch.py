"""How a container becomes a local process: argv, environment and working folder, as pure functions.

Called by the loop, with the folders that stand for the mounts and the values that Secrets and ConfigMaps gave.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fedround_local.node.pod import Json, Pod, Unmet

_REFERENCE = re.compile(r"\$\$|\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)")
_BASE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# (namespace's Secret or ConfigMap, key) -> value; None where the reference is optional and there is nothing.
ReadKey = Callable[[str, Json], str | None]


@dataclass(frozen=True)
class Launch:
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path


def prefix_of(image: str, images: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The argv prefix that stands for an image; tag and digest do not matter here, the name must be the same."""
    name = image.split("@", 1)[0]
    head, _, last = name.rpartition("/")
    bare = f"{head}/{last.split(':', 1)[0]}" if head else last.split(":", 1)[0]
    if bare not in images:
        known = ", ".join(sorted(images))
        raise Unmet("ErrImageNeverPull", f'image "{image}" is none of this node\'s: {known}')
    return images[bare]


def plan_launch(
    pod: Pod, prefix: tuple[str, ...], folders: Mapping[str, Path], scratch: Path, read_key: ReadKey
) -> Launch:
    """The process of the pod's container.

    `folders` maps each mount path, and the termination message's path, to what stands for it on this machine. The
    image's prefix is its entry point: `command` takes its place, and is looked up beside it first.
    """
    container = pod.container
    declared = declared_environment(pod, read_key)
    command, arguments = (
        [on_this_machine(_expanded(one, declared), folders) for one in container.get(part, [])]
        for part in ("command", "args")
    )
    temporary = str(folders.get("/tmp", scratch))  # noqa: S108
    beside = os.path.dirname(prefix[0]) if os.path.isabs(prefix[0]) else ""
    base = {
        "PATH": f"{beside}:{_BASE_PATH}" if beside else _BASE_PATH,
        "LANG": "C.UTF-8",
        "HOME": temporary,
        "TMPDIR": temporary,
    }
    env = base | {name: on_this_machine(value, folders) for name, value in declared.items()}
    cwd = on_this_machine(container["workingDir"], folders) if "workingDir" in container else temporary
    # The prefix is a path of this machine already, which may well lie below a /tmp that the pod mounts over.
    return Launch((*(command or prefix), *arguments), env, Path(cwd))


def declared_environment(pod: Pod, read_key: ReadKey) -> dict[str, str]:
    """The container's `env` with its references resolved, as it would be inside a container."""
    found: dict[str, str] = {}
    for one in pod.container.get("env", []):
        source = one.get("valueFrom")
        value = _expanded(one.get("value", ""), found) if source is None else _from(source, pod, read_key)
        if value is not None:
            found[one["name"]] = value
    return found


def on_this_machine(text: str, folders: Mapping[str, Path]) -> str:
    """`text` if it is no path below a mount, else the path below the folder that stands for the mount."""
    for mount in sorted(folders, key=len, reverse=True):
        if text == mount:
            return str(folders[mount])
        if text.startswith(mount.rstrip("/") + "/"):
            return str(folders[mount] / text[len(mount.rstrip("/")) + 1 :])
    return text


def _from(source: Json, pod: Pod, read_key: ReadKey) -> str | None:
    for kind in ("secretKeyRef", "configMapKeyRef"):
        if kind in source:
            return read_key(kind, source[kind])
    field = source.get("fieldRef", {}).get("fieldPath")
    fields = {"metadata.name": pod.name, "metadata.namespace": pod.namespace, "metadata.uid": pod.uid}
    if field not in fields:
        raise Unmet("CreateContainerConfigError", f"the process node does not know the field {field or source}")
    return fields[field]


def _expanded(text: str, env: Mapping[str, str]) -> str:
    """`$(NAME)` replaced where NAME is known, `$$` by one dollar: Kubernetes' own rule for args and values."""

    def replaced(match: re.Match[str]) -> str:
        return "$" if match[0] == "$$" else env.get(match[1], match[0])

    return _REFERENCE.sub(replaced, text)
