"""The first process of a cluster's own namespaces: it sets the network up, starts the components, and reaps orphans.

    unshare --net --mount --pid --fork --kill-child --mount-proc … python -m support.clusters.sandbox PLACE.json

Its end is the end of all that it started: the kernel kills what is left in its pid namespace. It writes `ready`, or
`failed` with the reason, into the cluster's folder.
"""

import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from fedround_local.processes import Processes, ProcessSpec
from support.clusters import configuration
from support.clusters.place import POD_RANGE, Place, Programs

INTERFACE = "node0"
#: Kernel settings that a kubelet insists on and that are the machine's, not the namespace's. It gets to see files.
_COVERED = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
# Connections that the enforcer has let through once go on; the first packet of every other one waits in its queue.
# What comes from a pod whose address it does not know yet is dropped: a new pod has no network before it has rules.
_FIREWALL = """
table inet podgate {
  set known { type ipv4_addr; }
  chain gate {
    ct state established,related accept
    iifname "cni0" meta nfproto ipv6 drop
    iifname "cni0" ip saddr != @known drop
  }
  chain forward { type filter hook forward priority -10; jump gate; }
  chain input { type filter hook input priority -10; jump gate; }
}
"""
_QUEUE = (
    "-N NETPOL",
    "-A NETPOL -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN",
    f"-A NETPOL -s {POD_RANGE} -j NFQUEUE --queue-num {configuration.QUEUE}",
    f"-A NETPOL -d {POD_RANGE} -j NFQUEUE --queue-num {configuration.QUEUE}",
    "-I FORWARD -j NETPOL",
    "-I INPUT -j NETPOL",
)


def read_place(path: Path) -> tuple[Place, Programs]:
    """What `write_place` has written."""
    data = json.loads(path.read_text())
    place = Place(Path(data["place"]["folder"]), data["place"]["name"], data["place"]["number"])
    return place, Programs(**{name: Path(value) for name, value in data["programs"].items()})


def write_place(path: Path, place: Place, programs: Programs) -> None:
    """For the process in the namespaces."""
    named = {name: str(value) for name, value in vars(programs).items()}
    content = {"place": {"folder": str(place.folder), "name": place.name, "number": place.number}, "programs": named}
    path.write_text(json.dumps(content))


class Sandbox:
    """Starts one cluster from inside of its namespaces."""

    def __init__(self, place: Place, programs: Programs) -> None:
        self._place, self._programs = place, programs
        self._processes = Processes(place.folder)

    def start(self) -> None:
        """Returns when the node is Ready and names are answered."""
        place, programs = self._place, self._programs
        self._prepare()
        self._run_all(configuration.etcd(place, programs), configuration.api_server(place, programs))
        self._wait("the API server", lambda: self._kubectl("get", "--raw", "/readyz"))
        self._run_all(configuration.controller_manager(place, programs), configuration.scheduler(place, programs))
        self._run_all(configuration.containerd(place))
        self._wait("containerd", lambda: _succeeds("ctr", "-a", str(place.containerd), "version"))
        _run("ctr", "-a", str(place.containerd), "-n", "k8s.io", "images", "import", str(programs.pause_archive))
        self._wait("the default ServiceAccount", lambda: self._kubectl("get", "serviceaccount", "default"))
        self._run_all(
            configuration.kubelet(place, programs),
            configuration.proxy(place, programs),
            configuration.dns(place, programs),
            configuration.enforcer(place, programs),
        )
        self._apply(configuration.dns_objects(place))
        self._wait("the node", self._node_ready)

    def _prepare(self) -> None:
        place = self._place
        place.run.mkdir(parents=True, exist_ok=True)
        _cover_settings(place.folder / "sysctl")
        for name, content in configuration.files(place).items():
            path = place.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        _run("ip", "link", "set", "lo", "up")
        _run("ip", "address", "add", f"{place.address}/30", "dev", INTERFACE)
        _run("ip", "link", "set", INTERFACE, "up")
        # No gateway answers on it: a default route is there because kubelet and masquerading look for one.
        _run("ip", "route", "add", "default", "dev", INTERFACE)
        _write_setting("net/ipv4/ip_forward", "1")
        _write_setting("net/bridge/bridge-nf-call-iptables", "1")
        _run("nft", "-f", "-", given=_FIREWALL)
        for rule in _QUEUE:
            _run("iptables", "-w", *rule.split())

    def _run_all(self, *specs: ProcessSpec) -> None:
        for spec in specs:
            self._processes.ensure_running(spec)

    def _wait(self, what: str, holds: Callable[[], bool]) -> None:
        self._processes.wait_until(holds, what, needs=self._processes.names(), timeout_seconds=120)

    def _node_ready(self) -> bool:
        return self._kubectl("wait", "--for=condition=Ready", f"node/{self._place.node}", "--timeout=1s")

    def _kubectl(self, *arguments: str) -> bool:
        config = f"--kubeconfig={self._place.admin_kubeconfig}"
        return _succeeds(str(self._programs.controlplane), "kubectl", config, *arguments)

    def _apply(self, objects: list[dict[str, object]]) -> None:
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        config = f"--kubeconfig={self._place.admin_kubeconfig}"
        _run(str(self._programs.controlplane), "kubectl", config, "apply", "-f", "-", given=listed)


def _cover_settings(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name, value in _COVERED.items():
        cover = folder / name.replace("/", ".")
        cover.write_text(f"{value}\n")
        _run("mount", "--bind", str(cover), f"/proc/sys/{name}")


def _write_setting(name: str, value: str) -> None:
    Path("/proc/sys", name).write_text(value)


def _run(*command: str, given: str | None = None) -> None:
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:4])} …: {done.stderr.strip() or done.stdout.strip()}")


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0


def _reap_for_ever() -> None:
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            time.sleep(1)


def main() -> None:
    place, programs = read_place(Path(sys.argv[1]))
    try:
        Sandbox(place, programs).start()
    except BaseException:
        (place.folder / "failed").write_text(traceback.format_exc())
        raise
    (place.folder / "ready").touch()
    _reap_for_ever()


if __name__ == "__main__":
    main()
