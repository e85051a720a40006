"""Where a model says its test set is: on a volume or in the store, and in the store only where no clinic reads."""

from typing import Any

import pytest
from pydantic import ValidationError

from fedround_api.crd import definition
from fedround_api.kinds import FederatedModel
from fedround_api.kinds.federated_model import TestSet as Where
from support.structural_schema import problems

DIGEST = "7e57" * 16
SCHEMA = definition(FederatedModel)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]


def _taken_by_the_server(value: dict[str, Any]) -> bool:
    return not list(problems(SCHEMA["properties"]["testSet"], value))


@pytest.mark.parametrize("place", [{"claimName": "test-set"}, {"prefix": "test-sets/ontario/2026"}])
def test_a_test_set_has_one_place(place: dict[str, str]) -> None:
    value = {**place, "manifestSha256": DIGEST}

    assert Where.model_validate(value).dump() == value
    assert _taken_by_the_server(value)


@pytest.mark.parametrize(
    "place",
    [
        {},
        {"claimName": "test-set", "prefix": "test-sets/ontario"},
        {"prefix": "test-sets"},
        {"prefix": "test-sets/"},
        {"prefix": "clinics/ottawa"},
        {"prefix": "published/test-sets"},
        {"prefix": "test-sets/../clinics/ottawa"},
        {"prefix": "/test-sets/ontario"},
    ],
)
def test_no_place_two_places_and_places_that_clinics_reach_are_refused(place: dict[str, str]) -> None:
    value = {**place, "manifestSha256": DIGEST}

    with pytest.raises(ValidationError):
        Where.model_validate(value)
    assert not _taken_by_the_server(value)
