"""The plots of the page as coordinates: what the template draws, in units of each plot's view box. Pure.

Text in a plot is drawn with 15 units and more, so that it can still be read where a plot is squeezed to a phone's
width.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fedround_api.report import SCORE_BINS, Confusion, Evaluated, Report, Scores

# Where the axes of a plot lie: room on the left and below for ticks and labels.
LEFT, RIGHT, TOP = 62.0, 448.0, 14.0
ROC_BOTTOM, HISTOGRAM_BOTTOM = 400.0, 190.0
_FIFTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
# Upper ends of the histograms' axis in percent, and its steps.
_PERCENT_ENDS = ((10, 5), (20, 10), (40, 20), (60, 20), (80, 20), (100, 25))
_GAP = 1.0


@dataclass(frozen=True)
class Tick:
    """A mark on an axis."""

    at: float
    text: str


@dataclass(frozen=True)
class Point:
    """A place in a plot."""

    x: float
    y: float


@dataclass(frozen=True)
class Curve:
    """One model's ROC curve, as the `points` of an SVG polyline, and its place at the threshold."""

    points: str
    operating: Point


@dataclass(frozen=True)
class RocPlot:
    """Both curves on one pair of axes."""

    candidate: Curve
    incumbent: Curve
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Bar:
    """A bar that stands on the axis, or a piece of a bar that lies."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Histogram:
    """One model's scores: bars of the high-risk cases and of the others, side by side in each bin."""

    high_risk: tuple[Bar, ...]
    other: tuple[Bar, ...]
    threshold: float
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Piece:
    """A group of the high-risk cases in the bar of what was lost and gained."""

    kind: str
    cases: int
    bar: Bar


def roc_plot(report: Report) -> RocPlot:
    """Both models' curves."""
    return RocPlot(
        candidate=_curve(report.candidate),
        incumbent=_curve(report.incumbent),
        x_ticks=tuple(Tick(_across(share), f"{share:.1f}") for share in _FIFTHS),
        y_ticks=tuple(Tick(_up(share, ROC_BOTTOM), f"{share:.1f}") for share in _FIFTHS),
    )


def histograms(report: Report) -> tuple[Histogram, Histogram]:
    """The incumbent's and the candidate's scores, on the same scale."""
    models = (report.incumbent.scores, report.candidate.scores)
    highest = max(max(_percent(counts)) for scores in models for counts in (scores.high_risk, scores.other))
    end, step = next((end, step) for end, step in _PERCENT_ENDS if highest <= end)
    ticks = tuple(Tick(_up(percent / end, HISTOGRAM_BOTTOM), str(percent)) for percent in range(0, end + 1, step))
    incumbent, candidate = (_histogram(scores, report.verdict.threshold, end, ticks) for scores in models)
    return incumbent, candidate


def exchange_bar(report: Report) -> tuple[Piece, ...]:
    """All high-risk cases in one bar: caught by both, lost, gained, missed by both; without empty groups."""
    verdict, old, new = report.verdict, report.incumbent.confusion, report.candidate.confusion
    groups = (
        ("both", old.caught - verdict.lost),
        ("lost", verdict.lost),
        ("gained", verdict.gained),
        ("neither", new.missed - verdict.lost),
    )
    total, x, pieces = old.caught + old.missed, 0.0, []
    for kind, cases in groups:
        width = 1000 * cases / total
        if cases:
            pieces.append(Piece(kind, cases, Bar(_r(x), 0.0, _r(width), 40.0)))
        x += width
    return tuple(pieces)


def _curve(model: Evaluated) -> Curve:
    corners = zip(model.roc.false_positive_rate, model.roc.true_positive_rate, strict=True)
    points = " ".join(f"{_across(x)},{_up(y, ROC_BOTTOM)}" for x, y in corners)
    return Curve(points, _operating_point(model.confusion))


def _operating_point(cells: Confusion) -> Point:
    x, y = cells.alarmed / (cells.alarmed + cells.cleared), cells.caught / (cells.caught + cells.missed)
    return Point(_across(x), _up(y, ROC_BOTTOM))


def _histogram(scores: Scores, threshold: float, end: int, y_ticks: tuple[Tick, ...]) -> Histogram:
    return Histogram(
        high_risk=_bars(_percent(scores.high_risk), end, 0),
        other=_bars(_percent(scores.other), end, 1),
        threshold=_across(threshold),
        x_ticks=tuple(Tick(_across(share), f"{share:.1f}") for share in _FIFTHS),
        y_ticks=y_ticks,
    )


def _bars(percents: Sequence[float], end: int, place: int) -> tuple[Bar, ...]:
    """The left (0) or right (1) half of each bin that is not empty."""
    half = (RIGHT - LEFT) / SCORE_BINS / 2
    return tuple(
        Bar(
            x=_r(LEFT + (2 * number + place) * half + (_GAP if place == 0 else 0)),
            y=_up(percent / end, HISTOGRAM_BOTTOM),
            width=_r(half - _GAP),
            height=_r((HISTOGRAM_BOTTOM - TOP) * percent / end),
        )
        for number, percent in enumerate(percents)
        if percent
    )


def _percent(counts: Sequence[int]) -> list[float]:
    return [100 * count / sum(counts) for count in counts]


def _across(share: float) -> float:
    return _r(LEFT + (RIGHT - LEFT) * share)


def _up(share: float, bottom: float) -> float:
    return _r(bottom - (bottom - TOP) * share)


def _r(value: float) -> float:
    """A tenth of a unit is less than can be seen."""
    return round(value, 1)
