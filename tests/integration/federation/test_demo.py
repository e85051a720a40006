"""`fedround demo` on its own images: it trains, releases, makes its mistake, and the gate rolls back."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from fedround_local.federation.layout import Layout

COMMAND = (sys.executable, "-m", "fedround_cli.main")

pytestmark = pytest.mark.timeout(1200)


@dataclass(frozen=True)
class Shown:
    """What a demo that has ended leaves: its last line as JSON, what it said, and its folder."""

    told: dict[str, Any]
    said: str
    state: Path


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    state = tmp_path_factory.mktemp("demo") / "state"
    try:
        done = subprocess.run(
            (*COMMAND, "demo", "--state", state, "--json"), capture_output=True, text=True, check=False, timeout=900
        )
        print(done.stderr)
        assert done.returncode == 0, done.stderr[-3000:]
        yield Shown(json.loads(done.stdout), done.stderr, state)
    finally:
        if state.exists():
            subprocess.run((*COMMAND, "local", "down", "--state", state), check=False, timeout=120)


def test_two_rounds_are_promoted_and_the_one_with_the_mistake_is_rolled_back(shown: Shown) -> None:
    rounds = shown.told["rounds"]

    assert [one["verdict"]["result"] for one in rounds] == ["Promote", "Promote", "RollBack"]
    assert rounds[2]["reason"] == "HighRiskCasesLost"
    assert rounds[2]["verdict"]["lost"] > rounds[2]["verdict"]["gained"]


def test_a_version_is_released_by_round_2_and_pointer_and_threshold_stay_as_they_were(shown: Shown) -> None:
    rounds, current, released = (shown.told[name] for name in ("rounds", "current", "released"))

    assert (current["version"], current["digest"]) == (2, rounds[1]["checkpoint"])
    assert released["digest"] in (rounds[0]["checkpoint"], rounds[1]["checkpoint"])
    assert rounds[2]["verdict"]["threshold"] == released["threshold"]


def test_the_mistake_is_told_and_taken_back(shown: Shown) -> None:
    words = " ".join(shown.said.split())

    assert "Now something goes wrong, on purpose: in urban an export has swapped the labels" in words
    assert "The labels and the policy of urban are as they were before the mistake." in words
    policy = yaml.safe_load(Layout(shown.state).policy("urban").read_text())
    assert policy["spec"]["caseVolume"] < 1000


def test_nothing_is_left_running(shown: Shown) -> None:
    lines = (" ".join(one.info["cmdline"] or []) for one in psutil.process_iter(["cmdline"]))

    assert [line for line in lines if str(shown.state) in line] == []


def test_what_it_says_fits_into_eighty_columns_of_a_log_without_colours(shown: Shown) -> None:
    assert "\x1b" not in shown.said
    table = [line for line in shown.said.splitlines() if line.startswith(("│", "┌", "└", "      "))]
    assert max(map(len, table)) <= 80
