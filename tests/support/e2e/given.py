"""Clusters that somebody gives: their kubeconfigs in the environment, for kind, k3s and what hospitals have.

    FEDROUND_E2E_HUB        kubeconfig of the hub's cluster
    FEDROUND_E2E_CLINICS    NAME=KUBECONFIG,NAME=KUBECONFIG,…   three or more
    FEDROUND_E2E_GATEWAY    HOST:PORT of the hub's gateway as clinics reach it, PORT being one that nodes may open
    FEDROUND_E2E_REGISTRY   what the images' names begin with; the clusters' nodes pull them from there
    FEDROUND_E2E_NEXT_TAG   another tag of the same images, for the upgrade; else the version's own
    FEDROUND_E2E_VALUES     a YAML file with the keys `hub` and `clinic`: what the charts must be told besides

Each user is an administrator of that cluster, each cluster has a default class of volumes, and nothing of fedround is
installed in it. Everything that a test makes is removed again.
"""

import contextlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from fedround_images.archives import version
from fedround_local.controlplane import ensure_controlplane
from support.clusters.access import Access
from support.e2e.ground import Ground
from support.e2e.places import CLINIC_NAMESPACE, CLINIC_RELEASE


def given_ground(environ: Mapping[str, str] = os.environ) -> Ground | None:
    """The clusters of the environment, or None where it names no hub.

    Raises:
        KeyError: it names a hub and not the rest.
    """
    if not environ.get("FEDROUND_E2E_HUB"):
        return None
    kubectl = ensure_controlplane(print)
    pairs = [one.partition("=") for one in environ["FEDROUND_E2E_CLINICS"].split(",")]
    clinics = {name: Access(Path(kubeconfig).absolute(), kubectl) for name, _, kubeconfig in pairs}
    gateway, registry = environ["FEDROUND_E2E_GATEWAY"], environ["FEDROUND_E2E_REGISTRY"].rstrip("/")
    besides: dict[str, Any] = {}
    if environ.get("FEDROUND_E2E_VALUES"):
        besides = yaml.safe_load(Path(environ["FEDROUND_E2E_VALUES"]).read_text())
    image = {name: {"repository": f"{registry}/fedround-{name}", "tag": version()} for name in ("operator", "training")}
    service = {"type": "NodePort", "nodePort": int(gateway.rpartition(":")[2])}
    hub = {"image": {**image, "pullPolicy": "IfNotPresent"}, "gateway": {"address": gateway, "service": service}}
    own = _merged({"image": hub["image"], "networkPolicy": {"gateway": {"cidrs": []}}}, besides.get("clinic", {}))
    return Ground(
        hub=Access(Path(environ["FEDROUND_E2E_HUB"]).absolute(), kubectl),
        clinics=clinics,
        gateway=gateway,
        hub_values=_merged(hub, besides.get("hub", {})),
        clinic_values=dict.fromkeys(clinics, own),
        cables=_Switches(clinics),
        next_tag=environ.get("FEDROUND_E2E_NEXT_TAG") or version(),
        stays=True,
    )


def _merged(values: Mapping[str, Any], besides: Mapping[str, Any]) -> dict[str, Any]:
    """As Helm merges files of values: of maps every key by itself, of all else the second."""
    both = {key: value for key, value in values.items() if key not in besides}
    for key, value in besides.items():
        own = values.get(key)
        both[key] = _merged(own, value) if isinstance(own, Mapping) and isinstance(value, Mapping) else value
    return both


class _Switches:
    """A given cluster has no cable to pull: its agent is taken away, and every pod of fedround with it."""

    def __init__(self, clinics: Mapping[str, Access]) -> None:
        self._clinics = clinics

    @contextlib.contextmanager
    def cut(self, clinic: str) -> Iterator[None]:
        kubectl, space = self._clinics[clinic].kubectl, ("-n", CLINIC_NAMESPACE)
        agent = f"deployment/{CLINIC_RELEASE}-agent"
        kubectl("scale", agent, "--replicas=0", *space)
        kubectl("delete", "jobs,pods", "--selector=app.kubernetes.io/part-of=fedround", "--grace-period=1", *space)
        try:
            yield
        finally:
            kubectl("scale", agent, "--replicas=1", *space)
