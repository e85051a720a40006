"""A Kubernetes cluster as its administrator reaches it, by a kubeconfig: one that tests made, or one that was given."""

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ANSWER_SECONDS = 300


@dataclass(frozen=True)
class Access:
    """kubectl with one kubeconfig; `binary` is a program with the command `kubectl`."""

    kubeconfig: Path
    binary: Path

    def command(self, *arguments: str) -> list[str]:
        """The command line."""
        return [str(self.binary), "kubectl", f"--kubeconfig={self.kubeconfig}", *arguments]

    def try_kubectl(self, *arguments: str, given: str | bytes | None = None) -> "subprocess.CompletedProcess[str]":
        """Whatever comes of it."""
        content = given.encode() if isinstance(given, str) else given
        done = subprocess.run(
            self.command(*arguments), input=content, capture_output=True, timeout=_ANSWER_SECONDS, check=False
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())

    def kubectl(self, *arguments: str, given: str | bytes | None = None) -> str:
        """What it prints; raises RuntimeError with its words where it fails."""
        done = self.try_kubectl(*arguments, given=given)
        if done.returncode != 0:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, *objects: Mapping[str, Any]) -> None:
        """Make the objects, or change them."""
        listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
        self.kubectl("apply", "-f", "-", given=json.dumps(listed))

    def get(self, *arguments: str) -> Any:
        """What `kubectl get … -o json` gives."""
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))

    def try_get(self, *arguments: str) -> Any:
        """The same, or None where it fails: there is no such object yet, or no answer."""
        done = self.try_kubectl("get", *arguments, "-o", "json")
        return json.loads(done.stdout) if done.returncode == 0 else None

    @contextmanager
    def forwarded(self, namespace: str, what: str, port: int) -> Iterator[str]:
        """host:port on this machine that leads to a port of a Service or pod."""
        command = self.command("port-forward", "-n", namespace, what, f":{port}", "--address=127.0.0.1")
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as forwarding:
            try:
                assert forwarding.stdout is not None
                # "Forwarding from 127.0.0.1:40123 -> 9000"
                yield forwarding.stdout.readline().split()[2]
            finally:
                forwarding.terminate()

    def told(self, namespaces: Iterable[str]) -> str:
        """For the eyes of who looks at a failure: pods, and what went wrong lately."""
        parts = []
        for one in namespaces:
            for what in (("get", "pods", "-o", "wide"), ("get", "events", "--sort-by=.lastTimestamp")):
                parts.append(self.try_kubectl(*what, "-n", one).stdout[-4000:])
        return "\n".join(parts)
