"""The charts' files against what they repeat: kinds, the policy, versions; and schemas that leave nothing open."""

import importlib.util
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from fedround_api.addresses import HOST, HOST_AND_PORT_PATTERN, PORT
from fedround_api.fields import NAME_PATTERN
from fedround_api.kinds.policy import ClinicPolicySpec
from support.charts import CHARTS, CLINIC, HUB, ROOT

BOTH = (HUB, CLINIC)


def _schema(chart: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CHARTS / chart / "values.schema.json").read_text())
    return found


def _values(chart: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((CHARTS / chart / "values.yaml").read_text())
    return found


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("crd_generator", ROOT / "crds" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_hub_chart_brings_the_kinds_as_they_are() -> None:
    def files(folder: Path) -> dict[str, str]:
        return {path.name: path.read_text() for path in folder.glob("*.yaml")}

    assert files(CHARTS / HUB / "files" / "crds") == files(ROOT / "crds")


def test_the_clinic_chart_knows_the_policy_as_the_contract_has_it(generator: ModuleType) -> None:
    text = (CHARTS / CLINIC / "values.schema.json").read_text()

    assert generator.clinic_values(text) == text


def test_a_field_of_the_policy_that_the_schema_takes_is_one_that_the_agent_takes() -> None:
    fields = _schema(CLINIC)["properties"]["policy"]["properties"]
    groups = {name: list(part["properties"]) for name, part in fields.items() if part["type"] == "object"}

    given = {"caseVolume": 1, **{name: dict.fromkeys(flags, True) for name, flags in groups.items()}}

    assert ClinicPolicySpec.model_validate(given).dump() == given


@pytest.mark.parametrize("chart", BOTH)
def test_chart_and_program_have_the_version_of_the_project(chart: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    found = yaml.safe_load((CHARTS / chart / "Chart.yaml").read_text())

    assert (found["version"], found["appVersion"]) == (project, project)


def _nodes(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, part in schema.get("properties", {}).items():
        yield from _nodes(part, f"{path}.{name}")
    if isinstance(schema.get("items"), dict):
        yield from _nodes(schema["items"], f"{path}[]")


# What Kubernetes itself defines and checks: selectors, tolerations, affinity, annotations, labels, quantities by name.
_OPEN = re.compile(
    r"\.(global|nodeSelector|affinity|tolerations\[\]|annotations|labels|namespaceSelector|podSelector|ipBlock|requests|limits)$"
)


@pytest.mark.parametrize("chart", BOTH)
def test_a_schema_is_closed_and_says_what_each_value_is(chart: str) -> None:
    schema = _schema(chart)
    nodes = [*_nodes(schema, chart)]
    for name, part in schema["definitions"].items():
        nodes += _nodes(part, f"definitions.{name}")

    for path, node in nodes:
        if "$ref" in node:
            assert node["$ref"].rpartition("/")[2] in schema["definitions"], path
            continue
        assert path.endswith("[]") or node.get("description"), path
        if node.get("type") == "object" and not _OPEN.search(path):
            assert node["additionalProperties"] is False, path


def _given(values: dict[str, Any], schema: dict[str, Any], definitions: dict[str, Any], path: str) -> Iterator[str]:
    """The paths of a schema that the values file does not show."""
    node = definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    for name, part in node.get("properties", {}).items():
        if path == "" and name in ("global", "policy"):
            continue
        if name not in values:
            yield f"{path}.{name}"
        elif isinstance(values[name], dict):
            yield from _given(values[name], part, definitions, f"{path}.{name}")


@pytest.mark.parametrize("chart", BOTH)
def test_the_values_file_shows_every_value(chart: str) -> None:
    schema = _schema(chart)

    assert list(_given(_values(chart), schema, schema["definitions"], "")) == []


def test_addresses_are_written_as_the_command_line_takes_them() -> None:
    gateway, hub = _schema(CLINIC)["properties"]["hub"]["properties"]["gateway"], _schema(HUB)["properties"]
    store, api = hub["store"]["properties"]["endpoint"], hub["gateway"]["properties"]["api"]

    assert gateway["pattern"] == hub["gateway"]["properties"]["address"]["pattern"] == HOST_AND_PORT_PATTERN
    assert store["pattern"] == f"^$|^{HOST}(:{PORT})?$"
    # Caddy alone reads this one, and knows IPv6 addresses.
    assert api["pattern"] == rf"^https://({HOST}|\[[0-9A-Fa-f:.]+\]):{PORT}$"


def _definitions(text: str) -> dict[str, str]:
    """The templates of a file by name, each with the comment before it."""
    parts = re.findall(
        r'((?:\{\{/\*[^}]*\*/\}\}\n)?\{\{- define "([^"]+)" -\}\}.*?\n\{\{- end -\}\}\n)', text, re.DOTALL
    )
    return {name: whole for whole, name in parts}


IN_BOTH_CHARTS = {
    "fullname", "labels", "selector", "image", "pullSecrets", "podSecurity", "runAs", "containerSecurity", "placement",
    "rule", "dns", "scratch",
}  # fmt: skip


def test_what_both_charts_define_is_the_same() -> None:
    """Neither can take it from the other: a chart is one file, and a library chart would be one more to publish."""
    hub, clinic = (
        {
            name.removeprefix(f"{chart}."): text.replace(chart, "CHART")
            for name, text in _definitions((CHARTS / chart / "templates" / "_helpers.tpl").read_text()).items()
        }
        for chart in (HUB, CLINIC)
    )

    assert hub.keys() & clinic.keys() == IN_BOTH_CHARTS
    assert {name: hub[name] for name in IN_BOTH_CHARTS} == {name: clinic[name] for name in IN_BOTH_CHARTS}


def test_both_charts_are_monitored_alike() -> None:
    hub, clinic = ((CHARTS / chart / "templates" / "monitoring.yaml").read_text() for chart in (HUB, CLINIC))

    as_clinic = hub.replace(HUB, CLINIC).replace("fedround-system", "fedround").replace("operator", "agent")
    assert as_clinic == clinic


def test_both_schemas_define_what_they_share_alike() -> None:
    hub, clinic = (_schema(chart) for chart in (HUB, CLINIC))

    for name in hub["definitions"].keys() & clinic["definitions"].keys():
        assert hub["definitions"][name] == clinic["definitions"][name], name
    for name in ("fullnameOverride", "podSecurity", "monitoring", "global"):
        assert hub["properties"][name] == clinic["properties"][name], name


def test_the_name_of_a_clinic_is_bounded_as_in_the_contract() -> None:
    name = _schema(CLINIC)["properties"]["clinic"]["properties"]["name"]

    assert (name["pattern"], name["maxLength"]) == (NAME_PATTERN, 30)
