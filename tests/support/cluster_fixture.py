"""The fixture `cluster`: a running control plane with a process node in a temporary folder.

One for the whole session, stopped at its end with every pod that it ran. A test module or conftest takes it by
`pytest_plugins = ("support.cluster_fixture",)`.
"""

from collections.abc import Iterator

import pytest

from fedround_local.cluster import Cluster
from fedround_local.controlplane import ensure_controlplane
from support.running_cluster import RunningCluster


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCluster]:
    binary = ensure_controlplane(print)
    running = RunningCluster(Cluster(tmp_path_factory.mktemp("cluster"), lambda: binary, unsafe_no_fsync=True), binary)
    try:
        running.start()
        yield running
    finally:
        running.stop()
