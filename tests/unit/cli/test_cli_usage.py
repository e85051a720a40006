"""A command line that cannot be understood: one sentence that helps, exit code 2, and with --json a document too."""

import json

import pytest

from fedround_cli.main import main

SENTENCES = [
    (["dmeo"], "there is no command dmeo: did you mean demo? See `fedround --help`."),
    (["local", "stauts"], "there is no command stauts: did you mean status? See `fedround local --help`."),
    (["local", "xyz"], "there is no command xyz: choose from up, status, down, kubectl. See `fedround local --help`."),
    (["local"], "missing: ACTION. See `fedround local --help`."),
    (["local", "status"], "missing: --state. See `fedround local status --help`."),
    (["demo", "--ronuds", "3"], "there is no option --ronuds: did you mean --rounds? See `fedround demo --help`."),
    (["demo", "--ronuds=3"], "there is no option --ronuds=3: did you mean --rounds? See `fedround demo --help`."),
    (["demo", "--qqq"], "there is no option --qqq. See `fedround demo --help`."),
    (["demo", "3"], "there is no argument 3. See `fedround demo --help`."),
    (["demo", "--rounds"], "argument --rounds: expected one argument. See `fedround demo --help`."),
    (["completion", "bsh"], "there is no shell bsh: did you mean bash? See `fedround completion --help`."),
    (
        ["explain", "HighRiskLost"],
        "there is no reason or code HighRiskLost: did you mean HighRiskCasesLost? See `fedround explain --help`.",
    ),
    (["explain", "99"], "there is no reason or code 99. See `fedround explain --help`."),
]


@pytest.mark.parametrize(("arguments", "sentence"), SENTENCES)
def test_a_wrong_line_is_answered_by_one_sentence_that_says_where_to_look(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exit_code = main(arguments)

    said = capsys.readouterr()
    assert exit_code == 2
    assert said.err == f"fedround: {sentence}\n"
    assert said.out == ""


def test_with_json_the_sentence_is_also_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["local", "status", "--json"])

    said = capsys.readouterr()
    assert exit_code == 2
    assert json.loads(said.out) == {
        "error": "missing: --state. See `fedround local status --help`.",
        "exitCode": 2,
    }
    assert said.err == "fedround: missing: --state. See `fedround local status --help`.\n"


def test_an_abbreviation_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """A later option would give it another meaning in a script that nobody looks at."""
    assert main(["explain", "--jso"]) == 2
    assert "there is no option --jso: did you mean --json?" in capsys.readouterr().err


def test_options_that_do_not_go_together_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["local", "up", "--data", "photos", "--state", "nowhere"])

    assert exit_code == 2
    assert capsys.readouterr().err == (
        "fedround: a new federation needs both --data DIR and --clinics N; to go on with one, leave both out\n"
    )


@pytest.mark.parametrize("option", ["--open", "--output=w48.html"])
def test_figures_go_to_standard_output_alone(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main(["report", "w48", "--json", option])

    assert exit_code == 2
    assert capsys.readouterr().err == (
        "fedround: --json prints the figures on standard output (`>FILE` keeps them); --output and --open are for the "
        "page\n"
    )


def test_a_picture_that_could_not_be_written_is_refused_before_it_is_drawn(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exit_code = main(["data", "synthesize", "--contact-sheet", "sheet.tiff"])

    assert exit_code == 2
    assert capsys.readouterr().err == (
        "fedround: --contact-sheet writes a JPEG or a PNG: let the file end in .jpg or .jpeg or .png\n"
    )


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code = main([])

    said = capsys.readouterr()
    assert exit_code == 2
    assert said.out == ""
    assert said.err.startswith("usage: fedround [options] COMMAND")


def test_as_a_plugin_of_kubectl_it_calls_itself_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["/usr/local/bin/kubectl-fedround", "explain", "--help"])

    with pytest.raises(SystemExit) as ended:
        main()

    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert text.startswith("usage: kubectl fedround explain [options] [REASON|CODE]\n")
    assert "\n  kubectl fedround explain 65 " in text
    assert "  fedround" not in text
