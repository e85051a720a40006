"""A pod's volumes as folders, and what its Secrets and ConfigMaps hold.

    STATE/pods/<uid>/volumes/<name>       Secret, ConfigMap, emptyDir: gone with the pod
    STATE/volumes/<namespace>/<claim>     a claim: kept when the claim goes (as reclaim policy Retain does)

Called by the loop before a process is started. Objects are read when a pod starts and not followed afterwards.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fedround_local.node.pod import Json, Pod, Unmet

# (resource, namespace, name) -> the object, or None where there is none.
ReadObject = Callable[[str, str, str], Json | None]
_CONFIG_ERROR = "CreateContainerConfigError"


@dataclass(frozen=True)
class Volumes:
    """Folders for the volumes of pods, below the node's state."""

    state: Path
    read: ReadObject

    def mount(self, pod: Pod, pod_folder: Path) -> dict[str, Path]:
        """Mount path -> folder (or file, by subPath). Made as needed; repeatable.

        Raises Unmet for an object that does not exist.
        """
        folders = {name: self._folder(pod, volume, pod_folder) for name, volume in pod.volumes.items()}
        found: dict[str, Path] = {}
        for mount in pod.container.get("volumeMounts", []):
            path = folders[mount["name"]]
            if "subPath" in mount:
                path = path / mount["subPath"]
                if not path.exists():
                    path.mkdir(parents=True)
            found[mount["mountPath"]] = path
        return found

    def claims(self, pod: Pod) -> tuple[str, ...]:
        sources = (one.get("persistentVolumeClaim") for one in pod.volumes.values())
        return tuple(one["claimName"] for one in sources if one)

    def read_key(self, pod: Pod, kind: str, reference: Json) -> str | None:
        """The value for a secretKeyRef or configMapKeyRef; None if it is optional and missing."""
        resource = "secrets" if kind == "secretKeyRef" else "configmaps"
        found = self.read(resource, pod.namespace, reference["name"])
        data = {} if found is None else _content(found)
        if reference["key"] in data:
            return data[reference["key"]].decode()
        if reference.get("optional"):
            return None
        if found is None:
            raise Unmet(_CONFIG_ERROR, f'{resource[:-1]} "{reference["name"]}" not found')
        raise Unmet(_CONFIG_ERROR, f"couldn't find key {reference['key']} in {resource[:-1]} {reference['name']}")

    def _folder(self, pod: Pod, volume: Json, pod_folder: Path) -> Path:
        folder = pod_folder / "volumes" / str(volume["name"])
        match volume:
            case {"persistentVolumeClaim": source}:
                claim = str(source["claimName"])
                if self.read("persistentvolumeclaims", pod.namespace, claim) is None:
                    raise Unmet(_CONFIG_ERROR, f'persistentvolumeclaim "{claim}" not found')
                folder = self.state / "volumes" / pod.namespace / claim
                folder.mkdir(parents=True, exist_ok=True)
            case {"secret": source}:
                self._files(folder, pod, "secrets", source["secretName"], source)
            case {"configMap": source}:
                self._files(folder, pod, "configmaps", source["name"], source)
            case _:
                folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _files(self, folder: Path, pod: Pod, resource: str, name: str, source: Json) -> None:
        found = self.read(resource, pod.namespace, name)
        if found is None and not source.get("optional"):
            raise Unmet(_CONFIG_ERROR, f'{resource[:-1]} "{name}" not found')
        data = {} if found is None else _content(found)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for path, content in _items(data, source, f"{resource[:-1]} {name}").items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            target.touch(mode=0o600)
            target.write_bytes(content)


def _items(data: Mapping[str, bytes], source: Json, name: str) -> dict[str, bytes]:
    """File name -> content: all keys, or those that `items` picks and renames."""
    items = source.get("items")
    if items is None:
        return dict(data)
    missing = [one["key"] for one in items if one["key"] not in data]
    if missing and not source.get("optional"):
        raise Unmet(_CONFIG_ERROR, f"couldn't find key {missing[0]} in {name}")
    return {one["path"]: data[one["key"]] for one in items if one["key"] in data}


def _content(found: Json) -> dict[str, bytes]:
    encoded = found["kind"] == "Secret"
    plain = dict(found.get("data") or {})
    data = {key: base64.b64decode(value) if encoded else value.encode() for key, value in plain.items()}
    binary = found.get("binaryData") or {}
    return data | {key: base64.b64decode(value) for key, value in binary.items()}
