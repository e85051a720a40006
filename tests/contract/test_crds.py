"""The committed CustomResourceDefinitions: fresh, structural, bounded, and of one mind with the pydantic kinds."""

import copy
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from fedround_api.crd import NotStructural, definition, definitions, structural
from fedround_api.kinds import KINDS, Kind
from support import hub_builders as hub
from support.builders import condition, make_clinic_round
from support.structural_schema import problems

CRDS = Path(__file__).parents[2] / "crds"
NAMES = [kind.__name__ for kind in KINDS]
MODEL_SPEC: dict[str, Any] = {
    **hub.model_object()["spec"],
    "initialCheckpoint": {"claimName": "checkpoints", "path": "2025/own.safetensors", "sha256": "ba5e" * 16},
}
ROUND_SPEC: dict[str, Any] = {
    "modelRef": {"name": "skin-lesion"},
    "clinics": {"selector": {"matchLabels": {"region": "ontario"}}, "minimum": 3},
    "deadlines": {"start": "30m", "training": "8h", "session": "15m", "validation": "30m"},
    "training": {
        "algorithm": "FedProx",
        "proximalMu": "0.01",
        "epochs": 2,
        "batchSize": 32,
        "learningRate": "0.05",
        "momentum": "0.9",
        "maxBatchGradNorm": "2",
        "seed": 7,
        "cases": {"windowDays": 90, "by": "FirstVisit"},
    },
    "aggregation": {"weighting": "CaseVolume", "maxCaseVolume": 10000},
    "suspend": False,
    "cancel": False,
}
PART_STATUS: dict[str, Any] = {
    "observedGeneration": 1,
    "phase": "Submitted",
    "conditions": [condition("Succeeded", "True", "Submitted")],
    "attempts": {"fetch": 1, "train": 1, "submit": 1},
    "exitCode": 0,
    "result": {"updateDigest": "0dd5" * 16, "updateBytes": 770_100, "steps": 24, "cases": 384},
}
CERTIFICATE: dict[str, Any] = {
    "sha256": "ce47" * 16,
    "keySha256": "4e15" * 16,
    "issuedAt": "2026-01-01T00:00:00Z",
    "expiresAt": "2027-01-01T00:00:00Z",
    "revoked": False,
    "pem": "-----BEGIN CERTIFICATE-----\n",
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "FederatedModel": {"spec": MODEL_SPEC, "status": hub.model_object()["status"]},
    "FederatedRound": {"spec": ROUND_SPEC, "status": hub.finished_round_status()},
    "Clinic": {
        "spec": {"suspended": False, "certificates": [CERTIFICATE]},
        "status": {**hub.clinic_object("north")["status"], "certificateExpiresAt": "2027-01-01T00:00:00Z"},
    },
    "ClinicRound": {"spec": make_clinic_round()["spec"], "status": PART_STATUS},
}
NEW_VALUES: tuple[Any, ...] = (
    None, True, False, -1, 0, 1, 16, 33, 255, 256, 10**12, "", "a", "A", "0", "-1", "1.0", "1e3", "NaN", "0.05 ", "9h",
    "721h", "north-", "x" * 31, "x" * 64, "x" * 3000, "ba5e" * 16, "BA5E" * 16, [], ["a"], ["a", "b"], {}, {"a": "b"},
)  # fmt: skip


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("crd_generator", CRDS / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _kind(name: str) -> type[Kind]:
    return next(kind for kind in KINDS if kind.__name__ == name)


def _schema(name: str) -> dict[str, Any]:
    """The schema without its rule about metadata.name, which examples do not carry."""
    schema: dict[str, Any] = definition(_kind(name))["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return {key: value for key, value in schema.items() if key != "x-kubernetes-validations"}


def _nodes(schema: dict[str, Any], path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, part in schema.get("properties", {}).items():
        yield from _nodes(part, f"{path}.{name}")
    for name, key in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(name), dict):
            yield from _nodes(schema[name], path + key)


NODES = [(path, node) for name in NAMES for path, node in _nodes(_schema(name), name)]
OF_THE_SERVER = (".apiVersion", ".kind", ".metadata")


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in children:
        yield (*path, key)
        yield from _places(part, (*path, key))


def _changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """The value with one place changed: copied along the way to it, shared elsewhere."""
    if not path:
        return new
    result = copy.copy(value)
    result[path[0]] = _changed(value[path[0]], path[1:], new)
    return result


def _read(name: str, value: dict[str, Any]) -> bool:
    try:
        _kind(name).model_validate({"metadata": {"name": "x"}, **value})
    except ValidationError:
        return False
    return True


def test_the_committed_files_are_what_the_generator_makes() -> None:
    generator = _generator()

    fresh = {generator.file_name(crd): generator.render(crd) for crd in definitions()}

    assert {path.name: path.read_text() for path in CRDS.glob("*.yaml")} == fresh


@pytest.mark.parametrize("name", NAMES)
def test_a_committed_file_is_the_definition_of_its_kind(name: str) -> None:
    shown = _kind(name).presentation

    found = yaml.safe_load((CRDS / f"fedround.dev_{shown.plural}.yaml").read_text())

    assert found["metadata"]["name"] == f"{shown.plural}.fedround.dev"
    assert found["spec"]["names"]["categories"] == ["fedround"]
    assert found["spec"]["versions"][0]["subresources"] == {"status": {}}


def test_each_word_that_kubectl_takes_for_a_kind_means_that_kind_alone() -> None:
    """kubectl takes a category before a kind: `kubectl get` with such a word refuses the name of an object."""
    names = [crd["spec"]["names"] for crd in definitions()]
    words = [word for one in names for word in {one["plural"], one["singular"], *one.get("shortNames", [])}]

    assert len(words) == len(set(words))
    assert {category for one in names for category in one["categories"]}.isdisjoint(words)


@pytest.mark.parametrize(("path", "node"), NODES, ids=[path for path, _ in NODES])
def test_every_node_is_structural_and_bounded(path: str, node: dict[str, Any]) -> None:
    assert "type" in node
    assert not {"anyOf", "oneOf", "allOf", "not", "$ref", "nullable", "title"} & set(node)
    assert "default" not in node or node["default"] is not None
    if path.endswith(OF_THE_SERVER):
        return
    match node["type"]:
        case "string":
            assert "maxLength" in node or "enum" in node
        case "array":
            assert "maxItems" in node
            assert node["x-kubernetes-list-type"] in ("map", "set")
        case "object":
            assert "properties" in node or "maxProperties" in node
        case "integer":
            assert "minimum" in node
        case other:
            assert other == "boolean"


@pytest.mark.parametrize(("path", "node"), [entry for entry in NODES if "x-kubernetes-list-map-keys" in entry[1]])
def test_the_keys_of_a_list_map_are_required(path: str, node: dict[str, Any]) -> None:
    assert set(node["x-kubernetes-list-map-keys"]) <= set(node["items"]["required"])


@pytest.mark.parametrize(("path", "node"), [entry for entry in NODES if "default" in entry[1]])
def test_a_default_keeps_the_bounds_of_its_field(path: str, node: dict[str, Any]) -> None:
    assert list(problems(node, node["default"])) == []


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_taken_by_the_server_and_read_by_the_operator(name: str) -> None:
    assert list(problems(_schema(name), EXAMPLES[name])) == []
    assert _read(name, EXAMPLES[name])


@pytest.mark.parametrize("name", NAMES)
def test_an_example_sets_every_field_of_its_spec(name: str) -> None:
    spec = _schema(name)["properties"]["spec"]

    assert set(EXAMPLES[name]["spec"]) == set(spec["properties"]) - {"suspended", "closed"} | (
        {"suspended"} if name == "Clinic" else set()
    )


@pytest.mark.parametrize("name", NAMES)
def test_what_the_server_takes_is_read_by_the_operator(name: str) -> None:
    """Else one object that somebody wrote could stop the reconciles of all who read it."""
    example, schema = EXAMPLES[name], _schema(name)
    for place in _places(example):
        for new in NEW_VALUES:
            changed = _changed(example, place, new)
            if next(problems(schema, changed), None) is None:
                assert _read(name, changed), f"{place} = {new!r}"


WRONG = [
    ("FederatedRound", ("spec", "clinics", "minimum"), 0),
    ("FederatedRound", ("spec", "clinics", "minimum"), 101),
    ("FederatedRound", ("spec", "clinics", "minimum"), "many"),
    ("FederatedRound", ("spec", "modelRef", "name"), ""),
    ("FederatedRound", ("spec", "modelRef", "name"), "Skin_Lesion"),
    ("FederatedRound", ("spec", "deadlines", "training"), "8"),
    ("FederatedRound", ("spec", "deadlines", "training"), "0h"),
    ("FederatedRound", ("spec", "deadlines", "training"), "721h"),
    ("FederatedRound", ("spec", "training", "learningRate"), "0"),
    ("FederatedRound", ("spec", "training", "learningRate"), "-0.1"),
    ("FederatedRound", ("spec", "training", "learningRate"), "1e-3"),
    ("FederatedRound", ("spec", "training", "learningRate"), "10.1"),
    ("FederatedRound", ("spec", "training", "momentum"), "1"),
    ("FederatedRound", ("spec", "training", "algorithm"), "FedSgd"),
    ("FederatedRound", ("spec", "training", "epochs"), -1),
    ("FederatedRound", ("spec", "training", "seed"), 2**31),
    ("FederatedRound", ("spec", "aggregation", "maxCaseVolume"), 0),
    ("FederatedModel", ("spec", "classes"), ["benign"]),
    ("FederatedModel", ("spec", "highRiskClasses"), ["other"]),
    ("FederatedModel", ("spec", "highRiskClasses"), ["benign", "malignant"]),
    ("FederatedModel", ("spec", "imageSize"), 65),
    ("FederatedModel", ("spec", "testSet", "manifestSha256"), "abc"),
    ("FederatedModel", ("spec", "gate", "anchor"), "1.1"),
    ("ClinicRound", ("status", "result", "updateDigest"), "../../etc/passwd"),
    ("ClinicRound", ("status", "result", "updateBytes"), -1),
    ("ClinicRound", ("status", "exitCode"), 256),
]


@pytest.mark.parametrize(("name", "place", "value"), WRONG)
def test_a_wrong_value_is_refused_by_server_and_operator_alike(name: str, place: tuple[str, ...], value: Any) -> None:
    changed = _changed(EXAMPLES[name], place, value)

    found = list(problems(_schema(name), changed))

    assert found != []
    assert any(place[-1] in line or place[-2] in line or "must" in line for line in found)
    assert not _read(name, changed)


def test_every_field_of_a_round_but_suspend_and_cancel_is_immutable() -> None:
    spec = _schema("FederatedRound")["properties"]["spec"]
    rules = [validation["rule"] for validation in spec["x-kubernetes-validations"]]

    for name in set(spec["properties"]) - {"suspend", "cancel"}:
        assert f"self.{name} == oldSelf.{name}" in rules
    assert "!oldSelf.cancel || self.cancel" in rules


def test_every_rule_has_a_sentence() -> None:
    rules = [rule for _, node in NODES for rule in node.get("x-kubernetes-validations", [])]

    assert len(rules) > 20
    assert [rule for rule in rules if len(rule["message"]) < 10] == []


@pytest.mark.parametrize(
    ("name", "limit"), [("FederatedModel", 40), ("FederatedRound", 40), ("Clinic", 30), ("ClinicRound", 49)]
)
def test_the_server_bounds_the_length_of_names(name: str, limit: int) -> None:
    schema = definition(_kind(name))["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    (rule,) = schema["x-kubernetes-validations"]

    assert rule["rule"].startswith(f"size(self.metadata.name) <= {limit} && ")
    assert rule["message"].startswith("metadata.name must be a DNS label")


def test_a_choice_between_types_is_not_structural() -> None:
    with pytest.raises(NotStructural, match="a choice"):
        structural({"anyOf": [{"type": "string"}, {"type": "integer"}]}, {})
    with pytest.raises(NotStructural, match="without a type"):
        structural({"description": "anything"}, {})
