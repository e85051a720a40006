"""`--fresh` removes federations and nothing else; numbers on the command line are whole and within bounds."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from fedround_cli.demo import remove
from fedround_cli.main import parser
from fedround_cli.plain import cut
from fedround_cli.tables import round_table
from fedround_cli.terminal import Progress
from fedround_local.demo.rounds import RoundResult
from fedround_local.errors import StateUnusable
from fedround_local.federation.layout import Layout


@pytest.fixture
def progress() -> Progress:
    return Progress(io.StringIO())


def test_fresh_leaves_a_foreign_folder_alone(tmp_path: Path, progress: Progress) -> None:
    (tmp_path / "thesis.txt").touch()
    # What an earlier version of the program, or a person, may have left there proves nothing.
    (tmp_path / "ports.json").touch()

    with pytest.raises(StateUnusable, match="--fresh leaves it alone"):
        remove(tmp_path, progress)

    assert (tmp_path / "thesis.txt").exists()


def test_fresh_removes_a_federation(tmp_path: Path, progress: Progress) -> None:
    state = tmp_path / "state"
    with Layout(state).claimed(new=True):
        (state / "images").mkdir()

    remove(state, progress)

    assert not state.exists()


@pytest.mark.parametrize("state", ["", "missing"])
def test_fresh_has_nothing_to_do_in_an_empty_folder_or_none(tmp_path: Path, progress: Progress, state: str) -> None:
    remove(tmp_path / state, progress)

    assert tmp_path.exists()


@pytest.mark.parametrize(
    ("option", "value"),
    [("--seed", "-1"), ("--seed", "2147482648"), ("--clinics", "0"), ("--clinics", "51"), ("--rounds", "abc")],
)
def test_a_number_out_of_bounds_is_refused_by_name(option: str, value: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["demo", option, value])

    assert ended.value.code == 2
    assert f"argument {option}: {value!r} is no whole number from" in capsys.readouterr().err


def test_words_in_brackets_are_shown_as_they_were_said() -> None:
    said = "BadJobInput: model.classes [type=too_short] [/x]"
    failed = RoundResult("demo-1", "Failed", "BadJobInput", said, 12.0, ("north",), 3, None, None)
    written = io.StringIO()

    Console(file=written, width=80).print(round_table(failed))

    assert said in written.getvalue()


def test_a_figure_just_below_a_floor_is_not_rounded_up_to_it() -> None:
    assert cut("0.699999") == "0.699"
