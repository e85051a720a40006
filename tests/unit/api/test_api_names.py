"""Names and keys: short enough for the API server, and apart where objects are apart."""

import pytest

from fedround_api import keys, names
from fedround_api.jobs import Role
from fedround_api.kinds import KINDS

UID = "5a6b7c8d-0000-4000-8000-000000000000"
LIMITS = {kind.__name__: kind.presentation.name_limit for kind in KINDS}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("owner", ["FederatedRound", "FederatedModel"])
def test_the_name_of_a_job_fits_for_the_longest_owner(owner: str, role: Role) -> None:
    assert len(names.job_name("r" * LIMITS[owner], role, UID, 99)) <= 63


def test_the_name_of_a_job_tells_owner_role_and_attempt() -> None:
    assert names.job_name("skin-2026-w48", "validate", UID, 3) == "skin-2026-w48-validate-5a6b7c8d-a3"


def test_the_name_of_a_part_fits_for_the_longest_round() -> None:
    assert len(names.clinic_round_name("r" * LIMITS["FederatedRound"], UID)) == LIMITS["ClinicRound"] == 49


def test_the_longest_names_of_the_contract_are_those_of_the_kinds() -> None:
    assert LIMITS["FederatedRound"] == LIMITS["FederatedModel"] == names.LONGEST_NAME


def test_the_namespace_of_the_longest_clinic_fits() -> None:
    assert len(names.clinic_namespace("c" * LIMITS["Clinic"])) <= 63


def test_a_round_and_its_deleted_namesake_have_jobs_of_different_names() -> None:
    other = "0a0b0c0d-0000-4000-8000-000000000000"

    assert names.job_name("w48", "aggregate", UID, 1) != names.job_name("w48", "aggregate", other, 1)


def test_a_clinic_writes_below_its_own_folder_and_reads_what_is_published() -> None:
    assert keys.update("north", UID) == f"clinics/north/{UID}/plain/update.safetensors"
    assert keys.published_checkpoint("skin", "ba5e") == "published/skin/ba5e.safetensors"


def test_the_hub_keeps_the_results_of_a_round_in_one_folder() -> None:
    found = [keys.candidate(UID), keys.aggregate_record(UID), keys.report(UID)]

    assert {key.rsplit("/", 1)[0] for key in found} == {f"rounds/{UID}"}
    assert len(set(found)) == 3
