"""What is written in Go has its tests beside it; here they are run."""

import os
import subprocess
import sys

import pytest

from fedround_local.controlplane import cache_folder, source_folder
from fedround_local.toolchain import ensure_go, wanted_version

# Modules may have to be downloaded first, and compiled.
pytestmark = pytest.mark.timeout(900)


def test_the_gate_of_a_clusters_node_passes_its_tests() -> None:
    module = source_folder()
    wanted = wanted_version((module / "go.mod").read_text())
    go = ensure_go(cache_folder(), wanted, lambda line: print(line, file=sys.stderr))

    done = subprocess.run(
        [go, "test", "-mod=readonly", "-trimpath", "-count=1", "./node/podgate"],
        cwd=module,
        env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("ok")
