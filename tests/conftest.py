"""For the whole suite: the control plane is built, if it must be, before any test's time runs; no time is a failure."""

import os

import pytest
from hypothesis import settings

from fedround_local.controlplane import ensure_controlplane

# A machine that does something else for a moment is no fault of the code: speed is stated in benchmarks.
settings.register_profile("fedround", deadline=None)
settings.load_profile("fedround")


def pytest_configure(config: pytest.Config) -> None:
    """Who tests beside others takes ports of a range of its own: a server that is stopped must find its port again."""
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    if worker:
        lowest = 20000 + 1000 * (int(worker.removeprefix("gw")) % 10)
        os.environ["FEDROUND_PORTS"] = f"{lowest}-{lowest + 999}"


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the control plane for integration tests: on a new machine that takes minutes, which no test may pay."""
    if session.config.option.collectonly or not any("integration" in item.path.parts for item in session.items):
        return
    terminal = session.config.pluginmanager.getplugin("terminalreporter")
    ensure_controlplane(terminal.write_line)
