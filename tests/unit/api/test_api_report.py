"""The published schema of report.json is the one of the contract, and reports fit it."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from fedround_api.report import json_schema
from fedround_training.reporting.build import document_of
from support.report_inputs import make_report

PUBLISHED = Path(__file__).parents[3] / "docs" / "report.schema.json"
REPORT: dict[str, Any] = json.loads(document_of(make_report()))


def test_the_published_schema_is_fresh() -> None:
    """`make docs` writes it anew."""
    assert json.loads(PUBLISHED.read_text()) == json_schema()


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(json_schema())


def test_it_holds_nothing_that_is_meant_for_an_api_server() -> None:
    assert "x-kubernetes" not in json.dumps(json_schema())


@pytest.mark.parametrize("released", [None, "0.5"])
def test_reports_fit_it(released: str | None) -> None:
    document = json.loads(document_of(make_report(released=released)))

    assert list(Draft202012Validator(json_schema()).iter_errors(document)) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schemaVersion",), "2"),
        (("verdict", "result"), "Maybe"),
        (("candidate", "digest"), "ca4d"),
        (("candidate", "scores", "other"), [1, 2]),
        (("candidate", "figures", "auroc", "value"), 1.5),
        (("guards",), []),
        (("testSet", "uses"), 0),
        (("round", "patients"), 3),
    ],
)
def test_what_is_no_report_does_not_fit_it(path: tuple[str, ...], value: object) -> None:
    document = copy.deepcopy(REPORT)
    part = document
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value

    assert not Draft202012Validator(json_schema()).is_valid(document)
