"""Where things are drawn."""

import pytest

from fedround_training.reporting import plots
from support.report_inputs import make_report

REPORT = make_report()


def test_the_roc_curve_runs_from_the_lower_left_to_the_upper_right_corner() -> None:
    curve = plots.roc_plot(REPORT).candidate.points.split()

    assert (curve[0], curve[-1]) == ("62.0,400.0", "448.0,14.0")


def test_the_mark_lies_where_the_threshold_puts_the_model() -> None:
    """One of ten others flagged, seven of ten high-risk cases caught."""
    assert plots.roc_plot(REPORT).candidate.operating == plots.Point(100.6, 129.8)


def test_bars_are_as_high_as_their_share_of_the_cases_of_a_kind() -> None:
    incumbent, candidate = plots.histograms(REPORT)

    assert [tick.text for tick in candidate.y_ticks] == ["0", "20", "40", "60", "80"]
    assert incumbent.y_ticks == candidate.y_ticks
    # Six of the ten high-risk cases have a score of 0.8, which opens the seventeenth bin.
    assert candidate.high_risk[-1] == plots.Bar(x=371.8, y=58.0, width=8.7, height=132.0)
    assert candidate.other[0].height == 176.0
    assert candidate.threshold == 255.0


@pytest.mark.parametrize(("equal_scores", "top"), [(8, "100"), (4, "60"), (2, "40")])
def test_the_axis_ends_above_the_highest_bar(equal_scores: int, top: str) -> None:
    scores = [(0.02, 0.02)] * equal_scores + [(0.125 + n / 10, 0.125 + n / 10) for n in range(8 - equal_scores)]

    assert plots.histograms(make_report(scores, scores))[0].y_ticks[-1].text == top


def test_a_threshold_above_all_scores_is_drawn_at_the_end() -> None:
    assert plots.histograms(make_report(released="1.000000001"))[1].threshold == 448.0


def test_the_bar_of_lost_and_gained_cases_leaves_out_what_is_empty() -> None:
    assert [(piece.kind, piece.cases, piece.bar.x, piece.bar.width) for piece in plots.exchange_bar(REPORT)] == [
        ("both", 6, 0.0, 600.0),
        ("lost", 2, 600.0, 200.0),
        ("gained", 1, 800.0, 100.0),
        ("neither", 1, 900.0, 100.0),
    ]
    assert [piece.kind for piece in plots.exchange_bar(make_report([(0.9, 0.9)], [(0.1, 0.1)]))] == ["both"]
