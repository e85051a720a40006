"""Builders of objects for tests: each gives a complete, valid object, and the test names only what it is about."""

from typing import Any

from fedround_api.names import ATTEMPT_LABEL, CLINIC_ROUND_UID_LABEL, PART_OF, PART_OF_VALUE, ROLE_LABEL
from fedround_operator.kit.resources import Object

BASE_DIGEST = "ba5e" * 16
UPDATE_DIGEST = "0dd5" * 16
CHECKPOINT_URL = "https://gateway:8443/fed/published/skin-lesion/base?X-Amz-Signature=one"
UPDATE_URL = "https://gateway:8443/fed/clinics/north/update?X-Amz-Signature=one"


def make_clinic_round(
    name: str = "skin-2026-w48-5a6b7c8d",
    *,
    clinic: str = "north",
    uid: str = "c1d2e3f4-0000-4000-8000-000000000001",
    generation: int = 1,
    spec: dict[str, Any] | None = None,
    status: dict[str, Any] | None = None,
) -> Object:
    """A ClinicRound as the hub writes it; ``spec`` and ``status`` override single fields, wire names."""
    made: Object = {
        "apiVersion": "fedround.dev/v1alpha1",
        "kind": "ClinicRound",
        "metadata": {"name": name, "namespace": f"clinic-{clinic}", "uid": uid, "generation": generation},
        "spec": {
            "round": {
                "name": "skin-2026-w48",
                "namespace": "skin-network",
                "uid": "5a6b7c8d-0000-4000-8000-000000000000",
            },
            "clinic": clinic,
            "model": {
                "name": "skin-lesion",
                "architecture": "tiny-gn",
                "classes": ["benign", "malignant"],
                "highRiskClasses": ["malignant"],
                "imageSize": 64,
            },
            "base": {"version": 3, "digest": BASE_DIGEST, "bytes": 770_000},
            "training": {"epochs": 2, "batchSize": 32, "learningRate": "0.05", "seed": 7},
            "casesUntil": "2026-11-24T12:00:00Z",
            "deadlineAt": "2026-11-24T20:00:00Z",
            "urls": {
                "checkpoint": CHECKPOINT_URL,
                "update": UPDATE_URL,
                "signedAt": "2026-11-24T12:00:00Z",
                "expiresAt": "2026-11-24T13:00:00Z",
            },
            **(spec or {}),
        },
    }
    if status is not None:
        made["status"] = status
    return made


def condition(type_: str, status: str = "True", reason: str = "Completed", message: str = "") -> Object:
    """A condition."""
    return {
        "type": type_,
        "status": status,
        "reason": reason,
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": "2026-11-24T12:00:00Z",
    }


def make_lease(clinic: str = "north") -> Object:
    """The Lease that the hub makes for a clinic's agent."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "agent", "namespace": f"clinic-{clinic}"},
        "spec": {"leaseDurationSeconds": 40},
    }


def make_policy(
    *,
    case_volume: int = 1200,
    allow_none: bool = True,
    report_case_counts: bool = False,
    allow_unlocked: bool = False,
) -> dict[str, Any]:
    """The data of a policy file."""
    return {
        "apiVersion": "fedround.dev/v1alpha1",
        "kind": "ClinicPolicy",
        "spec": {
            "caseVolume": case_volume,
            "privacy": {"allowNone": allow_none, "reportCaseCounts": report_case_counts},
            "training": {"allowUnlocked": allow_unlocked},
        },
    }


def make_job(
    role: str,
    attempt: int = 1,
    *,
    uid: str = "c1d2e3f4-0000-4000-8000-000000000001",
    round_name: str = "skin-2026-w48",
    conditions: tuple[Object, ...] = (),
) -> Object:
    """A clinic's Job as the API server lists it, without what the manifest asks for."""
    labels = {
        PART_OF: PART_OF_VALUE,
        ROLE_LABEL: role,
        ATTEMPT_LABEL: str(attempt),
        CLINIC_ROUND_UID_LABEL: uid,
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": f"{round_name}-{role}-{uid[:8]}-a{attempt}",
            "namespace": "north",
            "uid": f"{role[:4]}{attempt:04d}-{uid[9:]}",
            "creationTimestamp": "2026-11-24T12:00:01Z",
            "labels": labels,
        },
        "status": {"conditions": list(conditions)},
    }


def make_job_condition(type_: str, reason: str = "", at: str = "2026-11-24T12:30:00Z") -> Object:
    """A condition of a Job: Complete or Failed."""
    return {"type": type_, "status": "True", "reason": reason, "lastTransitionTime": at}


def make_pod(
    job: Object, *, exit_code: int | None = None, message: str = "", at: str = "2026-11-24T12:30:00Z"
) -> Object:
    """The pod of a Job: running, or ended with an exit code and a termination message."""
    metadata = job["metadata"]
    state: Object = {"running": {"startedAt": "2026-11-24T12:00:02Z"}}
    if exit_code is not None:
        state = {"terminated": {"exitCode": exit_code, "message": message, "finishedAt": at}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{metadata['name']}-x2x4z",
            "namespace": metadata["namespace"],
            "labels": {**metadata["labels"], "batch.kubernetes.io/job-name": metadata["name"]},
            "ownerReferences": [
                {"apiVersion": "batch/v1", "kind": "Job", "name": metadata["name"], "uid": metadata["uid"]}
            ],
        },
        "status": {
            "phase": "Running" if exit_code is None else ("Failed" if exit_code else "Succeeded"),
            "containerStatuses": [{"name": "job", "state": state}],
        },
    }
