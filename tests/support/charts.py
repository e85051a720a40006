"""The charts as tests see them: values to render them with, and the objects that come out."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from support import tools

Object = dict[str, Any]

ROOT = Path(__file__).parents[2]
CHARTS = ROOT / "charts"
EXAMPLES = ROOT / "examples"
HUB, CLINIC = "fedround-hub", "fedround-clinic"
NAMESPACES = {HUB: "fedround-system", CLINIC: "fedround"}

_PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
BUNDLE: Object = {
    "clinic": {"name": "ottawa"},
    "hub": {"gateway": "fedround.example.org:443", "ca": _PEM, "certificate": _PEM, "token": "a-token"},
}
_PLACEMENT: Object = {
    "nodeSelector": {"disk": "ssd"},
    "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
}
_PEERS = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]

_MONITORING: Object = {
    "serviceMonitor": {"enabled": True, "interval": "15s", "labels": {"release": "prometheus"}},
    "rules": {"enabled": True, "runbooks": "https://wiki.example.org/fedround"},
    "dashboards": {"enabled": True},
}

# Large enough that a number of YAML or JSON is written as 1.00065e+09 where it is not taken for an integer.
_ANOTHER: Object = {"runAsUser": 1_000_650_000, "runAsGroup": 2000, "fsGroup": 1_000_650_001}
_OPENSHIFT: Object = yaml.safe_load((EXAMPLES / "values-openshift.yaml").read_text())

# Beyond the examples: every part that the charts can leave out, put in, and everything left out.
VARIANTS: Mapping[tuple[str, str], Object] = {
    (HUB, "trial"): {},
    (HUB, "every part"): {
        "fullnameOverride": "hub",
        "image": {
            "gateway": {"repository": "registry.example.org/caddy", "digest": "sha256:" + "0a" * 32},
            "pullSecrets": ["registry"],
        },
        "operator": _PLACEMENT,
        "gateway": {
            "replicas": 2,
            "service": {
                "type": "NodePort",
                "nodePort": 30443,
                "annotations": {"example.org/pool": "public"},
                "externalTrafficPolicy": "Local",
            },
            "federationCA": {"existingConfigMap": "", "existingSecret": "federation"},
            **_PLACEMENT,
        },
        "store": {"endpoint": "s3.example.org:8443", "https": True, "ownHost": True, "existingSecret": "store-keys"},
        "minio": {"enabled": False},
        "testSet": {"existingClaim": "test-set", "manifestSha256": "7e57" * 16},
        "monitoring": _MONITORING,
        "networkPolicy": {
            "metricsFrom": _PEERS,
            "gatewayFrom": ["198.51.100.0/24"],
            "apiServer": {"cidrs": ["192.0.2.1/32"], "ports": [6443]},
            "store": {"cidrs": ["192.0.2.2/32"]},
        },
    },
    (HUB, "least"): {
        "crds": {"install": False},
        "network": {"namespace": "fedround-system", "create": False},
        "gateway": {"service": {"type": "ClusterIP"}},
        "minio": {"persistence": {"existingClaim": "objects"}},
        "podSecurity": _ANOTHER,
        "testSet": {"prefix": "", "manifestSha256": ""},
        "networkPolicy": {"enabled": False},
    },
    (HUB, "OpenShift"): _OPENSHIFT,
    (CLINIC, "bundle"): BUNDLE,
    (CLINIC, "every part"): {
        "fullnameOverride": "agent",
        "clinic": BUNDLE["clinic"],
        "hub": {"gateway": "fedround.example.org:8443", "existingSecret": "membership"},
        "certificateSecret": "ottawa-certificate",
        "policy": {
            "caseVolume": 10_000_000,
            "privacy": {"allowNone": True, "reportCaseCounts": True},
            "training": {"allowUnlocked": True},
        },
        "workspace": {"storageClassName": "fast", "accessModes": ["ReadWriteMany"]},
        "image": {"pullSecrets": ["registry"], "pullPolicy": "Always"},
        "agent": _PLACEMENT,
        "monitoring": _MONITORING,
        "networkPolicy": {
            "metricsFrom": _PEERS,
            "apiServer": {"cidrs": ["192.0.2.1/32"], "ports": [6443]},
            "gateway": {"cidrs": ["203.0.113.7/32"]},
        },
    },
    (CLINIC, "least"): {
        **BUNDLE,
        "workspace": {"existingClaim": "work"},
        "podSecurity": _ANOTHER,
        "networkPolicy": {"enabled": False},
    },
    (CLINIC, "OpenShift"): {**BUNDLE, **_OPENSHIFT},
}


@dataclass(frozen=True)
class Strange:
    """An installation whose names are legal, and read as something else or are too long or too free for a Service."""

    chart: str
    release: str
    namespace: str
    values: Object

    def objects(self, major: int = 3) -> list[Object]:
        """What the chart makes of it."""
        return template(self.chart, values=self.values, major=major, release=self.release, namespace=self.namespace)


LONG_RELEASE = "this-is-a-very-long-release-name-of-39c.xyz.and-so-on"
STRANGE: Mapping[str, Strange] = {
    "hub: numbers": Strange(
        HUB,
        "123",
        "456",
        {
            "network": {"namespace": "2026"},
            "image": {"pullSecrets": ["123"], "operator": {"repository": "1", "tag": "30"}},
            "gateway": {
                "certificate": {"existingSecret": "123"},
                "federationCA": {"existingConfigMap": "456"},
            },
            "store": {"endpoint": "10.0.0.1:9000", "https": True, "region": "1", "existingSecret": "789"},
            "monitoring": _MONITORING,
        },
    ),
    "hub: words": Strange(
        HUB,
        "on",
        "true",
        {
            "network": {"namespace": "null"},
            "gateway": {
                "certificate": {"existingSecret": "no"},
                "federationCA": {"existingConfigMap": "", "existingSecret": "true"},
            },
            "store": {"bucket": "0.1"},
            "minio": {"persistence": {"storageClassName": "1.0"}},
        },
    ),
    "hub: a claim": Strange(HUB, "0", "0", {"minio": {"persistence": {"existingClaim": "123"}}}),
    "hub: dots": Strange(HUB, "a.b.c", "fedround", {}),
    "hub: long": Strange(HUB, LONG_RELEASE, "f" * 63, {}),
    "clinic: numbers": Strange(
        CLINIC,
        "123",
        "456",
        {
            **BUNDLE,
            "clinic": {"name": "7"},
            "certificateSecret": "123",
            "images": {"existingClaim": "123"},
            "workspace": {"existingClaim": "456"},
            "image": {"pullSecrets": ["123"], "training": {"repository": "1", "tag": "30"}},
            "monitoring": _MONITORING,
        },
    ),
    "clinic: words": Strange(
        CLINIC,
        "on",
        "true",
        {
            "clinic": BUNDLE["clinic"],
            "hub": {"gateway": "10.0.0.1:443", "existingSecret": "true"},
            "certificateSecret": "no",
            "workspace": {"storageClassName": "1.0"},
        },
    ),
    "clinic: dots": Strange(CLINIC, "a.b.c", "fedround", BUNDLE),
    "clinic: long": Strange(CLINIC, LONG_RELEASE, "f" * 63, BUNDLE),
}


class Refused(Exception):
    """Helm did not render the chart; the message is its own."""


@dataclass(frozen=True)
class Pod:
    """A pod that a chart makes, in whatever kind, and the object that it is in."""

    owner: Object
    template: Object

    @property
    def name(self) -> str:
        return f"{self.owner['kind']} {self.owner['metadata']['name']}"

    @property
    def spec(self) -> Object:
        found: Object = self.template["spec"]
        return found

    @property
    def containers(self) -> list[Object]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def labels(self) -> Mapping[str, str]:
        found: Mapping[str, str] = self.template["metadata"]["labels"]
        return found


def run_helm(major: int, *arguments: str, values: Object | None = None) -> str:
    """What Helm prints; `values` come as one more file of them. Raises Refused with what it says of an error."""
    given = [] if values is None else ["--values=-"]
    done = subprocess.run(
        [tools.helm(major), *arguments, *given],
        input=json.dumps(values),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Refused(done.stderr + done.stdout)
    return done.stdout


def example(chart: str) -> str:
    """The argument that gives the example's values."""
    return f"--values={EXAMPLES / chart.replace('fedround-', 'values-')}.yaml"


def template(
    chart: str, *arguments: str, values: Object, major: int = 3, release: str = "fedround", namespace: str = ""
) -> list[Object]:
    """The objects of the chart, rendered for a release, in the chart's usual namespace if no other is given.

    With the example's values, over them the values given, over them what `--set` says.
    """
    place = ("template", release, str(CHARTS / chart), f"--namespace={namespace or NAMESPACES[chart]}")
    output = run_helm(major, *place, example(chart), *arguments, values=values)
    return [one for one in yaml.load_all(output, yaml.CSafeLoader) if one]


@cache
def _rendered(chart: str, variant: str, major: int) -> str:
    return json.dumps(template(chart, values=VARIANTS[chart, variant], major=major))


def rendered(chart: str, variant: str, major: int = 3) -> list[Object]:
    """The objects of a variant; each is rendered once."""
    found: list[Object] = json.loads(_rendered(chart, variant, major))
    return found


def of_kind(objects: list[Object], kind: str, name: str = "") -> Iterator[Object]:
    """The objects of a kind, and of a name if one is given."""
    return (one for one in objects if one["kind"] == kind and name in ("", one["metadata"]["name"]))


def pods(objects: list[Object]) -> list[Pod]:
    """All pods that are made, by themselves or by a Deployment."""
    return [
        Pod(one, one if one["kind"] == "Pod" else one["spec"]["template"])
        for one in objects
        if one["kind"] in ("Pod", "Deployment", "Job", "StatefulSet", "DaemonSet")
    ]


def environment(container: Object) -> dict[str, str]:
    """The variables of a container that have a value in the manifest."""
    return {one["name"]: one["value"] for one in container.get("env", []) if "value" in one}
