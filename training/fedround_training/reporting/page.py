"""The report as one self-contained page: the only module that imports jinja2.

No script, no network, styles and plots inline; the template escapes whatever it is given.
"""

from jinja2 import Environment, PackageLoader, StrictUndefined

from fedround_api.report import GROUP_MINIMUM, Report, Stage
from fedround_training.reporting import plots, wording

_ENVIRONMENT = Environment(
    loader=PackageLoader("fedround_training.reporting", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ENVIRONMENT.filters |= {
    "shown": wording.shown,
    "interval": wording.interval,
    "cases": wording.cases,
    "duration": wording.duration,
    "moment": wording.moment,
}


def render(report: Report) -> str:
    """The page. The same report gives the same bytes."""
    old_scores, new_scores = plots.histograms(report)
    return _ENVIRONMENT.get_template("report.html").render(
        report=report,
        headline=wording.headline(report.verdict),
        guards=[wording.guard_words(guard) for guard in report.guards],
        participants=[wording.participant_words(one, report) for one in report.participants],
        change=wording.change,
        learnt_nothing=wording.scores_all_alike(report.incumbent),
        warm_up=report.verdict.stage is Stage.WARM_UP,
        roc=plots.roc_plot(report),
        histograms=((report.incumbent, old_scores), (report.candidate, new_scores)),
        exchange=plots.exchange_bar(report),
        frame=plots,
        group_minimum=GROUP_MINIMUM,
    )
