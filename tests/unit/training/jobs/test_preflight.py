"""The checks of `train` as a container runs them, on kernels that can lock in and on those that cannot."""

import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fedround_api.checks import CheckReport, PreflightInput, read_checks
from support.job_inputs import lesions
from support.kernels import needs_landlock, without_landlock

GIB = 2**30
SECRET = "Jane Doe"


class Clinic:
    """A clinic's volumes, and what the checks say of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.images, self.workspace = folder, folder / "images", folder / "workspace"
        lesions(self.images, 6)
        self.workspace.mkdir()
        self.code, self.log = -1, ""

    def check(
        self, *, memory_bytes: int = 3 * GIB, allow_unlocked: bool = False, before: Callable[[], None] | None = None
    ) -> dict[str, CheckReport]:
        given = PreflightInput(image_size=32, batch_size=4, memory_bytes=memory_bytes, allow_unlocked=allow_unlocked)
        environ = {
            **os.environ,
            "FEDROUND_INPUT": given.text(),
            "FEDROUND_REPORT": str(self.folder / "log"),
            "FEDROUND_WORKSPACE": str(self.workspace),
            "FEDROUND_IMAGES": str(self.images),
        }
        command = [sys.executable, "-m", "fedround_training", "preflight"]
        done = subprocess.run(
            command, env=environ, capture_output=True, text=True, check=False, timeout=100, preexec_fn=before
        )
        self.code, self.log = done.returncode, done.stderr
        return {one.name: one for one in read_checks((self.folder / "log").read_text())}


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path)


@needs_landlock
def test_a_clinic_that_can_train_passes_and_nothing_is_left_behind(clinic: Clinic) -> None:
    found = clinic.check()

    assert clinic.code == 0, clinic.log
    assert {name: one.result.value for name, one in found.items()} == {
        "lock": "ok", "workspace": "ok", "data": "ok", "room": "ok", "cpu": "ok", "memory": "ok",
    }  # fmt: skip
    assert found["data"].message == "6 of 6 cases can be used; 2 classes; together 6 by patient; without dates"
    assert found["lock"].message.startswith("training has no network and no file but its own (Landlock version ")
    assert [one.name for one in clinic.workspace.iterdir()] == [".scratch"]


@needs_landlock
def test_what_names_a_patient_or_a_file_stays_in_the_log(clinic: Clinic) -> None:
    table = clinic.images / "metadata.csv"
    table.write_text(table.read_text().replace("PL001", SECRET).replace("L002,mel", f"L002,{SECRET}"))
    (clinic.images / "L003.png").write_bytes(b"")
    (clinic.images / "L005.png").unlink()

    found = clinic.check()

    assert clinic.code == 0
    assert found["data"].result.value == "note"
    assert found["data"].message == (
        "3 of 4 cases can be used; 2 classes; together 3 by patient; without dates; rows left out: no image file (1), "
        "a diagnosis that is none of the known classes (1); set aside, empty (1): copy it again from where it came from"
    )
    assert "image 'L003' cannot be used: empty" in clinic.log
    assert "L00" not in (clinic.folder / "log").read_text()
    assert SECRET not in (clinic.folder / "log").read_text()


@needs_landlock
def test_a_table_that_cannot_be_understood_fails_and_the_rest_is_still_tried(clinic: Clinic) -> None:
    table = clinic.images / "metadata.csv"
    table.write_text(table.read_text().replace("dx", SECRET, 1))

    found = clinic.check()

    assert clinic.code == 1
    assert found["data"].message == (
        "the table has no column for the diagnosis: rename the column of the diagnosis to dx; the Job's log has the "
        "details"
    )
    assert [found[name].result.value for name in ("lock", "workspace", "room", "cpu", "memory")] == ["ok"] * 5


def test_without_landlock_no_image_is_opened_unless_the_policy_allows_that(clinic: Clinic) -> None:
    found = clinic.check(before=without_landlock)

    assert clinic.code == 1
    assert found["lock"].message.startswith(
        "no Landlock (Function not implemented); a trainer here could open files outside its volumes and its program: "
        "train on nodes with Linux 5.13 or newer"
    )
    assert (found["data"].result.value, found["data"].message) == ("skipped", "not tried, for want of: lock")
    assert "metadata.csv" not in clinic.log

    allowed = clinic.check(before=without_landlock, allow_unlocked=True)

    assert clinic.code == 0, clinic.log
    assert allowed["lock"].result.value == "note"
    assert allowed["lock"].message.endswith("The clinic's policy allows that, and each round says so")
    assert allowed["data"].result.value == "ok"


@needs_landlock
def test_a_training_that_fails_by_a_defect_hides_nothing_of_what_was_found_before_it(clinic: Clinic) -> None:
    """As on a node that has less memory to give than the Job's limit: torch is not even loaded."""

    def little_memory() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (400 * 2**20, 400 * 2**20))

    found = clinic.check(before=little_memory)

    assert clinic.code == 1
    assert {name: one.result.value for name, one in found.items()} == {
        "lock": "ok", "workspace": "ok", "data": "ok", "room": "ok", "cpu": "failed", "memory": "skipped",
    }  # fmt: skip
    assert re.fullmatch(r"not made, by a defect \(\w+\): report it with the log", found["cpu"].message)
    assert "Traceback (most recent call last)" in clinic.log


@needs_landlock
def test_too_little_memory_for_a_training_is_told(clinic: Clinic) -> None:
    found = clinic.check(memory_bytes=100 * 2**20)

    assert clinic.code == 1
    assert found["memory"].result.value == "failed"
    assert "of the 0.1 GiB of its Job: ask the network for smaller batches or images" in found["memory"].message


@needs_landlock
def test_a_workspace_that_takes_no_file_is_told_and_nothing_is_trained(clinic: Clinic) -> None:
    clinic.workspace = Path("/proc")

    found = clinic.check()

    assert clinic.code == 1
    assert found["workspace"].message.startswith("the workspace volume cannot be written (")
    assert [found[name].result.value for name in ("data", "room", "cpu", "memory")] == ["ok", *["skipped"] * 3]


def test_an_input_that_cannot_be_read_is_a_defect_and_no_report_of_checks(clinic: Clinic) -> None:
    clinic.images = clinic.folder / "nowhere"

    assert clinic.check() == {}
    assert clinic.code == 64
    assert "FEDROUND_IMAGES names no folder" in (clinic.folder / "log").read_text()
