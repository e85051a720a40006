"""Null, by which Helm takes a default away: the schema refuses it, or what is left out may be."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from support.chart_policies import POLICIES
from support.charts import CHARTS, CLINIC, HUB, VARIANTS, Object, Refused, example, template

# Everything on, so that a part that is off hides nothing; but for the kinds, which are files and long.
_ON: Object = {name: {"enabled": True} for name in ("serviceMonitor", "rules", "dashboards")}
VALUES: dict[str, Object] = {
    HUB: {**VARIANTS[HUB, "trial"], "monitoring": _ON, "crds": {"install": False}},
    CLINIC: {**VARIANTS[CLINIC, "bundle"], "monitoring": _ON},
}
_PLACES = ("nodeSelector", "tolerations", "affinity")
_IN_BOTH = {
    "fullnameOverride",
    *(f"image.{name}.{field}" for name in ("operator", "training") for field in ("tag", "digest")),
    "image.pullSecrets",
    *(f"podSecurity.{field}" for field in ("runAsUser", "runAsGroup", "fsGroup")),
    "monitoring.dashboards.labels.grafana_dashboard",
    *(f"networkPolicy.{field}" for field in ("metricsFrom", "dns")),
}
MAY_BE_LEFT_OUT: dict[str, set[str]] = {
    HUB: _IN_BOTH
    | {f"{component}.{place}" for component in ("operator", "gateway", "minio") for place in _PLACES}
    | {f"image.{name}.digest" for name in ("gateway", "minio")}
    | {f"gateway.service.{field}" for field in ("nodePort", "annotations", "loadBalancerSourceRanges")}
    | {f"store.{field}" for field in ("endpoint", "ownHost", "existingSecret")}
    | {f"minio.persistence.{field}" for field in ("existingClaim", "storageClassName")}
    | {f"testSet.{field}" for field in ("existingClaim", "prefix", "manifestSha256")}
    | {f"networkPolicy.{field}" for field in ("gatewayFrom", "store.cidrs")}
    | {"gateway.federationCA.existingSecret"},
    CLINIC: _IN_BOTH
    | {f"agent.{place}" for place in _PLACES}
    | {f"workspace.{field}" for field in ("existingClaim", "storageClassName")}
    | {"hub.existingSecret", "networkPolicy.gateway.cidrs"},
}
# Which of two is given, no schema says in a sentence; the templates do.
REFUSED_BY_A_TEMPLATE = {
    HUB: {"gateway.federationCA.existingConfigMap"},
    CLINIC: {"hub.ca", "hub.certificate", "hub.token"},
}


def _paths(values: Object, before: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, value in values.items():
        yield (*before, name)
        if isinstance(value, dict):
            yield from _paths(value, (*before, name))


def _over(values: Object, more: Object) -> Object:
    """Values with others over them, as Helm puts them."""
    both = {name: _over(values[name], more[name]) for name in values.keys() & more.keys() if _maps(values, more, name)}
    return {**values, **more, **both}


def _maps(values: Object, more: Object, name: str) -> bool:
    return isinstance(values[name], dict) and isinstance(more[name], dict)


def _without(values: Object, path: tuple[str, ...]) -> Object:
    found: dict[str, Any] = copy.deepcopy(values)
    place = found
    for name in path[:-1]:
        place = place[name]
    del place[path[-1]]
    return found


@pytest.mark.parametrize("chart", [HUB, CLINIC])
def test_a_null_is_refused_by_the_schema_where_the_chart_cannot_do_without_the_value(chart: str) -> None:
    """Helm takes the key away before it asks the schema, which test_a_wrong_value_is_refused_with_its_path sees."""
    folder = CHARTS / chart
    defaults: Object = yaml.safe_load((folder / "values.yaml").read_text())
    given = yaml.safe_load(Path(example(chart).removeprefix("--values=")).read_text())
    values = _over(_over(defaults, given), VALUES[chart])
    schema = jsonschema.Draft7Validator(json.loads((folder / "values.schema.json").read_text()))
    assert schema.is_valid(values)

    taken = {".".join(path) for path in _paths(defaults) if schema.is_valid(_without(values, path))}

    assert taken == MAY_BE_LEFT_OUT[chart] | REFUSED_BY_A_TEMPLATE[chart]


@pytest.mark.parametrize(
    ("chart", "path"), [(chart, path) for chart, found in MAY_BE_LEFT_OUT.items() for path in sorted(found)]
)
@pytest.mark.parametrize("major", [3, 4])
def test_without_what_may_be_left_out_everything_keeps_the_policies(chart: str, path: str, major: int) -> None:
    objects = template(chart, f"--set={path}=null", values=VALUES[chart], major=major)

    for policy in POLICIES.values():
        policy(objects)


@pytest.mark.parametrize(
    ("chart", "path"), [(chart, path) for chart, found in REFUSED_BY_A_TEMPLATE.items() for path in sorted(found)]
)
@pytest.mark.parametrize("major", [3, 4])
def test_what_a_template_refuses_is_said_in_a_sentence(chart: str, path: str, major: int) -> None:
    with pytest.raises(
        Refused, match=rf"execution error at \([a-z/.:0-9-]+\): {path.rpartition('.')[0]}[.a-z]*: (give|name) "
    ):
        template(chart, f"--set={path}=null", values=VALUES[chart], major=major)
