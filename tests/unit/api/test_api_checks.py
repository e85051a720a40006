"""Checks: made in order, skipped for want of another, and told within a termination message."""

import pytest

from fedround_api.checks import (
    Check,
    CheckFailed,
    CheckReport,
    CheckResult,
    Noted,
    made,
    read_checks,
    report_text,
    told,
)


def failing() -> str:
    raise CheckFailed("no door: open it")


def test_each_result_is_told_in_its_place() -> None:
    checks: dict[str, Check] = {
        "one": lambda: "fine",
        "two": lambda: Noted("fine, but"),
        "three": failing,
        "four": lambda: "needs three",
        "five": lambda: "needs four",
        "six": lambda: "needs two",
    }

    defects: list[Exception] = []

    found = list(made(checks, {"four": "three", "five": "four", "six": "two"}, log_defect=defects.append))

    assert [(one.name, one.result.value, one.message) for one in found] == [
        ("one", "ok", "fine"),
        ("two", "note", "fine, but"),
        ("three", "failed", "no door: open it"),
        ("four", "skipped", "not tried, for want of: three"),
        ("five", "skipped", "not tried, for want of: four"),
        ("six", "ok", "needs two"),
    ]
    assert defects == []


def test_a_defect_in_a_check_costs_none_of_the_others_and_is_told_without_its_text() -> None:
    defect = RuntimeError("cannot allocate for Jane Doe")
    defects: list[Exception] = []

    def broken() -> str:
        raise defect

    checks: dict[str, Check] = {"one": lambda: "fine", "two": broken, "three": lambda: "two", "four": lambda: "too"}

    found = list(made(checks, {"three": "two"}, log_defect=defects.append))

    assert [(one.name, one.result.value, one.message) for one in found] == [
        ("one", "ok", "fine"),
        ("two", "failed", "not made, by a defect (RuntimeError): report it with the log"),
        ("three", "skipped", "not tried, for want of: two"),
        ("four", "ok", "too"),
    ]
    assert defects == [defect]


def test_what_was_told_is_read_again() -> None:
    found = [told("lock", CheckResult.OK, "locked in"), told("data", CheckResult.FAILED, "no table")]

    assert read_checks(report_text(found)) == found


@pytest.mark.parametrize(
    "message", [None, "", "no JSON", '{"checks": [{"name": "lock"}]}', '{"role": "train"}', "x" * 5000]
)
def test_what_is_no_report_tells_nothing(message: str | None) -> None:
    assert read_checks(message) == []


def test_the_longest_report_fits_a_termination_message() -> None:
    found = [told(f"check {number}", CheckResult.FAILED, 'é"\\\n' * 400) for number in range(8)]

    text = report_text(found)

    assert len(text.encode()) <= 4096
    assert [one.name for one in read_checks(text)] == [f"check {number}" for number in range(8)]
    assert read_checks(text)[0].message.startswith("?'/ ?'/ ")


def test_a_report_that_fits_is_not_cut() -> None:
    found = [told(f"check {number}", CheckResult.OK, "m" * 400) for number in range(8)]

    assert [len(one.message) for one in read_checks(report_text(found))] == [400] * 8


def test_more_checks_than_a_report_may_have_are_refused() -> None:
    one = CheckReport(name="one", result=CheckResult.OK, message="")
    with pytest.raises(ValueError, match="at most 8"):
        report_text([one] * 9)
