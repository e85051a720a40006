"""The images: what is in them, what is not, and every program of theirs as a pod runs it."""

import os
import re
import stat
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import run_tests
from fedround_api.exitcodes import ExitCode
from fedround_api.jobs import JobReport, Role
from fedround_images.running import NOBODY, UNKNOWN, Bind, Program, Rootfs, User, run
from support.image_build import image_rootfs
from support.train_jobs import train_environment

IMAGES = ("operator", "training")
MEGABYTE = 1_000_000
PROJECT = Path(__file__).parents[2]
# Whoever gets into a container finds nothing to go on with.
UNWANTED = re.compile(
    r"^(ba|da|z|k)?sh$|^busybox$|^(apt|dpkg|pip|uv|gcc|g\+\+|cc|ld|as|make|perl|curl|wget|nc|ssh|su|sudo|mount|ps)(-[0-9.]+)?$"
)

# A first run builds both images.
pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(params=IMAGES)
def image(request: pytest.FixtureRequest) -> Rootfs:
    return image_rootfs(request.param)


def test_the_operator_image_is_below_300_and_the_training_image_below_1000_megabytes() -> None:
    assert _bytes(image_rootfs("operator")) < 300 * MEGABYTE
    assert _bytes(image_rootfs("training")) < 1000 * MEGABYTE


@pytest.mark.parametrize(
    ("name", "entrypoint"),
    [
        ("operator", ["/opt/fedround/bin/python", "-m"]),
        ("training", ["/opt/fedround/bin/python", "-m", "fedround_training"]),
    ],
)
def test_an_image_starts_its_program_as_a_numeric_user_that_is_not_root(name: str, entrypoint: list[str]) -> None:
    config = _config(image_rootfs(name))
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == entrypoint


@pytest.mark.parametrize("name", IMAGES)
def test_an_image_says_what_it_is(name: str) -> None:
    labels = _config(image_rootfs(name))["Labels"]
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    assert labels["org.opencontainers.image.title"] == f"fedround-{name}"
    assert labels["org.opencontainers.image.version"] == version
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert re.fullmatch(r"[0-9a-f]{40}|", labels["org.opencontainers.image.revision"])
    assert labels["org.opencontainers.image.description"]
    assert labels["org.opencontainers.image.base.name"]


def test_no_file_of_an_image_lends_rights_or_can_be_written_by_its_user(image: Rootfs) -> None:
    found = {
        str(path.relative_to(image.folder)): oct(stat.S_IMODE(status.st_mode))
        for path, status in _entries(image)
        if not stat.S_ISLNK(status.st_mode)
        and (status.st_mode & (stat.S_ISUID | stat.S_ISGID | stat.S_IWGRP | stat.S_IWOTH) or status.st_uid != 0)
    }
    assert found == {"tmp": "0o1777"}


def test_there_is_no_shell_no_package_manager_and_no_compiler_in_an_image(image: Rootfs) -> None:
    entries = [(path, stat.S_ISDIR(status.st_mode)) for path, status in _entries(image)]
    assert [str(path) for path, is_folder in entries if not is_folder and UNWANTED.fullmatch(path.name)] == []
    assert not {"pip", "ensurepip", "setuptools"} & {path.name for path, is_folder in entries if is_folder}


@pytest.mark.parametrize(
    ("name", "programs"),
    [
        ("operator", ["opt/fedround/bin/fedround", "usr/bin/python3.13"]),
        ("training", ["usr/bin/python3.13"]),
    ],
)
def test_the_only_programs_in_an_image_are_python_and_ours(name: str, programs: list[str]) -> None:
    root = image_rootfs(name).folder
    folders = ("bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "opt/fedround/bin")
    files = {
        path.relative_to(root.resolve())
        for folder in folders
        for path in (root / folder).resolve().glob("*")
        if path.is_file() and not path.is_symlink()
    }
    assert sorted(map(str, files)) == programs


def test_the_operator_image_has_no_torch_and_no_numpy() -> None:
    folders = {path.name for path, status in _entries(image_rootfs("operator")) if stat.S_ISDIR(status.st_mode)}
    assert "kopf" in folders
    assert not {"torch", "numpy", "PIL"} & folders


def test_every_module_of_an_image_has_its_bytecode(image: Rootfs) -> None:
    modules = [path for path, _ in _entries(image) if path.suffix == ".py" and "-packages" in str(path)]
    without = [
        str(path) for path in modules if not list((path.parent / "__pycache__").glob(f"{path.stem}.cpython-313.pyc"))
    ]
    assert len(modules) > 300
    assert without == []


def test_scanners_find_the_debian_packages_of_an_image_and_people_their_licences(image: Rootfs) -> None:
    packages = {path.name for path in (image.folder / "var/lib/dpkg/status.d").iterdir()}
    assert {"libc6", "libssl3t64", "python3.13-minimal"} <= packages
    assert "Version: " in (image.folder / "var/lib/dpkg/status.d/libc6").read_text()
    documents = image.folder / "usr/share/doc"
    assert [name for name in packages if not (documents / name / "copyright").exists()] == []


@pytest.mark.parametrize("role", list(Role))
def test_every_role_starts_in_a_container_and_reports_an_input_that_is_missing(role: Role, tmp_path: Path) -> None:
    workspace, images, log = tmp_path / "workspace", tmp_path / "images", tmp_path / "log"
    workspace.mkdir()
    images.mkdir()
    log.touch()
    _give_to_pod(tmp_path)
    done = _run_role(
        role,
        environment={"FEDROUND_WORKSPACE": "/workspace", "FEDROUND_IMAGES": "/images"},
        binds=[
            Bind(workspace, "/workspace", read_only=False),
            Bind(images, "/images"),
            Bind(log, "/dev/termination-log", read_only=False),
        ],
    )
    report = JobReport.model_validate_json(log.read_text())
    assert (done.returncode, report.exit_code) == (ExitCode.BAD_INPUT, ExitCode.BAD_INPUT), done.stderr
    assert report.role is role
    assert report.message == "FEDROUND_INPUT is not set"


@pytest.mark.parametrize("user", [NOBODY, UNKNOWN], ids=["65532", "OpenShift's choice"])
def test_a_training_runs_to_its_end_in_a_container(user: User, tmp_path: Path) -> None:
    given = train_environment(tmp_path, allow_unlocked=False)
    (tmp_path / "log").touch()
    _give_to_pod(tmp_path, user)
    done = _run_role(
        Role.TRAIN,
        environment={
            "FEDROUND_INPUT": given["FEDROUND_INPUT"],
            "FEDROUND_WORKSPACE": "/workspace",
            "FEDROUND_IMAGES": "/images",
        },
        binds=[
            Bind(tmp_path / "workspace", "/workspace", read_only=False),
            Bind(tmp_path / "images", "/images"),
            Bind(tmp_path / "log", "/dev/termination-log", read_only=False),
        ],
        user=user,
    )
    assert done.returncode == ExitCode.OK, done.stderr
    report = JobReport.model_validate_json((tmp_path / "log").read_text())
    assert report.exit_code is ExitCode.OK
    assert (tmp_path / "workspace/rounds/r1/outbox").is_dir()


def test_the_unit_tests_of_the_training_code_pass_with_python_torch_and_numpy_of_its_image() -> None:
    rootfs = image_rootfs("training")
    done = run(rootfs, run_tests.program(rootfs), timeout_seconds=run_tests.TIMEOUT_SECONDS)
    assert done.stdout.startswith("python 3.13.")
    assert " torch 2.6.0+debian numpy 2.2.4\n" in done.stdout
    assert done.returncode == 0, done.stdout[-5000:]


@pytest.mark.parametrize("module", ["fedround_operator.hub", "fedround_operator.agent"])
def test_the_programs_of_the_operator_image_tell_their_options(module: str) -> None:
    for user in (NOBODY, UNKNOWN):
        done = _run_operator(module, "--help", user=user)
        assert done.returncode == 0, done.stderr
        assert "--metrics-port" in done.stdout


def test_the_command_line_of_the_operator_image_tells_its_version() -> None:
    version = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    assert _run_operator("fedround_cli.main", "--version").stdout == f"{version}\n"


def test_a_program_in_an_image_can_write_nowhere_but_to_its_temporary_folder(image: Rootfs) -> None:
    code = (
        "import os\n"
        "for folder in ('/', '/opt/fedround', '/usr', '/etc', '/tmp'):\n"
        "    try: open(os.path.join(folder, 'x'), 'w')\n"
        "    except OSError as error: print(folder, error.strerror)\n"
        "print(os.getuid(), os.getgid())\n"
    )
    done = run(image, Program(argv=["python", "-c", code]), timeout_seconds=60)
    assert done.stdout.splitlines() == [
        *(f"{folder} Read-only file system" for folder in ("/", "/opt/fedround", "/usr", "/etc")),
        "65532 65532",
    ]


def _run_role(
    role: Role, environment: dict[str, str], binds: list[Bind], user: User = NOBODY
) -> subprocess.CompletedProcess[str]:
    rootfs = image_rootfs("training")
    given = {**environment, "FEDROUND_REPORT": "/dev/termination-log", "TMPDIR": "/tmp"}  # noqa: S108 - in the container
    return run(rootfs, Program([*rootfs.entrypoint, role.value], given, binds, user), timeout_seconds=120)


def _run_operator(*arguments: str, user: User = NOBODY) -> subprocess.CompletedProcess[str]:
    rootfs = image_rootfs("operator")
    return run(rootfs, Program([*rootfs.entrypoint, *arguments], user=user), timeout_seconds=60)


def _give_to_pod(folder: Path, user: User = NOBODY) -> None:
    """As the volumes of a pod with an fsGroup: root's, and for that group to read and write."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 0, user.fs_group)
        path.chmod(0o2770 if path.is_dir() else 0o660)


def _config(image: Rootfs) -> dict[str, Any]:
    found: dict[str, Any] = image.config["config"]
    return found


def _entries(image: Rootfs) -> Iterator[tuple[Path, os.stat_result]]:
    for path in image.folder.rglob("*"):
        yield path, path.lstat()


def _bytes(image: Rootfs) -> int:
    return sum(status.st_size for _, status in _entries(image) if stat.S_ISREG(status.st_mode))
