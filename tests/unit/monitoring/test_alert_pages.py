"""Dashboards and alerts against what they speak of: metrics that are counted, and a runbook for each alert."""

import re

from fedround_monitoring.alerts import BOTH, CLINIC, HUB, RUNBOOKS
from fedround_monitoring.dashboards import CLINIC_PAGES, HUB_PAGES
from fedround_operator.kit.metrics import AGENT, OPERATOR, Registry
from support.markdown_pages import CHECKOUT

EVERY = (*HUB_PAGES, *CLINIC_PAGES)
ALERTS = (*HUB, *CLINIC, *BOTH)
HEADINGS = re.findall(r"^### (\w+)$", (CHECKOUT / RUNBOOKS).read_text(), re.MULTILINE)


def counted(registry: Registry) -> set[str]:
    """The names under which metrics are asked for."""
    names = {family.name for family in registry.collect()}
    return names | {f"{name}{end}" for name in names for end in ("_total", "_count", "_sum", "_bucket")}


def spoken_of(expression: str) -> set[str]:
    return set(re.findall(r"fedround_\w+", expression))


def test_every_alert_has_its_section_in_the_runbooks_and_no_section_is_left_over() -> None:
    assert sorted(HEADINGS) == sorted({alert.name for alert in ALERTS})


def test_every_alert_links_to_its_section() -> None:
    for alert in ALERTS:
        assert alert.rule()["annotations"]["runbook_url"] == f"docs/runbooks.md#{alert.name.lower()}"


def test_the_hubs_alerts_and_pages_ask_only_for_what_its_operator_counts() -> None:
    queries = [query.expression for page in HUB_PAGES for panel in page.panels for query in panel.queries]

    for expression in (*queries, *(alert.expression for alert in (*HUB, *BOTH))):
        assert spoken_of(expression) <= counted(OPERATOR), expression


def test_a_clinics_alerts_and_page_ask_only_for_what_its_agent_counts() -> None:
    queries = [query.expression for page in CLINIC_PAGES for panel in page.panels for query in panel.queries]

    for expression in (*queries, *(alert.expression for alert in (*CLINIC, *BOTH))):
        assert spoken_of(expression) <= counted(AGENT), expression


def test_every_metric_is_on_a_page_or_in_an_alert() -> None:
    queries = [query.expression for page in EVERY for panel in page.panels for query in panel.queries]
    asked = {name for text in (*queries, *(alert.expression for alert in ALERTS)) for name in spoken_of(text)}
    ends = ("_total", "_count", "_sum", "_bucket", "")

    families = {family.name for registry in (OPERATOR, AGENT) for family in registry.collect()}
    assert {name for name in families if not asked & {f"{name}{end}" for end in ends}} == set()
