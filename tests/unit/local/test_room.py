"""A control plane is not started on a disk that is nearly full, and one that runs is left alone there."""

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from fedround_local.cluster import Cluster
from fedround_local.errors import ProcessDied, StateUnusable
from fedround_local.processes import ProcessSpec


class Usage(NamedTuple):
    """As `shutil.disk_usage` tells it."""

    total: int
    used: int
    free: int


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """One whose programs all end at once, on a disk with 12 MiB."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(2**30, 2**30 - 12 * 2**20, 12 * 2**20))
    return Cluster(tmp_path / "state", lambda: Path("/bin/false"))


def test_a_disk_that_is_nearly_full_is_said_before_anything_starts(cluster: Cluster) -> None:
    with pytest.raises(StateUnusable) as caught:
        cluster.start()

    assert str(caught.value) == (
        f"12 MiB are free on the disk of {cluster.state}, and a control plane needs 300 MiB: "
        "free some room, or use a state folder on another disk"
    )
    assert cluster.processes.names() == ()


def test_an_etcd_that_runs_has_its_room_already(cluster: Cluster) -> None:
    cluster.processes.ensure_running(ProcessSpec("etcd", ("/bin/sleep", "100")))
    try:
        with pytest.raises(ProcessDied, match="kube-apiserver ended"):
            cluster.start()
    finally:
        cluster.processes.stop("etcd", timeout_seconds=1)
