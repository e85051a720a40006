"""Golden files: what a manifest builder returns, kept as text. `FEDROUND_GOLDEN=write pytest …` writes them anew."""

import json
import os
from pathlib import Path

from fedround_operator.kit.resources import Object


def assert_golden(path: Path, manifest: Object) -> None:
    """The manifest is that of the file; a Job's input stands there as data, so that a difference can be read."""
    text = json.dumps(_readable(manifest), indent=2) + "\n"
    if os.environ.get("FEDROUND_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert path.read_text() == text


def _readable(manifest: Object) -> Object:
    copied: Object = json.loads(json.dumps(manifest))
    for container in copied["spec"].get("template", {}).get("spec", {}).get("containers", []):
        for variable in container["env"]:
            if variable["name"] == "FEDROUND_INPUT":
                variable["value"] = json.loads(variable["value"])
    return copied
