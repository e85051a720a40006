"""The commands of the guides, as a person at a terminal gives them: `fedround`, `helm`, in a folder of their own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from support.clusters.access import Access

_COMMAND_SECONDS = 600


@dataclass(frozen=True)
class Terminal:
    """A person with the kubeconfig of one cluster, and the Helm of one major version."""

    access: Access
    helm_program: Path
    folder: Path

    def fedround(self, *arguments: str) -> str:
        """What it prints; raises RuntimeError with all of it where it fails."""
        return self._run(str(Path(sys.executable).parent / "fedround"), *arguments)

    def helm(self, *arguments: str) -> str:
        """The same for Helm."""
        return self._run(str(self.helm_program), *arguments)

    def try_helm(self, *arguments: str) -> None:
        """The same, where it may fail: there is no release any more."""
        self._done(str(self.helm_program), *arguments)

    def _run(self, *argv: str) -> str:
        done = self._done(*argv)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(argv)}: status {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def _done(self, *argv: str) -> "subprocess.CompletedProcess[str]":
        home = {"HOME": str(self.folder), "HELM_CACHE_HOME": str(self.folder / "helm")}
        return subprocess.run(
            argv,
            cwd=self.folder,
            env={**os.environ, **home, "KUBECONFIG": str(self.access.kubeconfig), "COLUMNS": "120"},
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
