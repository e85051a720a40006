"""A whole Kubernetes cluster in net, mount and pid namespaces of its own: one node, real containers, real policies.

Several of them run side by side with the same addresses inside; this machine reaches each by its node's address, and
`Link` joins two of them until it is cut. Needs Linux, root and Debian's containerd, runc, CNI plugins, nftables.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from support.clusters import sandbox
from support.clusters.access import Access
from support.clusters.credentials import write_credentials
from support.clusters.place import Place, Programs

START_SECONDS = 180.0
_CGROUPS = Path("/sys/fs/cgroup")
_CONTROLLERS = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "blkio", "pids", "systemd")
_TESTS = Path(__file__).parents[2]
# Without the word `name` the command misreads what follows.
_PAIR = ("type", "veth", "peer", "name")


class Cluster:
    """One cluster, from `start` to `stop`."""

    def __init__(self, place: Place, programs: Programs) -> None:
        self.place, self._programs = place, programs
        self._unshare: subprocess.Popen[bytes] | None = None
        self._init = 0

    def start(self) -> None:
        """Begin to start; `wait_ready` returns when it has. So that several start side by side."""
        place = self.place
        self._remove()
        place.folder.mkdir(parents=True, mode=0o755)
        write_credentials(place)
        _make_cgroups(place.cgroup)
        written = place.folder / "place.json"
        sandbox.write_place(written, place, self._programs)
        log = (place.folder / "sandbox.log").open("wb")
        with log:
            # The child waits for its network interface, which is moved into its namespace from here.
            self._unshare = subprocess.Popen(
                [
                    # However this process ends, the cluster ends with it.
                    *("setpriv", "--pdeathsig", "KILL", "unshare"),
                    *("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
                    *("--propagation", "private"),
                    "sh",
                    "-c",
                    f'until ip link show {sandbox.INTERFACE} >/dev/null 2>&1; do sleep 0.05; done; exec "$@"',
                    "sh",
                    sys.executable,
                    "-m",
                    "support.clusters.sandbox",
                    str(written),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd=_TESTS,
                env={**os.environ, "PYTHONPATH": str(_TESTS)},
            )
        self._init = _only_child(self._unshare.pid)
        self._connect_to_machine()

    def wait_ready(self) -> None:
        """Raises RuntimeError with what went wrong."""
        until = time.monotonic() + START_SECONDS
        while not (self.place.folder / "ready").exists():
            failed = self.place.folder / "failed"
            if failed.exists() or time.monotonic() > until or (self._unshare and self._unshare.poll() is not None):
                told = failed.read_text() if failed.exists() else (self.place.folder / "sandbox.log").read_text()
                raise RuntimeError(f"cluster {self.place.name} did not start: {told}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End every process of it, and remove what it leaves on this machine."""
        if self._unshare is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._init or self._unshare.pid, signal.SIGKILL)
            self._unshare.wait(timeout=30)
        self._remove()

    def _remove(self) -> None:
        _remove_cgroups(self.place.cgroup)
        shutil.rmtree(self.place.run, ignore_errors=True)
        shutil.rmtree(self.place.folder, ignore_errors=True)

    # --- what tests do with it

    def inside(self, *command: str) -> str:
        """What a command prints in the node's namespaces; raises RuntimeError with its words where it fails."""
        return _run("nsenter", "--target", str(self._init), "--net", "--mount", "--pid", *command)

    @property
    def access(self) -> Access:
        """As its administrator, from this machine."""
        return Access(self.place.admin_kubeconfig, self._programs.controlplane)

    def load_images(self, archives: Iterable[Path]) -> None:
        """Put images into the node's store: there is no registry."""
        for archive in archives:
            self._images("import", str(archive))

    def name_image(self, known: str, other: str) -> None:
        """An image that is loaded, under a second name."""
        self._images("tag", known, other)

    def _images(self, *arguments: str) -> None:
        self.inside("ctr", "-a", str(self.place.containerd), "-n", "k8s.io", "images", *arguments)

    @property
    def init(self) -> int:
        """The first process of its namespaces, as this machine numbers it."""
        return self._init

    def _connect_to_machine(self) -> None:
        outside = f"fr{self.place.number}"
        _run("ip", "link", "add", "name", outside, *_PAIR, sandbox.INTERFACE, "netns", str(self._init))
        _run("ip", "address", "add", f"{self.place.outside}/30", "dev", outside)
        _run("ip", "link", "set", outside, "up")


class Link:
    """A cable between two clusters: the one that opens connections knows the way to the other's node."""

    def __init__(self, opens: Cluster, answers: Cluster) -> None:
        self._opens, self._answers = opens, answers
        number = opens.place.number
        self._name = f"to-{answers.place.name}"[:15]
        self._near, far = f"10.201.{number}.2", f"10.201.{number}.1"
        far_name = f"from-{number}"
        ends = (self._name, "netns", str(opens.init), *_PAIR, far_name, "netns", str(answers.init))
        _run("ip", "link", "add", "name", *ends)
        answers.inside("ip", "address", "add", f"{far}/30", "dev", far_name)
        answers.inside("ip", "link", "set", far_name, "up")
        self._way = ("ip", "route", "replace", f"{answers.place.address}/32", "via", far, "dev", self._name)
        opens.inside("ip", "address", "add", f"{self._near}/30", "dev", self._name)
        self.mend()

    def cut(self) -> None:
        """As if the cable was pulled: packets are lost, nobody is told."""
        self._opens.inside("ip", "link", "set", self._name, "down")

    def mend(self) -> None:
        self._opens.inside("ip", "link", "set", self._name, "up")
        self._opens.inside(*self._way)


def _only_child(pid: int) -> int:
    until = time.monotonic() + 10
    children = Path(f"/proc/{pid}/task/{pid}/children")
    while not (found := children.read_text().split()):
        if time.monotonic() > until:
            raise RuntimeError("the namespaces were not made")
        time.sleep(0.02)
    return int(found[0])


def _make_cgroups(name: str) -> None:
    """On cgroup v1 the kubelet's root must exist in each hierarchy; on v2 it makes its own."""
    for controller in _CONTROLLERS:
        if (_CGROUPS / controller).is_dir():
            (_CGROUPS / controller / name).mkdir(exist_ok=True)
    for setting in ("cpuset.cpus", "cpuset.mems"):
        if (own := _CGROUPS / "cpuset" / name / setting).exists():
            own.write_text((_CGROUPS / "cpuset" / setting).read_text())


def _remove_cgroups(name: str) -> None:
    for controller in (*_CONTROLLERS, "unified", "."):
        top = _CGROUPS / controller / name
        for folder, _, _ in os.walk(top, topdown=False):
            with contextlib.suppress(OSError):
                Path(folder).rmdir()


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
