"""Writes what is made from the contract: `make crds`.

The CustomResourceDefinitions beside this file and, the same bytes, in the hub's chart; and the schema of a clinic's
policy, which is a part of the values of the clinic's chart.
"""

import json
from pathlib import Path
from typing import Any

import yaml

from fedround_api.crd import definitions
from fedround_api.kinds.policy import ClinicPolicySpec

HEADER = "# Generated from crds/fedround_api by `make crds`. Do not edit.\n"
CHARTS = Path(__file__).parents[1] / "charts"
FOLDERS = (Path(__file__).parent, CHARTS / "fedround-hub" / "files" / "crds")
CLINIC_VALUES = CHARTS / "fedround-clinic" / "values.schema.json"


def render(crd: dict[str, object]) -> str:
    """The YAML text of one definition."""
    return HEADER + yaml.safe_dump(crd, sort_keys=False, width=120)


def file_name(crd: dict[str, object]) -> str:
    """`fedround.dev_<plural>.yaml`."""
    spec = crd["spec"]
    assert isinstance(spec, dict)  # noqa: S101
    return f"{spec['group']}_{spec['names']['plural']}.yaml"


def policy_schema() -> dict[str, Any]:
    """The JSON schema of a policy's spec, closed, in one piece: a chart's schema cannot refer to another file."""
    schema = ClinicPolicySpec.model_json_schema(by_alias=True)
    found: dict[str, Any] = _in_place(schema, schema.pop("$defs", {}))
    return {**found, "description": "What the clinic decides, and nothing on the hub can widen."}


def _in_place(node: Any, referred: dict[str, Any]) -> Any:
    """The node with every reference replaced by what it refers to, and without titles."""
    if isinstance(node, list):
        return [_in_place(one, referred) for one in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        node = {**referred[node["$ref"].rpartition("/")[2]], **{key: node[key] for key in node if key != "$ref"}}
    return {key: _in_place(value, referred) for key, value in node.items() if not (key == "title" and _is_text(value))}


def _is_text(value: Any) -> bool:
    """A title; a field of that name would be an object."""
    return isinstance(value, str)


def clinic_values(before: str) -> str:
    """The text of the clinic chart's schema with the policy as the contract has it now."""
    schema = json.loads(before)
    schema["properties"]["policy"] = policy_schema()
    return json.dumps(schema, indent=2) + "\n"


def main() -> None:
    """Write everything."""
    for crd in definitions():
        for folder in FOLDERS:
            (folder / file_name(crd)).write_text(render(crd))
    CLINIC_VALUES.write_text(clinic_values(CLINIC_VALUES.read_text()))


if __name__ == "__main__":
    main()
