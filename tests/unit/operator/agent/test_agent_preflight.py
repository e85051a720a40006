"""The Jobs of a preflight are the agent's own but for what they run, and what is seen of them is told in sentences."""

import json
from dataclasses import replace
from typing import Any

import pytest

from fedround_api.checks import CheckResult, PreflightInput, report_text, told
from fedround_operator.agent.manifests import fetch_job
from fedround_operator.agent.manifests import train_job as round_train_job
from fedround_operator.agent.preflight import (
    Installed,
    Trying,
    checks_of,
    gateway_job,
    has_ended,
    hindrance,
    is_training,
    train_job,
)
from unit.operator.agent.test_agent_manifests import SEEN, SETTINGS

INSTALLED = Installed(
    SETTINGS, "fed.example.org:443", "registry/fedround-operator:1", "fedround-membership", False, True
)
TRYING = Trying("a1b2c3", image_size=224, batch_size=16, deadline_seconds=600)
OK = told("lock", CheckResult.OK, "locked in")
BAD = told("data", CheckResult.FAILED, "no table")


def pod_of(made: dict[str, Any]) -> dict[str, Any]:
    copied: dict[str, Any] = json.loads(json.dumps(made["spec"]["template"]["spec"]))
    return copied


def test_the_checks_of_training_meet_what_a_training_meets() -> None:
    checks, training = train_job(INSTALLED, TRYING), round_train_job(SEEN, 1, SETTINGS)
    ours, theirs = pod_of(checks), pod_of(training)

    (container,) = ours["containers"]
    assert container["args"] == ["preflight"]
    given = PreflightInput.model_validate_json(container["env"][0]["value"])
    assert given == PreflightInput(image_size=224, batch_size=16, memory_bytes=3 * 2**30, allow_unlocked=False)
    for pod in (ours, theirs):
        del pod["containers"][0]["args"]
        assert pod["containers"][0]["env"].pop(0)["name"] == "FEDROUND_INPUT"
    assert ours == theirs
    labels = checks["spec"]["template"]["metadata"]["labels"]
    assert labels == {
        "app.kubernetes.io/part-of": "fedround",
        "fedround.dev/role": "train",
        "fedround.dev/attempt": "1",
        "fedround.dev/preflight": "a1b2c3",
    }


def test_the_checks_of_the_gateway_have_the_certificate_and_rights_of_a_fetch_and_no_volume() -> None:
    checks, fetch = gateway_job(INSTALLED, TRYING), fetch_job(SEEN, 1, SETTINGS)
    ours, theirs = pod_of(checks), pod_of(fetch)

    (container,) = ours["containers"]
    assert container["image"] == "registry/fedround-operator:1"
    assert [*container["command"], *container["args"]] == [
        *("python", "-m", "fedround_operator.agent.check"),
        *("--clinic", "north", "--gateway", "fed.example.org:443"),
    ]
    assert checks["spec"]["template"]["metadata"]["labels"]["fedround.dev/role"] == "fetch"
    volumes = {volume["name"]: volume for volume in ours.pop("volumes")}
    expected = {volume["name"]: volume for volume in theirs.pop("volumes")}
    assert set(volumes) == {"scratch", "certificate", "membership"}
    assert volumes["certificate"]["secret"].pop("optional") is True
    assert volumes["certificate"] == expected["certificate"]
    assert volumes["membership"]["secret"]["items"] == [{"key": "token", "path": "token"}]
    for name in ("securityContext", "resources"):
        assert container[name] == theirs["containers"][0][name]
    assert {key: value for key, value in ours.items() if key != "containers"} == {
        key: value for key, value in theirs.items() if key != "containers"
    }


def test_what_the_clinics_policy_allows_is_told_to_the_check() -> None:
    made = train_job(replace(INSTALLED, allow_unlocked=True), TRYING)
    assert json.loads(pod_of(made)["containers"][0]["env"][0]["value"])["allowUnlocked"] is True


def job_with(*conditions: str, **labels: str) -> dict[str, Any]:
    status = {"conditions": [{"type": one, "status": "True"} for one in conditions]}
    return {"metadata": {"name": "a-job", "labels": labels}, "status": status}


def test_only_an_unfinished_training_of_a_round_is_in_the_way() -> None:
    train = {"fedround.dev/role": "train"}
    assert is_training(job_with(**train))
    assert is_training(job_with("Suspended", **train))
    assert not is_training(job_with("Complete", **train))
    assert not is_training(job_with("Failed", **train))
    assert not is_training(job_with(**train, **{"fedround.dev/preflight": "a1b2c3"}))
    assert not is_training(job_with(**{"fedround.dev/role": "fetch"}))


def pod(*conditions: dict[str, str], **state: Any) -> dict[str, Any]:
    containers = [{"name": "job", "state": state}] if state else []
    return {"metadata": {"name": "a-pod"}, "status": {"conditions": list(conditions), "containerStatuses": containers}}


def ended(code: int, message: str = "", reason: str = "Error") -> list[dict[str, Any]]:
    return [pod(terminated={"exitCode": code, "message": message, "reason": reason})]


def test_a_job_has_ended_with_its_container_or_by_its_own_condition() -> None:
    assert not has_ended(job_with(), [])
    assert not has_ended(job_with(), [pod(running={})])
    assert has_ended(job_with(), ended(0))
    assert has_ended(job_with("Failed"), [])


@pytest.mark.parametrize(
    ("pods", "events", "want"),
    [
        ([], [], ("", False)),
        ([pod(running={})], [], ("", False)),
        ([pod(waiting={"reason": "ContainerCreating"})], [], ("", False)),
        (
            [pod(waiting={"reason": "ImagePullBackOff", "message": "no such image"})],
            [],
            ("ImagePullBackOff: no such image", True),
        ),
        (
            [
                pod(
                    {
                        "type": "PodScheduled",
                        "status": "False",
                        "reason": "Unschedulable",
                        "message": "Insufficient memory",
                    }
                )
            ],
            [],
            ("Unschedulable: Insufficient memory", False),
        ),
        (
            [],
            [{"reason": "SuccessfulCreate", "message": "x"}, {"reason": "FailedCreate", "message": "exceeded quota"}],
            ("exceeded quota", False),
        ),
        (
            [pod(waiting={"reason": "ContainerCreating"})],
            [{"reason": "FailedMount", "message": "first"}, {"reason": "FailedMount", "message": "not attached"}],
            ("not attached", False),
        ),
    ],
)
def test_what_keeps_a_job_from_running_is_told(
    pods: list[dict[str, Any]], events: list[dict[str, Any]], want: tuple[str, bool]
) -> None:
    assert hindrance(pods, events) == want


def test_a_job_tells_its_checks() -> None:
    assert checks_of("train", ended(0, report_text([OK]))) == [OK]
    assert checks_of("train", ended(1, report_text([OK, BAD]))) == [OK, BAD]


def test_a_job_that_was_killed_for_memory_tells_what_it_had_found_and_what_to_ask_for() -> None:
    found = checks_of("train", ended(137, report_text([OK]), "OOMKilled"))

    assert found[0] == OK
    assert (found[1].name, found[1].result) == ("memory", CheckResult.FAILED)
    assert found[1].message.startswith("killed, as it needed more than the 3Gi of memory that its Job may take: ask")


@pytest.mark.parametrize(
    ("pods", "want"),
    [
        (ended(137, report_text([OK])), "the Job ended with exit code 137 before its checks were through: its log"),
        (
            ended(143, report_text([OK, BAD])),
            "the Job ended with exit code 143 before its checks were through: its log",
        ),
        (ended(1, report_text([OK])), "the Job ended with exit code 1 before its checks were through: its log"),
        (ended(0, ""), "the Job ended with exit code 0 before its checks were through: its log says why; call again"),
        ([], "the Job ended with exit code 137 before its checks were through"),
        (
            ended(64, '{"role": "train", "exitCode": 64, "message": "FEDROUND_IMAGES names no folder"}'),
            "the Job ended with exit code 64 before its checks were through: FEDROUND_IMAGES names no folder",
        ),
    ],
)
def test_a_job_that_was_not_through_is_never_taken_for_a_good_one(pods: list[dict[str, Any]], want: str) -> None:
    last = checks_of("train", pods)[-1]

    assert (last.name, last.result) == ("train", CheckResult.FAILED)
    assert last.message.startswith(want)
