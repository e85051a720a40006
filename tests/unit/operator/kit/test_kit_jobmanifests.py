"""What all Jobs have in common, as a golden file, and the rules that a cluster holds against them."""

from dataclasses import replace
from pathlib import Path

import pytest

from fedround_api.jobs import Role
from fedround_operator.kit.jobmanifests import NEEDS, JobRequest, Mount, RunAs, job
from support.golden import assert_golden

REQUEST = JobRequest(
    name="skin-2026-w48-train-5a6b7c8d-a2",
    namespace="north",
    role=Role.TRAIN,
    attempt=2,
    image="registry/fedround-training@sha256:0123",
    input_json='{"folder": "rounds/x"}',
    deadline_seconds=600,
    labels={"fedround.dev/round": "skin-2026-w48"},
    mounts=(
        Mount("images", "/images", {"persistentVolumeClaim": {"claimName": "images"}}, "FEDROUND_IMAGES"),
        Mount("workspace", "/workspace", {"emptyDir": {}}, "FEDROUND_WORKSPACE", read_only=False),
    ),
    owner={"kind": "ClinicRound", "uid": "x"},
)


def test_a_job_is_the_one_of_its_golden_file() -> None:
    assert_golden(Path(__file__).parent / "golden" / "job.json", job(REQUEST))


@pytest.mark.parametrize("role", Role)
def test_every_role_has_a_request_and_a_limit(role: Role) -> None:
    made = job(replace(REQUEST, role=role))
    resources = made["spec"]["template"]["spec"]["containers"][0]["resources"]

    assert resources["requests"]["memory"] == resources["limits"]["memory"] == NEEDS[role].memory
    assert resources["requests"]["cpu"] == NEEDS[role].cpu
    assert "cpu" not in resources["limits"]


@pytest.mark.parametrize("role", Role)
def test_every_job_meets_the_restricted_pod_security_standard(role: Role) -> None:
    spec = job(replace(REQUEST, role=role))["spec"]["template"]["spec"]
    (container,) = spec["containers"]

    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert spec["automountServiceAccountToken"] is False


def test_whom_a_job_runs_as_is_given_by_value_and_what_is_empty_the_cluster_chooses() -> None:
    def found(text: str) -> dict[str, int]:
        security = job(replace(REQUEST, run_as=RunAs.read(text)))["spec"]["template"]["spec"]["securityContext"]
        return {name: one for name, one in security.items() if name not in ("runAsNonRoot", "seccompProfile")}

    assert found("1000650000:2000:2001") == {"runAsUser": 1_000_650_000, "runAsGroup": 2000, "fsGroup": 2001}
    assert found(":2000:") == {"runAsGroup": 2000}
    assert found("::") == {}
    assert RunAs.read(":2000:").text == ":2000:"


def test_a_deadline_that_has_passed_is_the_shortest_that_the_server_takes() -> None:
    assert job(replace(REQUEST, deadline_seconds=-5))["spec"]["activeDeadlineSeconds"] == 1


def test_a_job_without_an_owner_names_none() -> None:
    assert "ownerReferences" not in job(replace(REQUEST, owner=None))["metadata"]


def test_a_label_of_the_request_never_hides_the_role() -> None:
    made = job(replace(REQUEST, labels={"fedround.dev/more": "x"}))

    assert made["metadata"]["labels"]["fedround.dev/role"] == "train"
    assert made["metadata"]["labels"] == made["spec"]["template"]["metadata"]["labels"]
