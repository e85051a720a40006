"""`fedround demo` as its user runs it, on real images where the folder with them lies beside the checkout."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

CHECKOUT = Path(__file__).parents[3]
IMAGES = CHECKOUT.parent / "shared" / "data" / "uda1"
COMMAND = Path(sys.executable).with_name("fedround")

pytestmark = [
    pytest.mark.timeout(1200),
    pytest.mark.skipif(not IMAGES.is_dir(), reason=f"there is no {IMAGES}, the images that this runs on"),
]


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state"
    if (tmp_path / "state").exists():
        subprocess.run((COMMAND, "local", "down", "--state", tmp_path / "state"), check=False, timeout=120)


def test_the_demo_on_real_images_runs_its_rounds_and_ends_with_one_json_object(state: Path) -> None:
    options = ("--split-by", "camera", "--clinics", "3", "--rounds", "2", "--state", str(state), "--json")
    done = subprocess.run(
        (COMMAND, "demo", "--data", IMAGES, *options), capture_output=True, text=True, timeout=1100, check=False
    )
    print(done.stderr)
    assert done.returncode == 0, done.stderr[-3000:]

    told = json.loads(done.stdout.splitlines()[-1])
    assert sorted(told) == ["current", "released", "rounds"]
    first, second = told["rounds"]
    for number, round_ in enumerate((first, second), start=1):
        assert sorted(round_) == ["checkpoint", "clinics", "name", "reason", "result", "seconds", "verdict"]
        assert round_["name"] == f"demo-{number}"
        assert round_["result"] in ("Promoted", "RolledBack")
        assert len(round_["clinics"]) == 3
        assert len(round_["checkpoint"]) == 64
        assert round_["seconds"] > 0
    promoted = [round_["checkpoint"] for round_ in (first, second) if round_["result"] == "Promoted"]
    assert told["current"]["version"] == len(promoted)
    assert not promoted or told["current"]["digest"] == promoted[-1]
    assert not left_running(state)


def left_running(state: Path) -> list[str]:
    """Processes whose command line names the state folder."""
    lines = (" ".join(one.info["cmdline"] or []) for one in psutil.process_iter(["cmdline"]))
    return [line for line in lines if str(state) in line]
