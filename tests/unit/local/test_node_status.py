"""The pod status that the process node reports, spelled out as the kubelet would write it."""

from datetime import UTC, datetime

import pytest

from fedround_local.node.pod import Unmet
from fedround_local.node.status import Outcome, ended, gist, running, termination_message, unschedulable, waiting
from support.pods import make_pod

_NOW = datetime(2026, 11, 24, 8, 30, 0, tzinfo=UTC)
_STARTED = datetime(2026, 11, 24, 8, 20, 0, tzinfo=UTC)


def test_a_running_pod_is_ready() -> None:
    assert running(make_pod(), _STARTED, 42, _NOW) == {
        "phase": "Running",
        "hostIP": "127.0.0.1",
        "hostIPs": [{"ip": "127.0.0.1"}],
        "podIP": "127.0.0.1",
        "podIPs": [{"ip": "127.0.0.1"}],
        "startTime": "2026-11-24T08:30:00Z",
        "containerStatuses": [
            {
                "name": "main",
                "image": "shell",
                "imageID": "shell",
                "restartCount": 0,
                "ready": True,
                "started": True,
                "containerID": "process://42",
                "state": {"running": {"startedAt": "2026-11-24T08:20:00Z"}},
            }
        ],
        "conditions": [
            _condition("PodReadyToStartContainers", "True"),
            _condition("Initialized", "True"),
            _condition("Ready", "True"),
            _condition("ContainersReady", "True"),
        ],
    }


def test_an_exit_code_makes_a_failed_pod_with_its_last_words() -> None:
    status = ended(make_pod(), Outcome(42, "Error", _STARTED, _NOW), '{"code": 42}', _NOW)
    assert status["phase"] == "Failed"
    assert status["containerStatuses"][0]["state"] == {
        "terminated": {
            "exitCode": 42,
            "reason": "Error",
            "message": '{"code": 42}',
            "startedAt": "2026-11-24T08:20:00Z",
            "finishedAt": "2026-11-24T08:30:00Z",
        }
    }
    assert status["conditions"][2] == _condition("Ready", "False", reason="PodFailed")


def test_exit_code_0_makes_a_succeeded_pod() -> None:
    status = ended(make_pod(), Outcome(0, "Completed", _STARTED, _NOW), "", _NOW)
    assert status["phase"] == "Succeeded"
    assert status["conditions"][2] == _condition("Ready", "False", reason="PodCompleted")
    assert "message" not in status["containerStatuses"][0]["state"]["terminated"]


def test_a_container_that_waits_says_for_what() -> None:
    status = waiting(make_pod(), Unmet("CreateContainerConfigError", 'secret "keys" not found'), _NOW)
    assert status["phase"] == "Pending"
    assert status["containerStatuses"][0]["state"] == {
        "waiting": {"reason": "CreateContainerConfigError", "message": 'secret "keys" not found'}
    }
    assert gist(status) == ("Pending", "CreateContainerConfigError", 'secret "keys" not found')


def test_a_condition_keeps_its_time_while_its_status_stays() -> None:
    before = [{"type": "Ready", "status": "False", "lastTransitionTime": "2026-11-24T07:00:00Z"}]
    pod = make_pod(status={"conditions": before})
    status = ended(pod, Outcome(1, "Error", _STARTED, _NOW), "", _NOW)
    assert status["conditions"][2]["lastTransitionTime"] == "2026-11-24T07:00:00Z"
    assert running(pod, _STARTED, 1, _NOW)["conditions"][2]["lastTransitionTime"] == "2026-11-24T08:30:00Z"


def test_a_pod_without_room_is_unschedulable() -> None:
    condition = _condition("PodScheduled", "False", reason="Unschedulable", message="no room")
    assert unschedulable(make_pod(), "no room", _NOW) == {"conditions": [condition]}


@pytest.mark.parametrize(
    ("written", "log", "policy", "code", "message"),
    [
        (b"word", b"log", "File", 1, "word"),
        (b"word", b"log", "FallbackToLogsOnError", 1, "word"),
        (b"", b"log\n", "FallbackToLogsOnError", 1, "log"),
        (b"", b"log", "FallbackToLogsOnError", 0, ""),
        (b"", b"log", "File", 1, ""),
        (b"x" * 5000, b"", "File", 0, "x" * 4096),
        (b"", b"y" * 5000, "FallbackToLogsOnError", 1, "y" * 2048),
        ("é".encode() * 2049, b"", "File", 0, "é" * 2048),
        (b"a" + "é".encode() * 2048, b"", "File", 0, "a" + "é" * 2047),
    ],
)
def test_the_last_words_are_the_file_or_the_end_of_a_failed_ones_log(
    written: bytes, log: bytes, policy: str, code: int, message: str
) -> None:
    assert termination_message(written, log, policy, code) == message


def _condition(kind: str, status: str, reason: str | None = None, message: str | None = None) -> dict[str, str | None]:
    return {
        "type": kind,
        "status": status,
        "lastTransitionTime": "2026-11-24T08:30:00Z",
        "reason": reason,
        "message": message,
    }
