"""For the whole suite: the control plane is built, if it must be, before any test's time runs."""

import pytest

from fedround_local.controlplane import ensure_controlplane


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the control plane for integration tests: on a new machine that takes minutes, which no test may pay."""
    if session.config.option.collectonly or not any("integration" in item.path.parts for item in session.items):
        return
    terminal = session.config.pluginmanager.getplugin("terminalreporter")
    ensure_controlplane(terminal.write_line)
