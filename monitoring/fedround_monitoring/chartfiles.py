"""The files of the charts that are made of dashboards and alerts.

charts/<chart>/files/monitoring/dashboards/<name>.json
charts/<chart>/files/monitoring/rules.yaml
"""

import yaml

from fedround_monitoring.alerts import CLINIC_RULES, HUB_RULES
from fedround_monitoring.dashboards import CLINIC_PAGES, HUB_PAGES
from fedround_monitoring.panels import text_of

FOLDER = "files/monitoring"
_CHARTS = {"fedround-hub": (HUB_PAGES, HUB_RULES), "fedround-clinic": (CLINIC_PAGES, CLINIC_RULES)}


def files() -> dict[str, str]:
    """Each file's text, by its path below charts/."""
    found: dict[str, str] = {}
    for chart, (pages, rules) in _CHARTS.items():
        found |= {f"{chart}/{FOLDER}/dashboards/{page.name}.json": text_of(page) for page in pages}
        found[f"{chart}/{FOLDER}/rules.yaml"] = yaml.safe_dump(rules, sort_keys=False, width=120)
    return found
