"""Exit codes and reasons: complete, and the same words everywhere."""

import re
from pathlib import Path

import pytest

from fedround_api.exitcodes import ExitCode, exit_code, final_codes
from fedround_api.reasons import Reason

SOURCES = Path(__file__).parents[3]
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
    assert final_codes() == [64, 65, 66, 70, 78, 79, 80, 81, 82, 83]


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
def test_every_reason_has_an_advice_of_one_line(reason: Reason) -> None:
    assert reason.advice.endswith(".")
    assert "\n" not in reason.advice
    assert len(reason.advice) <= 120


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
