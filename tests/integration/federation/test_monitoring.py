"""Every query of every panel and every alert, asked of a real Prometheus that has watched two rounds."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fedround_local.federation.runtime import OPERATOR
from fedround_monitoring.alerts import BOTH, CLINIC, CLINIC_NAMESPACE, HUB, HUB_NAMESPACE, Alert
from fedround_monitoring.dashboards import CLINIC_PAGES, HUB_PAGES
from fedround_monitoring.panels import Panel
from support.federation_fixture import Network, wait_for
from support.prometheus_server import Prometheus

pytestmark = pytest.mark.timeout(600)

CHARTS = Path(__file__).parents[3] / "charts"
MODEL = "watched"
PANELS = [
    pytest.param(panel, id=f"{page.name}: {panel.title}")
    for page in (*HUB_PAGES, *CLINIC_PAGES)
    for panel in page.panels
]
ALERTS = [pytest.param(alert, id=f"{alert.name} {alert.severity}") for alert in (*HUB, *CLINIC, *BOTH)]
# What Grafana puts in their place: all of each label, and windows of some scrapes and of the time shown.
GRAFANA = {"$network": ".*", "$model": ".*", "$__rate_interval": "10s", "$__range": "10m"}
SELECTOR = re.compile(r"fedround_\w+(?:\{[^}]*\})?")
# There is no such series before something goes wrong for the first time; that they appear is a unit test's matter.
ONLY_AFTER_A_FAILURE = {
    'fedround_reconciles_total{result="error"}',
}


@pytest.fixture(scope="module")
def prometheus(network: Network, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """After a round that had to wait before it began, and one more."""
    network.await_available()
    rules = (CHARTS / chart / "files" / "monitoring" / "rules.yaml" for chart in ("fedround-hub", "fedround-clinic"))
    ports = dict(network.record.metrics_ports)
    places = {HUB_NAMESPACE: [ports.pop(OPERATOR)], CLINIC_NAMESPACE: ports.values()}
    server = Prometheus(tmp_path_factory.mktemp("prometheus"), places, rules)
    try:
        wait_for(server.ready, "Prometheus has scraped everything", 60)
        network.make_model(MODEL)
        network.start_round("watched-1", MODEL, suspend=True)
        waiting = f'fedround_model_round_clinics{{model="{MODEL}", state="Available"}}'
        wait_for(lambda: bool(server.values(waiting)), "a round that waits is scraped", 60)
        network.change_round("watched-1", suspend=False)
        network.ended("watched-1")
        network.run_round("watched-2", MODEL)
        ended = f'sum(fedround_rounds_total{{model="{MODEL}"}})'
        wait_for(lambda: server.values(ended, instant=True) == [2.0], "the end of both rounds is scraped", 60)
        yield server
    finally:
        server.close()


def asked(expression: str) -> str:
    for name, value in GRAFANA.items():
        expression = expression.replace(name, value)
    return expression


@pytest.mark.parametrize("panel", PANELS)
def test_every_query_of_a_panel_returns_data(panel: Panel, prometheus: Prometheus) -> None:
    for query in panel.queries:
        assert prometheus.values(asked(query.expression), instant=query.instant), query.expression


@pytest.mark.parametrize("alert", ALERTS)
def test_what_an_alert_looks_at_is_there(alert: Alert, prometheus: Prometheus) -> None:
    selectors = SELECTOR.findall(alert.expression)

    assert selectors
    for selector in set(selectors) - ONLY_AFTER_A_FAILURE:
        assert prometheus.values(selector), selector
    for selector in set(selectors) & ONLY_AFTER_A_FAILURE:
        name = re.sub(r"(_total|_count)?\{.*", "", selector)
        assert any(known.startswith(name) for known in prometheus.get("metadata")), selector


def test_prometheus_evaluates_every_rule_and_after_two_good_rounds_no_alert_is_due(prometheus: Prometheus) -> None:
    rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]

    assert len(rules) == len(HUB) + len(CLINIC) + 2 * len(BOTH)
    assert {(rule["name"], rule.get("lastError", "")) for rule in rules if rule["health"] != "ok"} == set()
    assert {rule["name"] for rule in rules if rule["state"] != "inactive"} == set()


def test_what_the_metrics_tell_is_what_the_objects_say(network: Network, prometheus: Prometheus) -> None:
    model, ended = network.model(MODEL), network.round("watched-2")
    assert ended.status.verdict is not None
    assert model.status.current is not None

    def now(metric: str, **labels: str) -> list[float]:
        chosen = ", ".join(f'{name}="{value}"' for name, value in {"model": MODEL, **labels}.items())
        return prometheus.values(f"{metric}{{{chosen}}}", instant=True)

    found = ended.status.verdict
    assert now("fedround_model_version", version="Current") == [model.status.current.version]
    assert now("fedround_model_figure", version="Candidate", figure="auroc") == [float(found.candidate.auroc)]
    assert now("fedround_candidate_high_risk_cases", change="Lost") == [found.lost]
    assert now("fedround_model_evaluations") == [2.0]
    assert now("fedround_model_round_clinics", state="Submitted") == [3.0]
    assert now("fedround_round_phase") == []
    for phase in ("Pending", "Training", "Aggregating", "Validating"):
        assert now("fedround_round_phase_duration_seconds_count", phase=phase) == [2.0], phase
