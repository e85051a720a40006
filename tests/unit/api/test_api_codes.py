"""Exit codes and reasons: complete, and the same words everywhere."""

import re
from pathlib import Path

import pytest

from fedround_api.exitcodes import ExitCode, exit_code, final_codes
from fedround_api.reasons import GROUPS, Reason

SOURCES = Path(__file__).parents[3]
PROGRESS = [
    *(Reason.ACCEPTED, Reason.STARTED, Reason.TRAINING, Reason.QUORUM_MET, Reason.AGGREGATING, Reason.VALIDATING),
    *(Reason.COMPLETED, Reason.GATE_PASSED, Reason.WARM_UP_PASSED, Reason.RELEASED, Reason.LEASE_RENEWED),
    *(Reason.WORKING, Reason.SUBMITTED, Reason.INITIALIZING, Reason.INITIALIZED, Reason.LOCKED_IN),
    *(Reason.CERTIFICATE_VALID, Reason.NO_RENEWAL_REQUESTED),
]
VERBS = (
    *("Approve", "Create", "Find", "Install", "Leave", "Look", "Make", "Mend", "Raise", "Restore", "Set", "Start"),
    *("Train", "Use", "Wait"),
)
RETRYABLE = [ExitCode.STORE_UNAVAILABLE, ExitCode.STORE_REFUSED, ExitCode.KILLED, ExitCode.TERMINATED]


@pytest.mark.parametrize("code", ExitCode)
def test_every_code_has_a_reason(code: ExitCode) -> None:
    assert isinstance(code.reason, Reason)


def test_codes_of_different_failures_have_different_reasons() -> None:
    reasons = [code.reason for code in ExitCode if code is not ExitCode.TERMINATED]

    assert len(set(reasons)) == len(reasons)


def test_only_an_outage_or_a_kill_is_worth_another_attempt() -> None:
    assert [code for code in ExitCode if code.retryable] == RETRYABLE


def test_after_which_codes_another_attempt_is_pointless() -> None:
    assert final_codes() == [64, 65, 66, 70, 78, 79, 80, 81, 82, 83, 84]


def test_a_policy_on_exit_codes_never_names_success() -> None:
    """Kubernetes refuses a podFailurePolicy with 0 in an `In` rule."""
    assert 0 not in final_codes()


@pytest.mark.parametrize("number", [1, 2, 42, 126, 127, 139, 255, -1])
def test_a_number_that_no_job_uses_counts_as_a_defect(number: int) -> None:
    assert exit_code(number) is ExitCode.INTERNAL


def test_a_killed_container_counts_as_killed() -> None:
    assert exit_code(137) is ExitCode.KILLED
    assert exit_code(143) is ExitCode.TERMINATED


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_says_in_one_sentence_what_it_means(reason: Reason) -> None:
    assert re.fullmatch(r"[A-Zs][^\n]{10,118}\.", reason.meaning)


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason not in PROGRESS])
def test_every_reason_that_is_not_progress_tells_the_reader_to_do_something(reason: Reason) -> None:
    assert re.fullmatch(rf"({'|'.join(VERBS)})\b[^\n]{{3,118}}\.", reason.action)
    assert reason.advice == f"{reason.meaning} {reason.action}"


@pytest.mark.parametrize("reason", PROGRESS)
def test_progress_asks_nothing_of_the_reader(reason: Reason) -> None:
    assert reason.action == ""
    assert reason.advice == reason.meaning


def test_every_reason_has_its_place_in_the_documentation_once() -> None:
    placed = [reason for group in GROUPS.values() for reason in group]

    assert placed == list(Reason)


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_a_word_that_a_condition_can_carry(reason: Reason) -> None:
    assert re.fullmatch("[A-Z][A-Za-z]{1,63}", reason)


def test_no_reason_is_an_orphan() -> None:
    """Each is given somewhere: by an exit code, by a decision or by the gate."""
    text = "\n".join(
        path.read_text()
        for root in ("crds/fedround_api", "operator/fedround_operator", "training/fedround_training")
        for path in sorted((SOURCES / root).rglob("*.py"))
        if path.name != "reasons.py"
    )

    assert [reason.name for reason in Reason if f"Reason.{reason.name}" not in text] == []
