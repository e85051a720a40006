"""The control-plane binary (etcd, kube-apiserver, kube-controller-manager, kubectl): built once and kept.

    <cache>/controlplane/<kubernetes version>-<system>-<hash of the sources>/controlplane

The cache is `$FEDROUND_CACHE_DIR`, else `$XDG_CACHE_HOME/fedround`, else `~/.cache/fedround`. Called before a cluster
is started. The Go module is `local/controlplane`, or `controlplane_source` beside this file in a wheel; other commands
of it, which tests of whole clusters need, are built in the same way.
"""

import fcntl
import hashlib
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from fedround_local.errors import ControlPlaneBuildFailed
from fedround_local.processes import Report, uninterrupted
from fedround_local.toolchain import ensure_go, wanted_version

_MODULE = ("go.mod", "go.sum")
_KUBERNETES = re.compile(r"^\s*k8s\.io/kubernetes (v\d+\.\d+\.\d+)$", re.MULTILINE)
# Packages come by the dozen a second; a line for each would drown the rest of a log.
_REPORT_SECONDS = 3.0
_LAST_LINES = 15


@dataclass(frozen=True)
class Command:
    """A command of the Go module: its name, its files below the module's folder, and what people call it."""

    name: str
    files: tuple[str, ...]
    title: str

    @property
    def package(self) -> str:
        """As `go build` takes it."""
        return f"./{Path(self.files[0]).parent}"


CONTROLPLANE = Command("controlplane", ("main.go",), "the control plane")


def ensure_controlplane(report: Report) -> Path:
    """The binary. The first call builds it (4 to 10 minutes on 2 cores) and says so; later ones return at once.

    Raises ControlPlaneBuildFailed with what to do about it and where the end of the build's output is.
    """
    return ensure_built(CONTROLPLANE, report)


def ensure_built(command: Command, report: Report) -> Path:
    """The binary of a command, as `ensure_controlplane` has it."""
    source = source_folder()
    cache = cache_folder()
    folder = cache / command.name / build_key(source, command)
    binary = folder / command.name
    if binary.exists():
        return binary
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / "lock", command, report):
        if not binary.exists():
            _build(command, source, binary, cache, report)
    return binary


def cache_folder(env: Mapping[str, str] = os.environ) -> Path:
    if env.get("FEDROUND_CACHE_DIR"):
        return Path(env["FEDROUND_CACHE_DIR"]).expanduser().absolute()
    base = Path(env["XDG_CACHE_HOME"]) if env.get("XDG_CACHE_HOME") else Path.home() / ".cache"
    return base / "fedround"


def source_folder() -> Path:
    """The Go module in a checkout, else the copy in the wheel."""
    checkout = Path(__file__).parents[1] / "controlplane"
    return checkout if (checkout / "go.mod").exists() else Path(__file__).parent / "controlplane_source"


def kubernetes_version(go_mod: str) -> str:
    """v1.34.4: go.mod is the one place that says it."""
    found = _KUBERNETES.search(go_mod)
    if found is None:
        raise ControlPlaneBuildFailed("the control plane's go.mod does not require k8s.io/kubernetes")
    return found[1]


def build_key(source: Path, command: Command = CONTROLPLANE) -> str:
    """Names a build: version, machine (a cache may lie on a shared home), and a hash of all its sources."""
    digest = hashlib.sha256()
    for name in (*_MODULE, *command.files):
        digest.update((source / name).read_bytes() + b"\0")
    version = kubernetes_version((source / "go.mod").read_text())
    return f"{version}-{platform.system()}-{platform.machine()}-{digest.hexdigest()[:12]}".lower()


def link_flags(version: str) -> str:
    """Stamps the version: without it the API server calls itself v0.0.0 and kubectl refuses to compare."""
    major, minor, _ = version.removeprefix("v").split(".")
    stamps = {
        "gitVersion": version,
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        # A constant, so that the same sources give the same bytes.
        "buildDate": "1970-01-01T00:00:00Z",
    }
    packages = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    return " ".join(["-s", "-w", *(f"-X {one}.{key}={value}" for one in packages for key, value in stamps.items())])


def advice(output: str) -> str:
    """What to do about a failed build, from what it printed."""
    text = output.lower()
    if "no space left" in text:
        return "The disk is full: the build needs 5 GB in Go's caches (`go env GOCACHE GOMODCACHE`)."
    if any(sign in text for sign in ("dial tcp", "lookup ", "i/o timeout", "tls handshake", "proxyconnect")):
        return "Go modules could not be downloaded: check the network, or set GOPROXY to a mirror you can reach."
    if "signal: killed" in text or "cannot allocate memory" in text:
        return "The compiler was killed: the build needs 3 GB of free memory; with GOFLAGS=-p=1 it needs less."
    return "Try again; if it fails the same way, `go clean -cache` and another try rule out a damaged cache."


def _build(command: Command, source: Path, binary: Path, cache: Path, report: Report) -> None:
    folder = binary.parent / "source"
    # An installed package may be read-only, and Go wants to write beside a module.
    for name in (*_MODULE, *command.files):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, folder / name)
    go_mod = (folder / "go.mod").read_text()
    go = ensure_go(cache, wanted_version(go_mod), report)
    env = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"}
    report(f"building {command.title}, once for this version: 4 to 10 minutes on 2 cores")
    with _Progress(command, report) as downloads:
        listing = _run([str(go), "list", "-mod=readonly", "-deps", command.package], folder, env, downloads)
    part = binary.with_name(f"{command.name}.part")
    # -mod=readonly on the command line wins over the user's GOFLAGS: nothing may change go.sum here.
    flags = ["-mod=readonly", "-buildvcs=false", "-trimpath", "-v", "-ldflags", link_flags(kubernetes_version(go_mod))]
    with _Progress(command, report, len(listing)) as packages:
        _run([str(go), "build", *flags, "-o", str(part), command.package], folder, env, packages)
    part.replace(binary)
    report(f"{command.title} is built, in {packages.elapsed()}")


class _Progress:
    """Counts the lines of a step, and says from time to time how far it is, also while no line comes."""

    def __init__(self, command: Command, report: Report, total_packages: int | None = None) -> None:
        self.title = command.title
        self._report, self._total = report, total_packages
        self._count = 0
        self._begun = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._tell, name="build-progress", daemon=True)

    def __enter__(self) -> "_Progress":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def line(self, line: str) -> None:
        # `go list` talks of other things too; `go build -v` names one package a line.
        self._count += self._total is not None or line.startswith("go: downloading")

    def elapsed(self) -> str:
        minutes, seconds = divmod(int(time.monotonic() - self._begun), 60)
        return f"{minutes}m{seconds:02d}s" if minutes else f"{seconds}s"

    def _tell(self) -> None:
        while not self._done.wait(_REPORT_SECONDS):
            done = f"{self._count} modules downloaded"
            if self._total is not None:
                done = f"{self._count} of at most {self._total} packages compiled"
            self._report(f"building {self.title}: {done}, {self.elapsed()}")


def _run(argv: list[str], folder: Path, env: Mapping[str, str], progress: _Progress) -> list[str]:
    """The lines of standard output; progress is told each line of standard error."""
    last: deque[str] = deque(maxlen=_LAST_LINES)
    with (folder / "output").open("w+") as output:
        with _started(argv, folder, env, output) as child:
            for line in child.stderr or ():
                last.append(line.rstrip())
                progress.line(line)
        if child.returncode != 0:
            end = "\n".join(last)
            log = folder / "build.log"
            log.write_text(f"{end}\n")
            raise ControlPlaneBuildFailed(f"building {progress.title} failed. {advice(end)} What Go said is in {log}.")
        output.seek(0)
        return output.read().splitlines()


@contextmanager
def _started(
    argv: list[str], folder: Path, env: Mapping[str, str], output: IO[str]
) -> "Iterator[subprocess.Popen[str]]":
    """A process whose end is waited for; it is ended, with all that it has started, where something is raised."""
    child = None
    try:
        # An interrupt that comes before the process has a name here would leave it running.
        with uninterrupted():
            child = subprocess.Popen(
                argv,
                cwd=folder,
                env=dict(env),
                stdout=output,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        yield child
    except BaseException:
        if child is not None:
            # The compilers too: `go` does not end them with itself.
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        raise
    finally:
        if child is not None:
            child.wait()


@contextmanager
def _locked(path: Path, command: Command, report: Report) -> Iterator[None]:
    """One builder at a time; the lock ends with its holder, however that ends."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report(f"another process is building {command.title}: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


if sys.platform == "win32":
    raise ControlPlaneBuildFailed("the embedded federation runs on Linux and macOS")
