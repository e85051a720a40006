"""Builders of what the hub sees: `make_round(clinics=3).training().clinic("north", FAILED)`.

A round starts at 12:00 with the deadlines of its defaults: start 30m, training 8h, session 15m, validation 30m.
"""

import copy
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from fedround_api.exitcodes import ExitCode
from fedround_api.jobs import JobReport, Role, StoreAddress
from fedround_api.kinds import Clinic, ClinicRound, Condition, FederatedModel, FederatedRound, find_condition
from fedround_api.reasons import Reason
from fedround_operator.hub.actions import Action
from fedround_operator.hub.decide_round import decide
from fedround_operator.hub.decision import Decision
from fedround_operator.hub.seen import RoundSeen
from fedround_operator.hub.settings import HubSettings
from fedround_operator.kit.instants import text_of
from fedround_operator.kit.jobseen import JobSeen, JobState
from fedround_operator.kit.resources import Object
from support.builders import BASE_DIGEST, UPDATE_DIGEST, condition, make_clinic_round

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
NETWORK = "skin-network"
ROUND_NAME = "skin-2026-w48"
ROUND_UID = "5a6b7c8d-0000-4000-8000-000000000000"
MODEL_UID = "3d3d3d3d-0000-4000-8000-000000000000"
CLINICS = ("east", "north", "south", "west", "zurich")
CANDIDATE_DIGEST = "ca4d" * 16
TEST_SET_DIGEST = "7e57" * 16
SETTINGS = HubSettings(
    network=NETWORK,
    image="registry/fedround-training@sha256:0123",
    store=StoreAddress(endpoint="store:8333", bucket="fedround", https=False),
    store_secret="fedround-store",
)
# States of a clinic in a round, as tests name them.
WORKING, SUBMITTED, FAILED, NOT_ASKED = "working", "submitted", "failed", "not asked"
# Attempts of a Job, as tests name them.
RUNNING = "running"


def model_object(current: bool = True, **status: Any) -> Object:
    """A FederatedModel; ``status`` overrides single fields, wire names."""
    version = {"version": 3, "digest": BASE_DIGEST, "bytes": 770_000, "promotedAt": "2026-11-20T08:00:00Z"}
    known: Object = {"current": version, "history": [version], "evaluations": 5} if current else {}
    return {
        "apiVersion": "fedround.dev/v1alpha1",
        "kind": "FederatedModel",
        "metadata": {"name": "skin-lesion", "namespace": NETWORK, "uid": MODEL_UID, "generation": 1},
        "spec": {
            "architecture": "tiny-gn",
            "classes": ["benign", "malignant"],
            "highRiskClasses": ["malignant"],
            "imageSize": 64,
            "seed": 11,
            "testSet": {"claimName": "test-set", "manifestSha256": TEST_SET_DIGEST},
            "gate": {"rule": "Strict", "targetSpecificity": "0.80", "anchor": "0.03"},
        },
        "status": {**known, **status},
    }


def released(**changes: Any) -> Object:
    """A released version of the model."""
    return {
        "version": 2,
        "round": "skin-2026-w40",
        "digest": "2e1e" * 16,
        "threshold": "0.41",
        "testSetManifest": TEST_SET_DIGEST,
        "bestSensitivity": "0.90",
        "releasedAt": "2026-10-01T08:00:00Z",
        **changes,
    }


def clinic_object(
    name: str,
    *,
    available: bool = True,
    suspended: bool = False,
    case_volume: int | None = 1000,
    labels: Mapping[str, str] | None = None,
) -> Object:
    """A Clinic whose agent is there, or silent."""
    shown = condition("Available", "True", "LeaseRenewed") if available else condition("Available", "Unknown")
    return {
        "apiVersion": "fedround.dev/v1alpha1",
        "kind": "Clinic",
        "metadata": {"name": name, "namespace": NETWORK, "generation": 1, "labels": dict(labels or {})},
        "spec": {"suspended": suspended},
        "status": {
            "conditions": [shown],
            "lastSeen": "2026-11-24T11:59:30Z",
            "agentVersion": "0.1.0",
            **({"caseVolume": case_volume} if case_volume is not None else {}),
        },
    }


def round_object(minimum: int = 2, **spec: Any) -> Object:
    """A FederatedRound as an administrator writes it."""
    return {
        "apiVersion": "fedround.dev/v1alpha1",
        "kind": "FederatedRound",
        "metadata": {
            "name": ROUND_NAME,
            "namespace": NETWORK,
            "uid": ROUND_UID,
            "generation": 1,
            "resourceVersion": "41",
        },
        "spec": {"modelRef": {"name": "skin-lesion"}, "clinics": {"minimum": minimum}, **spec},
        "status": {},
    }


def verdict(result: str = "Promote", reason: str = "GatePassed", **changes: Any) -> Object:
    """The gate's answer."""
    return {
        "result": result,
        "reason": reason,
        "message": "",
        "candidate": {"sensitivity": "0.88", "specificity": "0.81", "auroc": "0.86"},
        "incumbent": {"sensitivity": "0.86", "specificity": "0.80", "auroc": "0.85"},
        "threshold": "0.52",
        "release": False,
        "lost": 1,
        "gained": 3,
        "cases": 400,
        "highRiskCases": 80,
        "testSetManifest": TEST_SET_DIGEST,
        **changes,
    }


ROLL_BACK = verdict("RollBack", "HighRiskCasesLost", lost=5, gained=1)


def part_status(state: str, **result: Any) -> Object:
    """What the clinic's agent tells of its part."""
    if state == SUBMITTED:
        trained = {"updateDigest": UPDATE_DIGEST, "updateBytes": 770_100, "steps": 24}
        told = {**trained, "locked": ["Files", "Network"], **result}
        return {"conditions": [condition("Succeeded", "True", "Submitted")], "result": told}
    if state == FAILED:
        return {"conditions": [condition("Succeeded", "False", "NoRecentCases")], "exitCode": 66}
    return {"conditions": [condition("Succeeded", "Unknown", "Working")]}


class RoundBuilder:
    """A round and the world around it, at a time; each method changes one thing and gives the builder back."""

    def __init__(self, clinics: int, minimum: int, spec: Object) -> None:
        self.names = CLINICS[:clinics]
        self.round, self.model = round_object(minimum, **spec), model_object()
        self.clinics = {name: clinic_object(name) for name in self.names}
        self.parts: dict[str, Object] = {}
        self.outdated: set[str] = set()
        self.jobs: list[JobSeen] = []
        self.now = NOON
        self._has_model = True

    def at(self, **passed: float) -> "RoundBuilder":
        """The time that has passed since 12:00."""
        self.now = NOON + timedelta(**passed)
        return self

    def spec(self, **changes: Any) -> "RoundBuilder":
        """Fields of the spec, wire names."""
        self.round["spec"] |= changes
        return self

    def status(self, **changes: Any) -> "RoundBuilder":
        """Fields of the status, wire names."""
        self.round["status"] |= changes
        return self

    def model_status(self, **changes: Any) -> "RoundBuilder":
        """Fields of the model's status, wire names; None takes one away."""
        merged = self.model["status"] | changes
        self.model["status"] = {key: value for key, value in merged.items() if value is not None}
        return self

    def without_model(self) -> "RoundBuilder":
        """The model is not there (any more)."""
        self._has_model = False
        return self

    def claimed(self) -> "RoundBuilder":
        """The round is the one that may run for its model."""
        return self.model_status(activeRound={"name": ROUND_NAME, "uid": ROUND_UID})

    def clinic_is(self, name: str, **changes: Any) -> "RoundBuilder":
        """A clinic that differs from the others: silent, suspended, without a declared volume."""
        self.clinics[name] = clinic_object(name, **changes)
        return self

    def training(self) -> "RoundBuilder":
        """The round has started at 12:00, and each clinic works on its part."""
        self.claimed().status(
            startedAt="2026-11-24T12:00:00Z",
            trainingDeadlineAt="2026-11-24T20:00:00Z",
            base={"version": 3, "digest": BASE_DIGEST, "bytes": 770_000},
            participants=[{"name": name, "caseVolume": 1000, "state": "Invited"} for name in self.names],
            participation=f"0/{len(self.names)}",
            conditions=[condition("Accepted", "True", "Accepted"), condition("Succeeded", "Unknown", "Training")],
        )
        for name in self.names:
            self.clinic(name, WORKING)
        return self

    def clinic(self, name: str, state: str, spec: Object | None = None, **result: Any) -> "RoundBuilder":
        """How far a clinic is."""
        self.parts.pop(name, None)
        if state != NOT_ASKED:
            made = make_clinic_round(clinic=name, spec=spec, status=part_status(state, **result))
            self.parts[name] = copy.deepcopy(made)
        return self

    def aggregating(self) -> "RoundBuilder":
        """All clinics have submitted, and training closed at 12:00."""
        self.training()
        taken = {"state": "Submitted", "updateDigest": UPDATE_DIGEST, "updateBytes": 770_100}
        for name in self.names:
            self.clinic(name, SUBMITTED)
        return self.status(
            participants=[{"name": name, "caseVolume": 1000, **taken} for name in self.names],
            participation=f"{len(self.names)}/{len(self.names)}",
            trainingClosedAt="2026-11-24T12:00:00Z",
            sessionDeadlineAt="2026-11-24T12:15:00Z",
        )

    def validating(self) -> "RoundBuilder":
        """There is a candidate."""
        return self.aggregating().status(
            candidate={"digest": CANDIDATE_DIGEST, "bytes": 770_000}, validationDeadlineAt="2026-11-24T12:30:00Z"
        )

    def judged(self, given: Object | None = None) -> "RoundBuilder":
        """There is a verdict."""
        return self.validating().status(verdict=given or verdict())

    def ended(self, reason: str = "QuorumNotMet") -> "RoundBuilder":
        """The round has failed at 12:00."""
        return self.status(
            completedAt="2026-11-24T12:00:00Z",
            reason=reason,
            phase="Failed",
            conditions=[condition("Succeeded", "False", reason)],
        )

    def job(self, role: Role, attempt: int, state: str | ExitCode | Reason | Object) -> "RoundBuilder":
        """An attempt of a Job that runs, ended well with a report's fields, or ended at 12:00 with a code or reason."""
        self.jobs.append(make_job_seen(role, attempt, state))
        return self

    def seen(self) -> RoundSeen:
        """What one reconcile sees."""
        return RoundSeen(
            round=FederatedRound.model_validate(self.round),
            model=FederatedModel.model_validate(self.model) if self._has_model else None,
            clinics=tuple(Clinic.model_validate(clinic) for clinic in self.clinics.values()),
            parts={name: ClinicRound.model_validate(part) for name, part in self.parts.items()},
            outdated=frozenset(self.outdated),
            jobs=tuple(self.jobs),
            now=self.now,
        )

    def decide(self) -> Decision:
        """The decision of one reconcile."""
        return decide(self.seen(), SETTINGS)

    def then(self) -> "RoundBuilder":
        """The decision's status is written."""
        self.round["status"] = self.decide().status.dump()
        return self


def make_round(clinics: int = 3, minimum: int = 2, **spec: Any) -> RoundBuilder:
    """A round that was just created, with a model that is ready and free and with clinics that are available."""
    return RoundBuilder(clinics, minimum, spec)


def make_job_seen(role: Role, attempt: int, state: str | ExitCode | Reason | Object) -> JobSeen:
    """An attempt of a Job, as `RoundBuilder.job` takes it."""
    name = f"{ROUND_NAME}-{role}-5a6b7c8d-a{attempt}"
    if isinstance(state, dict):
        report = JobReport.model_validate({"role": role, **state})
        code = ExitCode(report.exit_code)
        if code is ExitCode.OK:
            return JobSeen(name, role, attempt, JobState.SUCCEEDED, code, report, None, NOON)
        return JobSeen(name, role, attempt, JobState.FAILED, code, report, code.reason, NOON)
    if isinstance(state, ExitCode):
        return JobSeen(name, role, attempt, JobState.FAILED, state, None, state.reason, NOON)
    if isinstance(state, Reason):
        return JobSeen(name, role, attempt, JobState.FAILED, None, None, state, NOON)
    return JobSeen(name, role, attempt, JobState.RUNNING)


def finished_round_status() -> Object:
    """The status of a round with every field set, as the API server holds it."""
    built = (
        make_round()
        .judged()
        .status(startDeadlineAt="2026-11-24T12:30:00Z", suspendedAt="2026-11-24T12:01:00Z", completedAt=text_of(NOON))
    )
    report = {"jsonSha256": "4e50" * 16, "htmlSha256": "4e51" * 16}
    return {**built.decide().status.dump(), "report": report}


def outcome(decision: Decision, type_: str = "Succeeded") -> tuple[str, str]:
    """Status and reason of a condition of the decision."""
    found = need_condition(decision, type_)
    return found.status, found.reason


def need_condition(decision: Decision, type_: str = "Succeeded") -> Condition:
    """A condition of the decision."""
    found = find_condition(decision.status.conditions, type_)
    assert found is not None, f"no condition {type_}"
    return found


def kinds_of(actions: tuple[Action, ...]) -> list[str]:
    """The kinds of the actions, in order."""
    return [type(action).__name__ for action in actions]
