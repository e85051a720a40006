"""The README's own commands, typed one after the other as a first user does: what it claims of them comes true."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from fedround_local.federation.federation import Federation
from support.markdown_pages import CHECKOUT, FEDROUND, Page

pytestmark = pytest.mark.timeout(900)

README = Page(CHECKOUT / "README.md")
SECTIONS = ("With your own images", "The main job")
STATE = "build/mine"
#: What each command has to say, in this order; nobody may add a command to the README without saying what comes of it.
CLAIMS = (
    ("data synthesize", "300 images of "),
    ("data check", "usable: a training can use 300 of 300 cases"),
    ("local up", "running: 3 clinics (urban, northern, childrens)"),
    ("local kubectl", "federatedround.fedround.dev/first-round created"),
    ("local kubectl", "first-round   skin-lesion   Training"),
    ("report", "wrote build/first-round.html, whose sha256 is the one in the round's status"),
    ("rounds", "first-round   skin-lesion   "),
    ("local status", f"/{STATE}: running"),
    ("local down", f"nothing is left running; the state stays in {STATE}"),
)
_ENDED = re.compile(r"^first-round .* (Promoted|RolledBack|Failed) ")
_PHASE = re.compile(r"^first-round +skin-lesion +([A-Z]\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Typed:
    """A command of the README and what came of it; `said` has both streams."""

    words: Sequence[str]
    exit_code: int
    said: str


@pytest.fixture(scope="module")
def typed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sequence[Typed]]:
    """All of them, from a folder that has what the commands name of the checkout."""
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(CHECKOUT / "examples", folder / "examples")
    commands = [command.words for command in README.commands() if command.section in SECTIONS]
    try:
        yield [_typed(words, folder) for words in commands]
    finally:
        state = folder / STATE
        if state.exists():
            Federation(state, print).down()


def _typed(words: Sequence[str], folder: Path) -> Typed:
    assert words[0] in FEDROUND
    command = [sys.executable, "-m", "fedround_cli.main", *words[1:]]
    process = subprocess.Popen(
        command, cwd=folder, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if "--watch" not in words:
        said, _ = process.communicate(timeout=300)
        return Typed(words, process.returncode, said)
    said = "".join(_until_ended(process))
    # The README says to end it so.
    process.send_signal(signal.SIGINT)
    process.wait(20)
    return Typed(words, 0, said)


def _until_ended(process: "subprocess.Popen[str]") -> Iterator[str]:
    assert process.stdout is not None
    for line in process.stdout:
        yield line
        if _ENDED.match(line):
            return


def _environment() -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "KUBECONFIG" and "FEDROUND" not in name}
    return {**kept, "COLUMNS": "80"}


def test_every_command_does_what_is_claimed_of_it(typed: Sequence[Typed]) -> None:
    assert [" ".join(one.words[1:]).startswith(begins) for one, (begins, _) in zip(typed, CLAIMS, strict=True)] == [
        True
    ] * len(CLAIMS)
    wrong = [
        (one.words, one.exit_code, one.said)
        for one, (_, claim) in zip(typed, CLAIMS, strict=True)
        if one.exit_code != 0 or claim not in one.said
    ]
    assert wrong == []


def test_the_folder_is_described_as_it_is_shown(typed: Sequence[Typed]) -> None:
    said = next(one.said for one in typed if one.words[1:3] == ("data", "check"))

    assert _shown("With your own images") == said.strip()


def test_the_round_goes_through_the_phases_that_are_shown(typed: Sequence[Typed]) -> None:
    said = next(one.said for one in typed if "--watch" in one.words)
    shown, seen = (list(dict.fromkeys(_PHASE.findall(text))) for text in (_shown("The main job"), said))

    assert shown == ["Training", "Aggregating", "Validating", "Promoted"]
    # Whether so few images are enough for a promotion hangs on the last digits of a processor, and whether the round is
    # seen before it starts on the moment.
    assert [phase for phase in seen if phase != "Pending"] in (shown, [*shown[:-1], "RolledBack"])


def _shown(section: str) -> str:
    """The first output that the README shows in a section."""
    return next(block.text.strip() for block in README.blocks if (block.section, block.language) == (section, "text"))
