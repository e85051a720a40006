"""The report as a value: every figure of a small round, spelled out."""

import json
from datetime import UTC, datetime

import pytest

from fedround_api.report import Guard, GuardName, Report, Stage
from fedround_training.reporting.build import document_of
from support.report_inputs import make_report

REPORT = make_report()


def test_the_verdict_says_why_and_what_happens_now() -> None:
    verdict = REPORT.verdict

    assert (verdict.result, verdict.reason, verdict.stage) == ("RollBack", "HighRiskCasesLost", Stage.RELEASED)
    assert (verdict.lost, verdict.gained, verdict.threshold, verdict.release) == (2, 1, 0.5, False)
    assert verdict.sentence == (
        "The candidate catches 7 of 10 high-risk cases, losing 2 that the incumbent catches and gaining 1 that the "
        "incumbent misses."
    )
    assert verdict.outcome == "The candidate is set aside: it does not take the place of version 3."


def test_figures_have_their_intervals_and_cells() -> None:
    assert REPORT.candidate.confusion.dump() == {"caught": 7, "missed": 3, "cleared": 9, "alarmed": 1}
    assert REPORT.incumbent.confusion.dump() == {"caught": 8, "missed": 2, "cleared": 9, "alarmed": 1}
    assert REPORT.candidate.figures.sensitivity.dump() == {"value": 0.7, "low": 0.396778, "high": 0.892209}
    assert REPORT.incumbent.figures.sensitivity.value == 0.8
    assert REPORT.candidate.figures.auroc.value == 0.89
    assert (REPORT.incumbent.version, REPORT.candidate.version) == (3, 4)


def test_scores_are_counted_in_twenty_bins_by_kind() -> None:
    scores = REPORT.candidate.scores

    assert {number: count for number, count in enumerate(scores.high_risk) if count} == {2: 1, 6: 2, 12: 1, 16: 6}
    assert {number: count for number, count in enumerate(scores.other) if count} == {2: 8, 8: 1, 14: 1}


def test_a_clinic_with_fewer_than_five_high_risk_cases_has_no_figures() -> None:
    north, south = REPORT.test_set_clinics

    assert north.figures is not None
    assert (north.figures.lost, north.figures.gained, north.figures.candidate.caught) == (1, 0, 6)
    assert (south.clinic, south.figures) == ("south", None)


def test_clinics_that_submitted_weigh_their_declared_volume_up_to_the_cap_and_others_nothing() -> None:
    assert [(one.name, one.weight, one.cases, one.reason) for one in REPORT.participants] == [
        ("east", None, None, "NoRecentCases"),
        ("north", 1200, 240, None),
        ("south", 10_000, None, None),
        ("west", None, None, None),
    ]


def test_durations_are_told_in_seconds() -> None:
    assert REPORT.durations.dump() == {"trainingSeconds": 1200.0, "aggregationSeconds": 5.0, "validationSeconds": 4.0}


def test_where_clocks_disagree_the_aggregations_duration_is_not_told() -> None:
    report = make_report(began=datetime(2026, 11, 24, 12, 19, 30, tzinfo=UTC))

    assert report.durations.aggregation_seconds is None


def test_a_training_that_closed_before_it_started_took_no_time() -> None:
    assert make_report(training_closed_at="2026-11-24T11:59:58Z").durations.training_seconds == 0.0


def test_it_says_that_updates_were_neither_noised_nor_masked() -> None:
    assert [one.what for one in REPORT.not_protected] == [
        "Updates were not noised (no differential privacy).",
        "Updates were not masked (no secure aggregation).",
    ]


def guard(report: Report, name: GuardName) -> Guard:
    return next(one for one in report.guards if one.name is name)


def test_what_a_guard_found_is_rounded_away_from_passing() -> None:
    """Two of three is 0.666666666 against a floor and 0.666666667 as a drop."""
    report = make_report(
        [(0.9, 0.9), (0.9, 0.9), (0.1, 0.1)], [(0.1, 0.9), (0.1, 0.9), (0.1, 0.1)], clinics=("north", "south")
    )

    assert guard(report, GuardName.SENSITIVITY_FLOOR).found == 0.666666666
    assert guard(report, GuardName.SPECIFICITY_DROP).found == 0.666666667


@pytest.mark.parametrize("released", [None, "0.5"])
def test_whether_a_guard_holds_can_be_checked_by_comparing_its_numbers(released: str | None) -> None:
    for one in make_report(released=released).guards:
        assert one.holds == (one.found >= one.limit if one.bound == "AtLeast" else one.found <= one.limit)


@pytest.mark.parametrize(
    ("cases", "released", "reason", "outcome"),
    [
        (
            ([(0.9, 0.1)], [(0.3, 0.3)]),
            None,
            "WarmUpAurocLower",
            "The candidate is set aside: it does not take the place of version 3. No version is released for use yet.",
        ),
        (
            ([(0.3, 0.6), (0.3, 0.2)], [(0.3, 0.5)] * 4),
            None,
            "WarmUpPassed",
            "The candidate is to become version 4, for the next round to go on from. "
            "No version is released for use yet.",
        ),
        (
            ([(0.3, 0.9)] * 3, [(0.3, 0.1)] * 4),
            None,
            "Released",
            "The candidate is to become version 4, which clinics may then use.",
        ),
        (
            ([(0.9, 0.9)] * 3, [(0.3, 0.1)] * 4),
            "0.5",
            "GatePassed",
            "The candidate is to become version 4, which clinics may then use, in place of version 3.",
        ),
    ],
)
def test_every_kind_of_verdict_says_what_happens_now(
    cases: tuple[list[tuple[float, float]], list[tuple[float, float]]], released: str | None, reason: str, outcome: str
) -> None:
    verdict = make_report(*cases, released=released).verdict

    assert (verdict.reason, verdict.outcome) == (reason, outcome)


def test_the_document_is_read_back_as_the_same_report() -> None:
    document = document_of(REPORT)

    assert Report.model_validate_json(document) == REPORT
    assert json.loads(document)["schemaVersion"] == "1"
