"""A status that could not be written is counted by kind and by what the API server said."""

from typing import Any

import pytest

from fedround_api.kinds import Clinic
from fedround_operator.kit.errors import ApiError, ApiUnreachable, Conflict, Forbidden, Invalid, NotFound
from fedround_operator.kit.metrics import REGISTRY
from fedround_operator.kit.resources import CLINICS
from fedround_operator.kit.writing import count_refusals, write_status
from support.hub_builders import clinic_object

ERRORS = [
    (ApiUnreachable("x"), "unreachable"),
    (Forbidden("x"), "403"),
    (NotFound("x"), "404"),
    (Conflict("x"), "409"),
    (Invalid("x"), "422"),
]


class Refuses:
    """An API server that takes no status."""

    def __init__(self, error: ApiError) -> None:
        self.error = error

    def patch(self, *_: Any) -> Any:
        raise self.error


@pytest.mark.parametrize(("error", "code"), ERRORS)
def test_a_status_that_is_refused_is_counted_by_kind_and_code(error: ApiError, code: str) -> None:
    def counted() -> float:
        labels = {"resource": "clinics", "code": code}
        found = REGISTRY.get_sample_value("fedround_status_write_errors_total", labels)
        assert found is not None, "a series that begins with its first refusal shows no increase by it"
        return found

    count_refusals(CLINICS)
    before, clinic = counted(), Clinic.model_validate(clinic_object("north"))
    with pytest.raises(type(error)):
        write_status(Refuses(error), CLINICS, clinic, {"caseVolume": 7})

    assert counted() == before + 1
