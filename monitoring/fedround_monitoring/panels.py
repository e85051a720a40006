"""What a dashboard shows, as values, and the one door to the library that makes Grafana's JSON of it."""

import json
from dataclasses import dataclass
from enum import Enum
from itertools import count
from typing import Any

from grafana_foundation_sdk.builders import bargauge, dashboard, prometheus, stat, statetimeline, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef, VariableRefresh

# In the 24 columns of a dashboard.
FULL, HALF, THIRD, QUARTER = 24, 12, 8, 6
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")


class Show(Enum):
    """How a panel draws what its queries give."""

    LINES = (timeseries.Panel, 8)
    NUMBER = (stat.Panel, 5)
    BARS = (bargauge.Panel, 8)
    STATES = (statetimeline.Panel, 8)


@dataclass(frozen=True)
class Query:
    """A query in PromQL, and how its series are called, such as `{{model}}`; `instant` asks for the present only."""

    expression: str
    legend: str = "__auto"
    instant: bool = False


@dataclass(frozen=True)
class Panel:
    """One picture: a title, a sentence on how to read it, a unit of Grafana's, and what is asked."""

    title: str
    description: str
    unit: str
    queries: tuple[Query, ...]
    show: Show = Show.LINES
    width: int = HALF


@dataclass(frozen=True)
class Variable:
    """A choice that the reader has: a label's values among the series of a metric."""

    name: str
    query: str


@dataclass(frozen=True)
class Dashboard:
    """A page. Its name is that of its file and, with `fedround-` before it, of its address."""

    name: str
    title: str
    description: str
    rows: tuple[tuple[str, tuple[Panel, ...]], ...]
    variables: tuple[Variable, ...] = ()

    @property
    def panels(self) -> list[Panel]:
        """All of them, in their order."""
        return [panel for _, panels in self.rows for panel in panels]


def text_of(page: Dashboard) -> str:
    """The page as JSON that Grafana imports."""
    made = (
        dashboard.Dashboard(page.title)
        .uid(f"fedround-{page.name}")
        .description(page.description)
        .tags(["fedround"])
        .timezone("browser")
        .refresh("30s")
        .time("now-6h", "now")
        .with_variable(dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    )
    for variable in page.variables:
        made = made.with_variable(_choice(variable))
    numbers = count(1)
    for title, panels in page.rows:
        made = made.with_row(dashboard.Row(title).id(next(numbers)))
        for panel in panels:
            made = made.with_panel(_drawn(panel).id(next(numbers)))
    return json.dumps(_sorted(json.loads(JSONEncoder(sort_keys=True).encode(made.build()))), indent=2) + "\n"


def _choice(variable: Variable) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(variable.name)
        .query(variable.query)
        .datasource(SOURCE)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .include_all(True)
        .multi(True)
    )


def _drawn(panel: Panel) -> Any:
    kind, height = panel.show.value
    made = kind().title(panel.title).description(panel.description).unit(panel.unit).datasource(SOURCE)
    made = made.height(height).span(panel.width)
    for number, query in enumerate(panel.queries):
        made = made.with_target(_asked(query, "ABCDEFGH"[number]))
    return made


def _asked(query: Query, name: str) -> prometheus.Dataquery:
    asked = prometheus.Dataquery().expr(query.expression).legend_format(query.legend).ref_id(name)
    return asked.instant() if query.instant else asked.range()


def _sorted(value: Any) -> Any:
    """The same, so that it does not depend on the order in which a library sets fields."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(one) for one in value] if isinstance(value, list) else value
