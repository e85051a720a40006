"""Reports and exit codes, and that containers start with what their role needs and no more."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from fedround_api.exitcodes import ExitCode
from fedround_api.jobs import JobReport, Role, TrainInput, read_report
from fedround_training.__main__ import main
from fedround_training.errors import InputWrong, WrongShape
from fedround_training.jobs.environment import read_input, volume
from fedround_training.jobs.running import plain, report_defect, run
from fedround_training.jobs.train import start as start_training
from fedround_training.launcher import NotSingleThreaded, prepare, require_single_thread
from support.train_jobs import python, train_environment


def report_at(path: Path) -> JobReport:
    report = read_report(path.read_text())
    assert report is not None
    return report


@pytest.fixture(autouse=True)
def _what_sigterm_did_before() -> Iterator[None]:
    """A Job takes SIGTERM for itself; the process of the tests needs it afterwards."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_job_that_ends_well_reports_and_exits_with_zero(tmp_path: Path) -> None:
    want = JobReport(role=Role.FETCH, digest="0" * 64, bytes=7)

    assert run(Role.FETCH, lambda environ: want, {"FEDROUND_REPORT": str(tmp_path / "log")}) == 0
    assert report_at(tmp_path / "log") == want


def test_an_error_of_ours_reports_its_code_message_and_clinic(tmp_path: Path) -> None:
    def start(environ: Mapping[str, str]) -> JobReport:
        raise WrongShape("tensor 'bias' is missing").of_clinic("south")

    assert run(Role.AGGREGATE, start, {"FEDROUND_REPORT": str(tmp_path / "log")}) == ExitCode.WRONG_SHAPE
    assert report_at(tmp_path / "log") == JobReport(
        role=Role.AGGREGATE,
        exit_code=ExitCode.WRONG_SHAPE,
        message="the update of clinic south: tensor 'bias' is missing",
        clinic="south",
    )


def test_a_defect_reports_its_class_and_none_of_its_text(tmp_path: Path) -> None:
    error = KeyError("patient Jane Doe")

    assert report_defect(Role.TRAIN, error, {"FEDROUND_REPORT": str(tmp_path / "log")}) == ExitCode.INTERNAL
    assert report_at(tmp_path / "log").message == "a defect (KeyError); the Job's log has the traceback"


def test_sigterm_ends_a_job_with_143_and_a_report(tmp_path: Path) -> None:
    def start(environ: Mapping[str, str]) -> JobReport:
        signal.raise_signal(signal.SIGTERM)
        raise AssertionError("the signal did not arrive")

    assert run(Role.TRAIN, start, {"FEDROUND_REPORT": str(tmp_path / "log")}) == 143
    assert report_at(tmp_path / "log").exit_code is ExitCode.TERMINATED


@pytest.mark.parametrize("text", ["é" * 5000, "\x00\x1b[31m\n" * 1000, '"\\' * 3000])
def test_any_message_fits_into_a_report(tmp_path: Path, text: str) -> None:
    def start(environ: Mapping[str, str]) -> JobReport:
        raise WrongShape(text)

    run(Role.AGGREGATE, start, {"FEDROUND_REPORT": str(tmp_path / "log")})

    assert report_at(tmp_path / "log").exit_code is ExitCode.WRONG_SHAPE
    assert len(plain(text)) <= 1024
    assert plain(text).isascii()


def test_a_wrong_input_names_the_field_and_not_its_value() -> None:
    content = json.dumps({"folder": "rounds/r1", "clinic": "north", "secret-field": "secret-value"})

    with pytest.raises(InputWrong, match="model: missing") as caught:
        read_input({"FEDROUND_INPUT": content}, TrainInput)
    assert "secret-value" not in str(caught.value)


@pytest.mark.parametrize("environ", [{}, {"FEDROUND_IMAGES": ""}, {"FEDROUND_IMAGES": "/no/such/folder"}])
def test_a_volume_that_is_not_there_is_refused(environ: dict[str, str]) -> None:
    with pytest.raises(InputWrong, match="FEDROUND_IMAGES"):
        volume(environ, "FEDROUND_IMAGES")


@pytest.mark.parametrize("arguments", [[], ["bake"], ["fetch", "train"]])
def test_an_unknown_role_is_bad_input(arguments: list[str]) -> None:
    assert main(arguments) == ExitCode.BAD_INPUT


def test_the_trainers_environment_fixes_threads_and_temporary_files(tmp_path: Path) -> None:
    found = prepare({"FEDROUND_WORKSPACE": str(tmp_path), "OMP_NUM_THREADS": "8", "HOME": "/home/trainer"})

    assert found == {
        "FEDROUND_WORKSPACE": str(tmp_path),
        "HOME": "/home/trainer",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "NUMEXPR_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "TMPDIR": str(tmp_path / ".scratch"),
        "UCX_LOG_LEVEL": "fatal",
        "UCX_VFS_ENABLE": "n",
    }
    assert (tmp_path / ".scratch").is_dir()


def test_a_launcher_with_a_second_thread_stops(tmp_path: Path) -> None:
    (tmp_path / "101").mkdir()
    require_single_thread(tmp_path)
    (tmp_path / "102").mkdir()

    with pytest.raises(NotSingleThreaded):
        require_single_thread(tmp_path)


def imported_by(module: str) -> set[str]:
    script = f"import sys, {module}; print(' '.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=100)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("module", "without"),
    [
        ("fedround_training.jobs.fetch", {"torch", "numpy", "minio", "PIL"}),
        ("fedround_training.jobs.submit", {"torch", "numpy", "minio", "PIL"}),
        ("fedround_training.jobs.aggregate", {"torch", "PIL"}),
        ("fedround_training.launcher", {"torch", "numpy", "minio", "urllib3"}),
    ],
)
def test_a_role_without_torch_imports_no_more_than_it_needs(module: str, without: set[str]) -> None:
    assert imported_by(module) & without == set()


# torch alone takes seconds: it is imported once, and each role by a child of that process.
_FORKS = """
import os, sys, torch
for module in sys.argv[1:]:
    if (child := os.fork()) == 0:
        __import__(module)
        print(*sys.modules, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


def test_a_role_with_torch_imports_no_more_than_it_needs() -> None:
    compiler = {"torch._dynamo", "torch._inductor"}
    without = {"train": {"minio", "urllib3", *compiler}, "init": {"PIL", *compiler}, "validate": compiler}

    done = python(os.environ, "-c", _FORKS, *(f"fedround_training.jobs.{role}" for role in without))

    imported = dict(zip(without, map(set, map(str.split, done.stdout.splitlines())), strict=True))
    assert {role: found & without[role] for role, found in imported.items()} == {role: set() for role in without}
    assert all({"torch", f"fedround_training.jobs.{role}"} <= found for role, found in imported.items())


def imported(stderr: str) -> set[str]:
    """The modules that a process with PYTHONPROFILEIMPORTTIME says that it imports."""
    return {line.rsplit("|", 1)[1].strip() for line in stderr.splitlines() if line.startswith("import time:")}


def test_the_whole_train_job_runs_as_a_container_runs_it_without_the_compiler_of_torch(tmp_path: Path) -> None:
    environ = {**train_environment(tmp_path), "PYTHONPROFILEIMPORTTIME": "1"}

    done = python(environ, "-m", "fedround_training", "train")

    assert done.returncode == 0, done.stderr[-2000:]
    report = report_at(tmp_path / "log")
    assert (report.role, report.steps, report.cases, report.locked) == (Role.TRAIN, 2, 6, ["Files", "Network"])
    assert f"INFO __main__ trained cases=6 steps=2 digest={report.digest}" in done.stderr
    assert "fedround_training.models.local_training" in imported(done.stderr)
    # torch 2.6 needs sympy for its own import, later ones for the compiler alone.
    assert {"torch._dynamo", "torch._inductor"} & imported(done.stderr) == set()


def test_a_clinics_log_is_full_and_its_report_names_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    environ = train_environment(tmp_path, allow_unlocked=True)
    (tmp_path / "images/metadata.csv").write_text("image_id,dx,patient_id\nL000,mel,Jane Doe\nL000,nv,Jane Doe\n")

    assert run(Role.TRAIN, start_training, environ) == ExitCode.BAD_DATA

    assert "lines 2 and 3 name the same image 'L000'" in caplog.text
    assert report_at(tmp_path / "log").message == (
        "two rows of the table name the same image: keep the row that is right; the Job's log has the details"
    )


def test_a_report_of_a_failure_has_the_counts_of_images_that_were_set_aside(tmp_path: Path) -> None:
    environ = train_environment(tmp_path, allow_unlocked=True)
    for path in (tmp_path / "images").glob("*.png"):
        path.write_bytes(b"")

    assert run(Role.TRAIN, start_training, environ) == ExitCode.BAD_DATA

    assert report_at(tmp_path / "log").quarantined == {"empty": 6}
