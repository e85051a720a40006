"""`fedround explain`: every word of the enums has an entry, in text and as JSON."""

import json

import pytest

from fedround_api.exitcodes import ExitCode
from fedround_api.reasons import Reason
from fedround_cli.main import main


def explained(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["explain", *arguments]) == 0
    return capsys.readouterr().out


def test_a_reason_is_explained_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert explained("LeaseExpired", capsys=capsys) == (
        "LeaseExpired (reason, clinics and their part in a round)\n"
        "  meaning     The clinic's agent has not renewed its Lease in time: it is down,\n"
        "              or its network is.\n"
        "  what to do  Start the agent, and look whether the clinic's network lets it\n"
        "              out to the gateway.\n"
    )


def test_progress_asks_for_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert "  what to do  nothing\n" in explained("Training", capsys=capsys)


def test_an_exit_code_of_a_job_says_whether_another_attempt_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(explained("75", "--json", capsys=capsys)) == {
        "word": "75",
        "given": "exit code of a Job: STORE_UNAVAILABLE, reason StoreUnavailable",
        "meaning": "The object store or the gateway did not answer; the Job is made again.",
        "action": "Wait; if it goes on, look whether both run and whether the clinic's network lets it out.",
        "retried": True,
    }
    assert explained("65", capsys=capsys).endswith("  made again  no\n")


def test_an_exit_code_of_the_program_itself_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert explained("130", capsys=capsys) == (
        "130 (exit code of fedround)\n"
        "  meaning     Interrupted.\n"
        "  what to do  Call it again: state folders go on where they were.\n"
    )


def test_a_word_is_found_in_any_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert explained("highriskcaseslost", capsys=capsys) == explained("HighRiskCasesLost", capsys=capsys)


def test_without_a_word_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    lines = explained(capsys=capsys).splitlines()
    entries = json.loads(explained("--json", capsys=capsys))

    listed = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert listed == [entry["word"] for entry in entries]
    assert set(listed) == {*map(str, Reason), *(str(int(code)) for code in ExitCode), "1", "2", "130", "141"}
    assert max(map(len, lines)) < 80
