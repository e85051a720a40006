"""What Jobs are given and report has bounds in every field, so that what enters is checked where it enters."""

from collections.abc import Iterator
from typing import Any

import pytest

from fedround_api.fields import ClosedPart
from fedround_api.jobs import (
    AggregateInput,
    FetchInput,
    InitInput,
    JobReport,
    RoundFacts,
    SubmitInput,
    TrainInput,
    ValidateInput,
)

DOCUMENTS: tuple[type[ClosedPart], ...] = (
    InitInput,
    FetchInput,
    TrainInput,
    SubmitInput,
    AggregateInput,
    ValidateInput,
    JobReport,
)
UNBOUNDED = {"boolean", "null"}
BOUNDS = {
    "string": {"maxLength", "enum", "const"},
    "array": {"maxItems"},
    "integer": {"minimum", "enum"},
    "object": {"maxProperties", "propertyNames", "properties"},
}


def nodes(schema: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every node that has a type, by its path."""
    if isinstance(schema, dict):
        if isinstance(schema.get("type"), str):
            yield path, schema
        for key, value in schema.items():
            yield from nodes(value, f"{path}.{key}")
    elif isinstance(schema, list):
        for number, value in enumerate(schema):
            yield from nodes(value, f"{path}[{number}]")


NODES = {path: node for kind in DOCUMENTS for path, node in nodes(kind.model_json_schema(), kind.__name__)}


def test_a_clinics_part_in_a_round_is_among_what_is_looked_at() -> None:
    assert any(path.endswith(".RoundFacts.properties.participants") for path in NODES)


@pytest.mark.parametrize("path", NODES)
def test_every_field_is_bounded(path: str) -> None:
    node = NODES[path]

    assert node["type"] in UNBOUNDED or BOUNDS[node["type"]] & node.keys()


def test_more_participants_than_a_round_can_have_are_refused() -> None:
    facts = {
        "name": "w48",
        "namespace": "skin-network",
        "uid": "5a6b7c8d",
        "startedAt": "2026-11-24T12:00:00Z",
        "trainingClosedAt": "2026-11-24T12:20:00Z",
        "base": {"version": 3, "digest": "ba5e" * 16, "bytes": 770_100},
        "training": {},
        "maxCaseVolume": 10_000,
        "testSetUses": 1,
    }
    clinics = [{"name": f"clinic-{number}", "caseVolume": 1} for number in range(101)]

    assert len(RoundFacts.model_validate({**facts, "participants": clinics[:100]}).participants) == 100
    with pytest.raises(ValueError, match="at most 100 items"):
        RoundFacts.model_validate({**facts, "participants": clinics})
