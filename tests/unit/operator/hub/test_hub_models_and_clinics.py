"""Models get their first checkpoint and lose stale claims; clinics are available while their Lease is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fedround_api import names
from fedround_api.exitcodes import ExitCode
from fedround_api.jobs import Role
from fedround_api.kinds import Clinic, FederatedModel, FederatedRound, find_condition
from fedround_operator.hub.decide_clinic import ClinicDecision, decide_clinic
from fedround_operator.hub.decide_model import ModelDecision, decide_model
from fedround_operator.hub.seen import ClinicSeen, ModelSeen
from fedround_operator.kit.resources import Object
from support.hub_builders import (
    MODEL_UID,
    NOON,
    ROUND_UID,
    RUNNING,
    SETTINGS,
    clinic_object,
    make_job_seen,
    model_object,
    round_object,
)

DIGEST = "f1f1" * 16


def model_decision(
    *jobs: Any, rounds: int = 0, after: float = 0.0, current: bool = False, **status: Any
) -> ModelDecision:
    seen = ModelSeen(
        model=FederatedModel.model_validate(model_object(current, **status)),
        jobs=tuple(make_job_seen(Role.INIT, number + 1, state) for number, state in enumerate(jobs)),
        rounds=tuple(FederatedRound.model_validate(round_object()) for _ in range(rounds)),
        now=NOON + timedelta(seconds=after),
    )
    return decide_model(seen, SETTINGS)


def ready(decision: ModelDecision) -> tuple[str, str]:
    (condition,) = decision.status.conditions
    return condition.status, condition.reason


def test_a_new_model_gets_its_init_job() -> None:
    decision = model_decision()

    (action,) = decision.actions
    assert action.manifest["metadata"]["name"] == f"skin-lesion-init-{MODEL_UID[:8]}-a1"
    assert (ready(decision), decision.status.init_attempts) == (("False", "Initializing"), 1)


def test_an_init_job_that_runs_is_waited_for() -> None:
    decision = model_decision(RUNNING, initAttempts=1)

    assert (decision.actions, ready(decision)) == ((), ("False", "Initializing"))


def test_the_first_checkpoint_is_version_0() -> None:
    decision = model_decision({"digest": DIGEST, "bytes": 7}, initAttempts=1)

    current = decision.status.current
    assert current is not None
    assert (current.version, current.digest, current.bytes, current.round_uid) == (0, DIGEST, 7, "")
    assert decision.status.history == [current]
    assert ready(decision) == ("True", "Initialized")


def test_a_store_that_was_away_is_tried_again() -> None:
    assert model_decision(ExitCode.STORE_UNAVAILABLE, initAttempts=1).again_seconds == 1.0
    (action,) = model_decision(ExitCode.STORE_UNAVAILABLE, initAttempts=1, after=1.0).actions
    assert action.manifest["metadata"]["name"].endswith("-a2")


def test_an_init_job_that_cannot_succeed_is_told_with_its_cause() -> None:
    decision = model_decision({"exitCode": 64, "message": "no such architecture"}, initAttempts=1)

    assert (ready(decision), decision.actions) == (("False", "InitFailed"), ())
    assert decision.status.conditions[0].message == "BadJobInput: no such architecture"


def test_a_checkpoint_of_ones_own_that_is_refused_is_told_and_not_tried_again() -> None:
    said = "the initial checkpoint: tensor 'head.weight' has shape [7, 128], expected [2, 128]"

    decision = model_decision({"exitCode": 80, "message": said}, initAttempts=1, after=3600.0)

    assert (ready(decision), decision.actions) == (("False", "InitFailed"), ())
    assert decision.status.conditions[0].message == f"WrongShape: {said}"


def test_an_init_job_that_says_no_digest_has_failed() -> None:
    assert ready(model_decision({"message": "done"})) == ("False", "InitFailed")


def test_a_model_with_a_checkpoint_is_left_as_it_is() -> None:
    decision = model_decision(current=True)

    assert (ready(decision), decision.actions) == (("True", "Initialized"), ())
    assert decision.status.current is not None
    assert decision.status.current.version == 3


@pytest.mark.parametrize("rounds", [0, 1])
def test_the_claim_of_a_round_that_is_gone_is_dropped_and_that_of_one_that_is_there_is_kept(rounds: int) -> None:
    claim = {"name": "skin-2026-w48", "uid": ROUND_UID}

    decision = model_decision(current=True, rounds=rounds, activeRound=claim)

    assert (decision.status.active_round is not None) is bool(rounds)


def test_the_claim_of_a_deleted_round_is_dropped_when_a_namesake_is_there() -> None:
    claim = {"name": "skin-2026-w48", "uid": "0a0b0c0d-0000-4000-8000-000000000000"}

    assert model_decision(current=True, rounds=1, activeRound=claim).status.active_round is None


def lease(**changes: Any) -> Object:
    spec = {"renewTime": "2026-11-24T11:59:50.000000Z", "leaseDurationSeconds": 40, "holderIdentity": "north"}
    annotations = {names.CASE_VOLUME_ANNOTATION: "1200", names.AGENT_VERSION_ANNOTATION: "0.1.0"}
    return {
        "metadata": {"name": "agent", "annotations": changes.pop("annotations", annotations)},
        "spec": {key: value for key, value in {**spec, **changes}.items() if value is not None},
    }


def clinic_decision(found: Object | None, now: datetime = NOON, **before: Any) -> ClinicDecision:
    clinic = clinic_object("north")
    clinic["status"] = before
    return decide_clinic(ClinicSeen(Clinic.model_validate(clinic), found, now))


def condition(decision: ClinicDecision, type_: str) -> tuple[str, str]:
    found = find_condition(decision.status.conditions, type_)
    assert found is not None
    return found.status, found.reason


def available(decision: ClinicDecision) -> tuple[str, str]:
    return condition(decision, "Available")


def test_a_clinic_with_a_fresh_lease_is_available_until_it_runs_out() -> None:
    decision = clinic_decision(lease())

    assert (available(decision), decision.again_seconds) == (("True", "LeaseRenewed"), 30.0)
    assert (decision.status.case_volume, decision.status.agent_version) == (1200, "0.1.0")
    assert decision.status.last_seen == "2026-11-24T11:59:50Z"


def test_a_clinic_whose_lease_has_run_out_is_unknown() -> None:
    decision = clinic_decision(lease(), datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC))

    assert (available(decision), decision.again_seconds) == (("Unknown", "LeaseExpired"), None)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (None, "LeaseMissing"),
        (lease(renewTime=None), "LeaseExpired"),
        (lease(leaseDurationSeconds=None), "LeaseExpired"),
        (lease(renewTime="0000-01-01T00:00:00.000000Z"), "LeaseExpired"),
        (lease(renewTime="9999-12-31T23:59:59.000000Z", leaseDurationSeconds=2**31 - 1), "LeaseExpired"),
    ],
)
def test_a_clinic_without_a_usable_lease_is_unknown(found: Object | None, reason: str) -> None:
    assert available(clinic_decision(found)) == ("Unknown", reason)


def test_a_lease_that_is_said_to_hold_for_ever_is_looked_at_again() -> None:
    decision = clinic_decision(lease(renewTime="9000-01-01T00:00:00.000000Z"))

    assert decision.again_seconds == 3600.0


@pytest.mark.parametrize(
    ("text", "volume"),
    [
        ("1", 1),
        ("1200", 1200),
        ("10000001", 10_000_000),
        ("99999999", 10_000_000),
        ("100000000", None),
        ("9" * 5000, None),
        ("0", None),
        ("-5", None),
        ("1e3", None),
        ("12.5", None),
        (" 12", None),
        ("", None),
        ("many", None),
        ("²", None),
        (None, None),
    ],
)
def test_a_declared_case_volume_is_a_positive_whole_number_or_nothing(text: str | None, volume: int | None) -> None:
    annotations = {} if text is None else {names.CASE_VOLUME_ANNOTATION: text}

    assert clinic_decision(lease(annotations=annotations)).status.case_volume == volume


def test_a_declared_volume_that_is_taken_back_is_gone() -> None:
    assert clinic_decision(lease(annotations={}), caseVolume=1200).status.case_volume is None


def test_an_agent_version_of_any_length_fits_into_the_status() -> None:
    decision = clinic_decision(lease(annotations={names.AGENT_VERSION_ANNOTATION: "v" * 10_000}))

    assert decision.status.agent_version == "v" * 64


def test_annotations_that_are_null_are_none() -> None:
    assert clinic_decision(lease(annotations=None)).status.case_volume is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2026-11-24T11:59:00Z", "2026-11-24T11:59:00Z"),
        ("2026-11-24T11:58:50Z", "2026-11-24T11:59:50Z"),
        ("2026-11-24T13:00:00Z", "2026-11-24T11:59:50Z"),
    ],
)
def test_the_time_of_the_last_sign_of_life_is_written_once_a_minute(before: str, after: str) -> None:
    assert clinic_decision(lease(), lastSeen=before).status.last_seen == after


def test_a_silent_clinic_keeps_the_time_of_its_last_sign_of_life() -> None:
    assert clinic_decision(None, lastSeen="2026-11-24T11:00:00Z").status.last_seen == "2026-11-24T11:00:00Z"


def certificate(**changes: Any) -> Object:
    """One that was issued for 2026."""
    return {
        "sha256": "ce" * 32,
        "keySha256": "ab" * 32,
        "issuedAt": "2026-01-01T00:00:00Z",
        "expiresAt": "2027-01-01T00:00:00Z",
        "pem": "PEM",
        **changes,
    }


def with_certificates(
    *certificates: Object, now: datetime = NOON, annotations: dict[str, str] | None = None
) -> ClinicDecision:
    clinic = clinic_object("north")
    clinic["spec"] = {"certificates": list(certificates)}
    found = lease(annotations=annotations or {}, renewTime="2026-01-01T00:00:00Z")
    return decide_clinic(ClinicSeen(Clinic.model_validate(clinic), found, now))


@pytest.mark.parametrize(
    ("now", "value", "reason"),
    [
        (datetime(2026, 12, 1, 23, 59, 59, tzinfo=UTC), "True", "CertificateValid"),
        (datetime(2026, 12, 2, 0, 0, 0, tzinfo=UTC), "True", "CertificateExpiresSoon"),
        (datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), "True", "CertificateExpiresSoon"),
        (datetime(2027, 1, 1, 0, 0, 0, tzinfo=UTC), "False", "CertificateExpired"),
    ],
)
def test_a_certificate_is_said_to_end_soon_a_month_before_it_does(now: datetime, value: str, reason: str) -> None:
    decision = with_certificates(certificate(), now=now)

    assert condition(decision, "CertificateValid") == (value, reason)
    assert decision.status.certificate_expires_at == "2027-01-01T00:00:00Z"


def test_the_newest_certificate_that_is_not_revoked_counts() -> None:
    old, new = certificate(revoked=True), certificate(sha256="cf" * 32, expiresAt="2028-01-01T00:00:00Z")

    assert with_certificates(old, new).status.certificate_expires_at == "2028-01-01T00:00:00Z"


def test_a_clinic_all_of_whose_certificates_are_revoked_is_said_to_be_revoked() -> None:
    decision = with_certificates(certificate(revoked=True))

    assert condition(decision, "CertificateValid") == ("False", "CertificateRevoked")
    assert decision.status.certificate_expires_at is None


def test_a_clinic_without_a_certificate_on_record_is_unknown() -> None:
    assert condition(with_certificates(), "CertificateValid") == ("Unknown", "CertificateMissing")


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (datetime(2026, 12, 1, 23, 59, 0, tzinfo=UTC), 60.0),
        (datetime(2026, 12, 31, 23, 59, 0, tzinfo=UTC), 60.0),
        (datetime(2026, 6, 1, tzinfo=UTC), 3600.0),
        (datetime(2027, 6, 1, tzinfo=UTC), None),
    ],
)
def test_a_clinic_whose_lease_is_silent_is_looked_at_again_when_its_certificate_comes_to_a_date(
    now: datetime, seconds: float | None
) -> None:
    assert with_certificates(certificate(), now=now).again_seconds == seconds


def test_a_request_in_the_lease_is_told() -> None:
    asking = with_certificates(certificate(), annotations={names.RENEWAL_REQUEST_ANNOTATION: "whatever it holds"})

    assert condition(asking, "RenewalRequested") == ("True", "RenewalRequested")
    assert condition(with_certificates(certificate()), "RenewalRequested") == ("False", "NoRenewalRequested")
