"""What the charts give to Prometheus and Grafana: nothing unless asked, and then all that is generated, as it is."""

import json

import pytest
import yaml

from fedround_monitoring.chartfiles import files
from support.charts import (
    CHARTS,
    CLINIC,
    HUB,
    NAMESPACES,
    VARIANTS,
    Object,
    environment,
    of_kind,
    pods,
    rendered,
    template,
)

KINDS = ("ServiceMonitor", "PrometheusRule")
BOTH = (HUB, CLINIC)
FIRST = {HUB: "trial", CLINIC: "bundle"}
EVERY = {
    HUB: ("hub-dashboard-models", "hub-dashboard-network", "hub-dashboard-operator"),
    CLINIC: ("agent-dashboard-clinic",),
}


def pages(chart: str, variant: str) -> list[Object]:
    return [one for one in of_kind(rendered(chart, variant), "ConfigMap") if "-dashboard-" in one["metadata"]["name"]]


def test_the_files_of_the_charts_are_those_that_are_generated() -> None:
    found = {str(path.relative_to(CHARTS)): path.read_text() for path in CHARTS.glob("*/files/monitoring/**/*.*")}

    assert found == files()


@pytest.mark.parametrize("chart", BOTH)
def test_nothing_for_prometheus_or_grafana_is_made_unless_it_is_asked_for(chart: str) -> None:
    made = rendered(chart, FIRST[chart])

    assert [one for kind in KINDS for one in of_kind(made, kind)] == []
    assert pages(chart, FIRST[chart]) == []


@pytest.mark.parametrize("chart", BOTH)
def test_a_monitor_finds_the_service_that_leads_to_the_metrics(chart: str) -> None:
    objects = rendered(chart, "every part")
    (monitor,) = of_kind(objects, "ServiceMonitor")
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    (service,) = [one for one in of_kind(objects, "Service") if wanted <= one["metadata"]["labels"].items()]
    (pod,) = [one for one in pods(objects) if service["spec"]["selector"].items() <= one.labels.items()]

    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["endpoints"] == [{"port": "metrics", "path": "/metrics", "interval": "15s"}]
    (port,) = [one for one in service["spec"]["ports"] if one["name"] == "metrics"]
    (listens,) = [one for one in pod.spec["containers"][0]["ports"] if one["name"] == port["targetPort"]]
    assert str(listens["containerPort"]) == environment(pod.spec["containers"][0])["FEDROUND_METRICS_PORT"]


@pytest.mark.parametrize("chart", BOTH)
def test_whoever_reads_the_metrics_is_let_in_where_the_values_say_so(chart: str) -> None:
    objects = rendered(chart, "every part")
    (pod,) = [one for one in pods(objects) if one.name.endswith(("-operator", "-agent"))]
    bound = [
        one["spec"]
        for one in of_kind(objects, "NetworkPolicy")
        if one["spec"]["podSelector"].get("matchLabels", {}).items() <= pod.labels.items() and one["spec"]["ingress"]
    ]

    (rule,) = [rule for spec in bound for rule in spec["ingress"]]
    assert rule["ports"] == [{"protocol": "TCP", "port": 8080}]
    assert VARIANTS[chart, "every part"]["networkPolicy"]["metricsFrom"][0] in rule["from"]


@pytest.mark.parametrize("chart", BOTH)
def test_rules_are_those_of_the_file_with_the_address_of_the_runbooks(chart: str) -> None:
    (made,) = of_kind(rendered(chart, "every part"), "PrometheusRule")
    text = (CHARTS / chart / "files" / "monitoring" / "rules.yaml").read_text()

    # Rendered for the namespaces that the files name.
    assert made["spec"] == yaml.safe_load(text.replace("docs/runbooks.md", "https://wiki.example.org/fedround"))
    links = [rule["annotations"]["runbook_url"] for rule in made["spec"]["groups"][0]["rules"]]
    assert links[0].startswith("https://wiki.example.org/fedround#fedround")


@pytest.mark.parametrize(("chart", "alerts"), [(HUB, 2), (CLINIC, 1)])
def test_what_is_absent_is_looked_for_in_the_namespace_of_the_release_alone(chart: str, alerts: int) -> None:
    objects = template(chart, "--namespace=elsewhere", values=VARIANTS[chart, "every part"])
    (made,) = of_kind(objects, "PrometheusRule")

    expressions = [rule["expr"] for rule in made["spec"]["groups"][0]["rules"]]
    assert sum('{namespace="elsewhere"}' in one for one in expressions) == alerts
    assert sum("{namespace=" in one for one in expressions) == alerts


@pytest.mark.parametrize("chart", BOTH)
def test_each_dashboard_is_a_config_map_that_grafanas_sidecar_takes(chart: str) -> None:
    found = pages(chart, "every part")

    assert tuple(sorted(one["metadata"]["name"] for one in found)) == EVERY[chart]
    for one in found:
        assert one["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert one["metadata"]["namespace"] == NAMESPACES[chart]
        ((file, text),) = one["data"].items()
        given = CHARTS / chart / "files" / "monitoring" / "dashboards" / file.removeprefix("fedround-")
        assert json.loads(text) == json.loads(given.read_text())
