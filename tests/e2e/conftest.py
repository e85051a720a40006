"""A network on real clusters, once for the whole session; where none can be had its tests are skipped and say why."""

from collections.abc import Iterator

import pytest

from support.clusters.programs import why_not
from support.e2e.given import given_ground
from support.e2e.ground import Ground
from support.e2e.made import clusters
from support.e2e.network import Network


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """The clusters that the environment gives, else four that are made here and removed afterwards."""
    given = given_ground()
    if given is not None:
        yield given
        return
    if reason := why_not():
        pytest.skip(reason)
    with clusters(tmp_path_factory.mktemp("clusters")) as made:
        yield made


_FIGURES = pytest.StashKey[list[str]]()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """How long things took: a test that passes says nothing of it."""
    for line in config.stash.get(_FIGURES, []):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def network(ground: Ground, tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Network]:
    """A hub and its clinics, installed by the guide's commands, with a model that is ready to be trained."""
    made = Network(ground, tmp_path_factory.mktemp("network"))
    pytestconfig.stash[_FIGURES] = made.figures
    try:
        made.draw()
        made.install_hub()
        for name in made.clinics:
            made.enrol(name)
        made.upload_test_set()
        made.make_model()
        yield made
    finally:
        if ground.stays:
            made.leave()
