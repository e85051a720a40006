"""`fedround checkpoint`: a version of a model as a file, fetched and checked."""

import argparse
import json
from pathlib import Path

from fedround_api import keys
from fedround_api.kinds import FederatedModel, ModelVersion
from fedround_cli.arguments.exits import CommandExit
from fedround_cli.connection import HubError
from fedround_cli.hub import Hub, connect_hub
from fedround_cli.outputs import save


def run(options: argparse.Namespace) -> int:
    """Fetch it, and say what it is; the exit code."""
    hub = connect_hub(options)
    model = hub.model(options.model)
    version = wanted(model, options.number, released=options.released)
    path = options.output or Path(f"{options.model}-v{version.version}{keys.CHECKPOINT_SUFFIX}")
    fetch(hub, model, version, path)
    classes = model.spec.classes
    if options.json:
        told = {"model": options.model, "version": version.version, "sha256": version.digest, "classes": classes}
        print(json.dumps({**told, "file": str(path)}))
    else:
        print(f"wrote {path}: version {version.version} of {options.model}, sha256 {version.digest}")
        print(f"its outputs are, in this order: {', '.join(classes)}")
    return CommandExit.DONE


def wanted(model: FederatedModel, number: int | None, *, released: bool) -> ModelVersion:
    """The version that is asked for. Raises HubError that names those that there are."""
    name, status = model.metadata.name, model.status
    if status.current is None:
        raise HubError(f"model {name} has no version yet: `kubectl describe fm {name}` says why")
    if released:
        if status.released is None:
            raise HubError(f"no version of model {name} is released yet: none has met the floors of its gate")
        number = status.released.version
    known = {one.version: one for one in (*status.history, status.current)}
    found = status.current if number is None else known.get(number)
    if found is None:
        raise HubError(f"model {name} has no version {number} in its history: there are {_shown(known)}")
    return found


def fetch(hub: Hub, model: FederatedModel, version: ModelVersion, path: Path) -> None:
    """Write the version's bytes; nothing is written unless they are those that the model names."""
    key = keys.published_checkpoint(model.metadata.name, version.digest)
    save(path, hub.fetch(key, version.digest, version.bytes))


def _shown(known: dict[int, ModelVersion]) -> str:
    return ", ".join(map(str, sorted(known)))
