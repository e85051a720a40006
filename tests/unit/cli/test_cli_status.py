"""The status as people see it: at 80 and 120 columns, in a log file, and with advice where something is down."""

import copy
import io
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from fedround_cli.statuspage import ago, status_page

NOW = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)
DIGEST = "636b4f41426b" + "0" * 52
RUNNING: Mapping[str, Any] = {
    "state": "/srv/fed",
    "running": True,
    "processes": {
        "kube-controller-manager": {
            "running": True,
            "pid": 3422,
            "memoryBytes": 110_100_480,
            "cpuSeconds": 1.4,
            "since": "2026-11-27T11:57:00+00:00",
        },
        "gateway": {
            "running": True,
            "pid": 4194304,
            "memoryBytes": 61_865_984,
            "cpuSeconds": 0.2,
            "since": "2026-11-27T11:59:30+00:00",
        },
    },
    "addresses": {"gateway": "https://127.0.0.1:55581"},
    "sizes": {
        "total": 3 * 2**30,
        "controlPlane": 129_000_000,
        "objectStore": 2**20,
        "clinicVolumes": 548 * 2**10,
        "hubVolumes": 0,
        "pods": 0,
        "logs": 4096,
        "other": 0,
    },
    "kubeconfigs": {"admin": "/srv/fed/kubeconfigs/network-admin.conf"},
    "model": "skin-lesion",
    "modelStatus": {
        "ready": True,
        "reason": "Initialized",
        "current": {"version": 2, "digest": DIGEST, "round": "w48"},
        "released": {"version": 1, "digest": DIGEST, "threshold": "0.40812"},
    },
    "clinicStatus": {
        "north": {"available": True, "reason": "LeaseRenewed", "caseVolume": 412, "lastSeen": "2026-11-27T11:59:50Z"},
        "south": {"available": False, "reason": "LeaseExpired", "caseVolume": None, "lastSeen": None},
    },
    "rounds": [
        {
            "name": "skin-2026-w48",
            "phase": "Promoted",
            "clinics": "2/2",
            "verdict": "Promote",
            "reason": "GatePassed",
            "startedAt": None,
            "completedAt": "2026-11-27T10:00:00Z",
        }
    ],
    "advice": [],
}


def shown(found: Mapping[str, Any], width: int = 80) -> str:
    """As in a log file: no terminal, no colours."""
    written = io.StringIO()
    console = Console(file=written, width=width)
    for section in status_page(found, width, NOW):
        console.print(section, highlight=False)
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines())


def test_a_running_federation_at_80_columns() -> None:
    assert shown(RUNNING) == (
        "federation in /srv/fed: running\n"
        "PROCESS                  PID      MEMORY   CPU  SINCE    ADDRESS\n"
        "kube-controller-manager  3422     105 MiB  1 s  3m ago\n"
        "gateway                  4194304  59 MiB   0 s  30s ago  127.0.0.1:55581\n"
        "on disk     3.0 GiB (control plane 123 MiB, object store 1 MiB, clinics' volumes\n"
        "            548 KiB, logs 4 KiB)\n"
        "kubeconfig  /srv/fed/kubeconfigs/network-admin.conf\n"
        "model       skin-lesion: current version 2 (636b4f41426b); released for use:\n"
        "            version 1, threshold 0.408\n"
        "CLINIC  AVAILABLE  CASES  SEEN     REASON\n"
        "north   yes        412    10s ago  LeaseRenewed\n"
        "south   no                -        LeaseExpired\n"
        "ROUND          PHASE     CLINICS  VERDICT  REASON      ENDED\n"
        "skin-2026-w48  Promoted  2/2      Promote  GatePassed  2h ago"
    )


def test_a_model_that_cannot_be_read_is_no_sign_of_a_hub_that_is_away() -> None:
    assert "model       skin-lesion: unknown while its object cannot be read\n" in shown(
        {**RUNNING, "modelStatus": None}
    )


def test_a_threshold_is_cut_off_as_in_the_verdicts_sentence() -> None:
    found = copy.deepcopy(dict(RUNNING))
    found["modelStatus"]["released"]["threshold"] = "0.699999"

    assert "threshold 0.699\n" in shown(found)


def test_at_120_columns_addresses_are_urls() -> None:
    assert "gateway                  4194304  59 MiB   0 s  30s ago  https://127.0.0.1:55581" in shown(RUNNING, 120)


def test_what_is_down_is_named_and_what_to_do_comes_last() -> None:
    found = copy.deepcopy(dict(RUNNING))
    found["processes"]["gateway"] |= {"running": False, "pid": None, "memoryBytes": None, "cpuSeconds": None}
    found |= {"running": False, "modelStatus": None, "clinicStatus": None, "rounds": None, "advice": ["Start it."]}

    lines = shown(found).splitlines()

    assert lines[0] == "federation in /srv/fed: not running"
    assert "gateway                  down" in lines[3]
    assert lines[-2:] == ["model       skin-lesion: unknown while the hub does not answer", "to do  Start it."]


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal_however_long_the_names(width: int) -> None:
    found = copy.deepcopy(dict(RUNNING))
    long = "clinic-with-a-name-of-thirty-c"
    found["processes"][f"agent-{long}"] = found["processes"]["gateway"]
    found["addresses"][f"agent-{long}"] = "http://127.0.0.1:55581/metrics"
    found["clinicStatus"][long] = {**found["clinicStatus"]["south"], "reason": "PolicyForbidsUnprotected"}
    found["rounds"][0] |= {"name": "r" * 40, "reason": "SpecificityBelowFloor", "phase": "RolledBack"}

    page = shown(found, width)

    assert max(map(len, page.splitlines())) <= width
    assert "…" not in page


def test_a_path_in_brackets_is_shown_as_it_is() -> None:
    assert "federation in /srv/[bold]fed: running" in shown({**RUNNING, "state": "/srv/[bold]fed"})


@pytest.mark.parametrize(
    ("instant", "want"),
    [
        (None, "-"),
        ("2026-11-27T12:00:05Z", "0s ago"),
        ("2026-11-27T10:00:00Z", "2h ago"),
    ],
)
def test_how_long_ago_something_was(instant: str | None, want: str) -> None:
    assert ago(instant, NOW) == want
