"""Whose a state folder is, who works on it, and that nobody else's files are touched."""

import multiprocessing
import stat
from pathlib import Path

import pytest

from fedround_local.errors import DataUnusable, StateUnusable
from fedround_local.federation.dataplan import DataRequest
from fedround_local.federation.federation import Federation, SetUp
from fedround_local.federation.layout import Layout


def silent(_line: str) -> None:
    """Nobody listens."""


def test_a_new_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    place = Layout(tmp_path / "state")

    with place.claimed(new=True):
        assert place.is_ours()

    assert stat.S_IMODE(place.state.stat().st_mode) == 0o700


def test_a_folder_that_others_could_read_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    with Layout(tmp_path).claimed(new=True):
        assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_a_folder_with_something_else_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")

    with pytest.raises(StateUnusable, match="is not empty and holds no federation"), Layout(tmp_path).claimed(new=True):
        pytest.fail("it was claimed")

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_no_state_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StateUnusable, match="cannot be used"), Layout(tmp_path / "file").claimed(new=True):
        pytest.fail("it was claimed")


@pytest.mark.parametrize("name", ["a[b]", "a{c}", 'a"q'])
def test_a_path_that_the_gateway_would_misread_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(StateUnusable, match="cannot hold"), Layout(tmp_path / name).claimed(new=True):
        pytest.fail("it was claimed")


def _claim(folder: Path, answers: "multiprocessing.Queue[str]") -> None:
    try:
        with Layout(folder).claimed(new=False):
            answers.put("claimed")
    except StateUnusable as error:
        answers.put(str(error))


def test_one_command_at_a_time_works_on_a_folder(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[str] = context.Queue()
    with Layout(tmp_path).claimed(new=True):
        other = context.Process(target=_claim, args=(tmp_path, answers))
        other.start()
        said = answers.get(timeout=30)
        other.join()

    assert said == f"another fedround command is working on {tmp_path}: wait for its end"


def test_what_an_unfinished_set_up_has_left_is_removed(tmp_path: Path) -> None:
    for name in ("etcd", "volumes", "clinics", "images"):
        (tmp_path / name).mkdir()

    Layout(tmp_path).remove_unfinished()

    assert [path.name for path in tmp_path.iterdir()] == ["images"]


def test_asking_for_a_federation_that_is_not_there_writes_nothing(tmp_path: Path) -> None:
    federation = Federation(tmp_path / "nowhere", silent)

    for ask in (federation.record, federation.down, lambda: federation.up(None)):
        with pytest.raises(StateUnusable, match="there is no federation"):
            ask()

    assert not (tmp_path / "nowhere").exists()


def test_a_federation_with_the_objects_of_another_version_is_refused_instead_of_hanging(tmp_path: Path) -> None:
    (tmp_path / "federation.json").write_text(
        '{"data": "photos", "split_by": null, "seed": 0, "image_size": 64, "clinics": {"north": 40}, "test_cases": 10,'
        ' "gateway_port": 1, "metrics_ports": {}}'
    )

    with pytest.raises(StateUnusable, match="was not written by this version of fedround; use another --state"):
        Federation(tmp_path, silent).up(None)


def test_where_nothing_was_started_nothing_is_said_to_be_stopped(tmp_path: Path) -> None:
    said: list[str] = []
    wanted = SetUp(DataRequest(tmp_path / "photos", 2, None, 0))

    with pytest.raises(DataUnusable, match="there is no image folder"):
        Federation(tmp_path / "state", said.append).up(wanted)

    assert said == []
