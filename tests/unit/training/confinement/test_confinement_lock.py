"""What becomes of a training where a kernel can lock it in, can do half of it, or nothing."""

import errno
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from fedround_api.exitcodes import ExitCode
from fedround_api.jobs import JobReport, read_report
from fedround_api.locking import LockPart
from fedround_training.confinement.grants import Grant, program_grants
from fedround_training.confinement.landlock import Access
from fedround_training.confinement.lock import lock_in
from fedround_training.confinement.seen import require, seen_parts
from fedround_training.errors import NotLockedIn
from fedround_training.launcher import volume_grants
from support.kernels import needs_landlock
from support.train_jobs import python, train_environment

FILES, NETWORK = LockPart.FILES, LockPart.NETWORK
TESTS = Path(__file__).parents[3]


class FakeKernel:
    """A kernel that lacks parts of the lock."""

    def __init__(self, *lacking: LockPart) -> None:
        self._lacking = lacking
        self.taken: list[str] = []

    def forbid_new_privileges(self) -> None:
        self.taken.append("no new privileges")

    def restrict_files(self, grants: Iterable[Grant]) -> None:
        self._take(FILES, f"files but {[str(grant.path) for grant in grants]}")

    def refuse_calls(self, program: bytes) -> None:
        self._take(NETWORK, "calls")

    def _take(self, part: LockPart, what: str) -> None:
        if part in self._lacking:
            raise OSError(errno.ENOSYS, "Function not implemented")
        self.taken.append(what)


GRANTS = (Grant(Path("/images"), Access.READ),)


def test_both_parts_are_taken_files_first_as_the_filter_may_refuse_calls_to_landlock_one_day() -> None:
    kernel = FakeKernel()

    assert lock_in(GRANTS, kernel, "x86_64") == {FILES, NETWORK}
    assert kernel.taken == ["no new privileges", "files but ['/images']", "calls"]


@pytest.mark.parametrize(
    ("lacking", "machine", "want"),
    [
        ([FILES], "x86_64", {NETWORK}),
        ([NETWORK], "aarch64", {FILES}),
        ([FILES, NETWORK], "x86_64", set()),
        ([], "riscv64", {FILES}),
    ],
)
def test_what_a_kernel_cannot_do_is_logged_and_the_other_part_taken(
    lacking: list[LockPart], machine: str, want: set[LockPart], caplog: pytest.LogCaptureFixture
) -> None:
    assert lock_in(GRANTS, FakeKernel(*lacking), machine) == want
    assert [f"part={part}" in caplog.text for part in (FILES, NETWORK)] == [FILES not in want, NETWORK not in want]


def test_a_process_that_is_not_locked_in_sees_no_part_of_a_lock() -> None:
    assert seen_parts() == set()


@pytest.mark.parametrize(
    ("locked", "could"),
    [
        ([NETWORK], "open files outside its volumes and its program"),
        ([FILES], "open sockets and reach into other processes"),
        ([], "open sockets and reach into other processes, and open files outside its volumes and its program"),
    ],
)
def test_without_a_part_nothing_goes_on_unless_the_policy_allows_it(locked: list[LockPart], could: str) -> None:
    require(locked, allow_unlocked=True)

    with pytest.raises(NotLockedIn) as caught:
        require(locked, allow_unlocked=False)

    assert str(caught.value) == f"no image was opened, as the trainer could {could}"


def test_the_program_may_be_read_and_only_interpreter_and_loader_run() -> None:
    grants = program_grants("x86_64", TESTS)

    assert not {Path(name) for name in ("/", "/etc", "/dev", "/proc", "/sys", "/usr")} & {one.path for one in grants}
    runnable = [grant.path for grant in grants if Access.EXECUTE in grant.access]
    writable = [grant.path for grant in grants if Access.WRITE in grant.access]
    assert runnable == [Path(sys.executable), Path("/lib64/ld-linux-x86-64.so.2")][: len(runnable)]
    assert writable == [Path("/dev/null")]


@pytest.mark.parametrize("entry", ["/", "", str(TESTS)])
def test_neither_the_root_nor_the_working_folder_is_part_of_the_program(
    monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    monkeypatch.setattr(sys, "path", [entry, *sys.path])

    assert not {Path("/"), Path(), TESTS} & {grant.path for grant in program_grants("x86_64", TESTS)}


def test_of_its_pod_a_trainer_may_read_images_and_write_workspace_and_report(tmp_path: Path) -> None:
    environ = {
        "FEDROUND_IMAGES": str(tmp_path / "images"),
        "FEDROUND_WORKSPACE": str(tmp_path / "workspace"),
        "FEDROUND_REPORT": str(tmp_path / "log"),
        "FEDROUND_CERTIFICATE": str(tmp_path),
    }
    for name in ("images", "workspace"):
        (tmp_path / name).mkdir()

    assert volume_grants(environ) == (
        Grant(tmp_path / "images", Access.READ),
        Grant(tmp_path / "workspace", Access.READ | Access.WRITE),
        Grant(tmp_path / "log", Access.READ | Access.WRITE),
    )


def trained(folder: Path, *arguments: str, allow_unlocked: bool = False, path: str = "") -> tuple[int, JobReport]:
    """Exit code and report of a `train` Job that a command starts."""
    environ = train_environment(folder, allow_unlocked=allow_unlocked)
    done = python(environ | ({"PYTHONPATH": path} if path else {}), *arguments)
    report = read_report((folder / "log").read_text())
    assert report is not None, done.stderr[-2000:]
    return done.returncode, report


def trained_on(kernel: str, folder: Path, *, allow_unlocked: bool) -> tuple[int, JobReport]:
    """The same by a kernel that can less, see `support.kernels`."""
    script = (
        f"from support import kernels; kernels.{kernel}(); "
        "import os, sys; os.execv(sys.executable, [sys.executable, '-m', 'fedround_training', 'train'])"
    )
    path = os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH"))))
    return trained(folder, "-c", script, allow_unlocked=allow_unlocked, path=path)


@needs_landlock
def test_a_training_that_is_locked_in_gives_the_same_bytes_as_one_that_is_not(tmp_path: Path) -> None:
    locked_code, locked = trained(tmp_path / "locked", "-m", "fedround_training", "train")
    free_code, free = trained(tmp_path / "free", "-m", "fedround_training.jobs.train", allow_unlocked=True)

    assert (locked_code, free_code) == (0, 0)
    assert (locked.locked, free.locked) == ([FILES, NETWORK], [])
    assert (locked.digest, locked.steps, locked.cases) == (free.digest, 2, 6)


def test_a_trainer_that_was_not_locked_in_opens_no_image(tmp_path: Path) -> None:
    """The lock left out, by a defect or by hand: the trainer itself finds out."""
    code, report = trained(tmp_path, "-m", "fedround_training.jobs.train")

    assert (code, report.exit_code, report.digest) == (84, ExitCode.NOT_LOCKED_IN, None)
    assert report.message == (
        "no image was opened, as the trainer could open sockets and reach into other processes, "
        "and open files outside its volumes and its program"
    )


@needs_landlock
def test_on_a_kernel_that_can_do_half_no_image_is_opened(tmp_path: Path) -> None:
    code, report = trained_on("without_landlock", tmp_path, allow_unlocked=False)

    assert (code, report.exit_code, report.digest) == (84, ExitCode.NOT_LOCKED_IN, None)
    assert report.message == "no image was opened, as the trainer could open files outside its volumes and its program"


@needs_landlock
@pytest.mark.parametrize(("kernel", "left"), [("without_landlock", [NETWORK]), ("without_seccomp", [FILES])])
def test_on_such_a_kernel_training_goes_on_where_the_policy_allows_it_and_says_what_is_left(
    tmp_path: Path, kernel: str, left: list[LockPart]
) -> None:
    code, report = trained_on(kernel, tmp_path, allow_unlocked=True)

    assert (code, report.cases, report.locked) == (0, 6, left)
