"""The completion script in a real bash, and well-formed scripts for the other shells."""

import shutil
import subprocess
from pathlib import Path

import pytest

from fedround_cli.completion import script

needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash on this machine")
# What bash does at the Tab key: it fills COMP_WORDS and calls the function that the script has registered.
_PRESS_TAB = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
registered=$(complete -p fedround); function=${registered#*-F }
"${function%% *}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture(scope="module")
def bash_script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "fedround.bash"
    path.write_text(script("bash"))
    return path


def completed(bash_script: Path, *words: str, cwd: Path | None = None) -> set[str]:
    """What bash offers after these words, the last of which is being typed."""
    command = ["bash", "--norc", "-c", _PRESS_TAB, "bash", str(bash_script), "fedround", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True, cwd=cwd)
    assert done.stderr == ""
    return set(done.stdout.split())


@needs_bash
@pytest.mark.parametrize(
    ("words", "want"),
    [
        (("de",), {"demo"}),
        (("local", ""), {"up", "status", "down", "kubectl"}),
        (("local", "st"), {"status"}),
        (("local", "status", "--j"), {"--json"}),
        (("demo", "--rou"), {"--rounds"}),
        (("completion", ""), {"bash", "zsh", "fish"}),
        (("explain", "HighRisk"), {"HighRiskCasesLost"}),
        (("explain", "7"), {"70", "75", "76", "78", "79"}),
    ],
)
def test_bash_completes_commands_options_and_words(bash_script: Path, words: tuple[str, ...], want: set[str]) -> None:
    assert completed(bash_script, *words) == want


@needs_bash
def test_bash_completes_folders_where_a_folder_is_meant(bash_script: Path, tmp_path: Path) -> None:
    (tmp_path / "state-one").mkdir()
    (tmp_path / "state.txt").touch()

    assert completed(bash_script, "local", "down", "--state", "sta", cwd=tmp_path) == {"state-one"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_program_is_completed_under_its_own_name(shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/usr/local/bin/kubectl-fedround"])

    text = script(shell)

    registrations = {"bash": "-F _shtab_fedround fedround", "zsh": "#compdef fedround", "fish": "complete -c fedround"}
    assert registrations[shell] in text
    assert "kubectl fedround" not in text


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_another_shell_gets_a_script_that_it_can_parse(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} on this machine")

    subprocess.run([shell, "-n"], input=script(shell), text=True, timeout=30, check=True)
