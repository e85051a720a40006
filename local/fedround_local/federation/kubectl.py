"""The bundled kubectl, as the network's administrator."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fedround_local.errors import KubectlFailed

TIMEOUT_SECONDS = 60.0


class Kubectl:
    """Runs kubectl against one control plane."""

    def __init__(self, binary: Path, kubeconfig: Path) -> None:
        self._binary, self._kubeconfig = binary, kubeconfig

    def command(self, *arguments: str) -> tuple[str, ...]:
        """The whole command line."""
        return (str(self._binary), "kubectl", "--kubeconfig", str(self._kubeconfig), *arguments)

    def in_environment(self, *arguments: str) -> tuple[tuple[str, ...], dict[str, str]]:
        """The same as a command line and variables that it needs beside those of this process.

        For plugins (`kubectl fedround`): kubectl takes no option before their name, and hands on variables only. They
        are found even where this program was called by its path.
        """
        search = os.pathsep.join(filter(None, (os.environ.get("PATH"), str(Path(sys.executable).parent))))
        return (str(self._binary), "kubectl", *arguments), {"KUBECONFIG": str(self._kubeconfig), "PATH": search}

    def run(self, *arguments: str, given: str | None = None) -> str:
        """What it prints.

        Raises:
            KubectlFailed: with what it said.
        """
        try:
            done = subprocess.run(
                self.command(*arguments),
                input=given,
                capture_output=True,
                text=True,
                check=False,
                timeout=TIMEOUT_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise KubectlFailed(f"kubectl {' '.join(arguments)}: no answer in {TIMEOUT_SECONDS:.0f} s") from error
        if done.returncode != 0:
            raise KubectlFailed(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def apply(self, wanted: Sequence[Mapping[str, Any]]) -> None:
        """Apply objects in order, namespaces before all else."""
        ordered = sorted(wanted, key=lambda one: str(one["kind"]) != "Namespace")
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": ordered})
        self.run("apply", "--server-side", "--force-conflicts", "-f", "-", given=text)
