"""The examples are what they say: objects of the contract, without a field that it does not know."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from fedround_api.crd import definitions
from fedround_api.kinds import KINDS
from fedround_api.policyfile import read_policy
from support.structural_schema import problems

EXAMPLES = Path(__file__).parents[2] / "examples"
SCHEMAS = {
    crd["spec"]["names"]["kind"]: crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    for crd in definitions()
}
# Ours: what else is there are values of the charts, and objects that Kubernetes knows.
DOCUMENTS = {
    f"{path.name}-{number}": document
    for path in sorted(EXAMPLES.rglob("*.yaml"))
    for number, document in enumerate(yaml.safe_load_all(path.read_text()))
    if document.get("apiVersion", "").startswith("fedround.dev/")
}
OBJECTS = [name for name, document in DOCUMENTS.items() if document["kind"] != "ClinicPolicy"]


@pytest.mark.parametrize("name", OBJECTS)
def test_an_example_is_an_object_that_the_server_takes(name: str) -> None:
    document: dict[str, Any] = DOCUMENTS[name]
    kind = next(kind for kind in KINDS if kind.__name__ == document["kind"])

    assert list(problems(SCHEMAS[document["kind"]], document["spec"])) == []
    assert kind.model_validate(document)


def test_the_example_of_a_policy_is_one_that_the_agent_takes() -> None:
    document = yaml.safe_load((EXAMPLES / "clinic" / "policy.yaml").read_text())

    assert read_policy(document).spec.case_volume == 1200
