"""Which events make which keys: what the hub watches. Pure."""

from collections.abc import Iterable, Mapping

from fedround_api import names
from fedround_operator.hub.reconcilers import CLINIC, MODEL, ROUND, SWEEP_KEY
from fedround_operator.kit.controller import EventKeys, Key, Scope
from fedround_operator.kit.resources import (
    CLINIC_ROUNDS,
    CLINICS,
    JOBS,
    LEASES,
    MODELS,
    PODS,
    ROUNDS,
    Object,
    Resource,
    selector,
)


def _round(found: Object, gone: bool) -> Iterable[Key]:
    meta = found["metadata"]
    yield Key(ROUND, meta["namespace"], meta["name"])
    if gone:
        yield SWEEP_KEY
        yield Key(MODEL, meta["namespace"], found["spec"]["modelRef"]["name"])


def _model(found: Object, _: bool) -> Iterable[Key]:
    yield Key(MODEL, found["metadata"]["namespace"], found["metadata"]["name"])


def _clinic(found: Object, _: bool) -> Iterable[Key]:
    yield Key(CLINIC, found["metadata"]["namespace"], found["metadata"]["name"])


def _part(found: Object, _: bool) -> Iterable[Key]:
    round_ = found["spec"]["round"]
    yield Key(ROUND, round_["namespace"], round_["name"])


def _job(found: Object, _: bool) -> Iterable[Key]:
    meta = found["metadata"]
    labels = meta.get("labels", {})
    if names.CLINIC_ROUND_UID_LABEL in labels:
        return  # a clinic's own Job: only seen where hub and clinic share a cluster, and none of the hub's business
    if names.ROUND_LABEL in labels:
        yield Key(ROUND, meta["namespace"], labels[names.ROUND_LABEL])
    elif names.MODEL_LABEL in labels:
        yield Key(MODEL, meta["namespace"], labels[names.MODEL_LABEL])


def _lease(found: Object, _: bool) -> Iterable[Key]:
    meta = found["metadata"]
    labels = meta.get("labels", {})
    clinic = labels.get(names.CLINIC_LABEL, "")
    # Its clinic may write the labels too: they stand for no other clinic than the one whose namespace it is.
    if names.NETWORK_LABEL in labels and meta["namespace"] == names.clinic_namespace(clinic):
        yield Key(CLINIC, labels[names.NETWORK_LABEL], clinic)


_IN_NETWORK: Mapping[Resource, EventKeys] = {ROUNDS: _round, MODELS: _model, CLINICS: _clinic, JOBS: _job, PODS: _job}
_OF_CLINICS: Mapping[Resource, EventKeys] = {CLINIC_ROUNDS: _part, LEASES: _lease}
WATCHED: tuple[Resource, ...] = (*_IN_NETWORK, *_OF_CLINICS)


def scopes(network: str) -> tuple[Scope, ...]:
    """What is watched where: in the network's namespace, and in those of all clinics what is this network's."""
    of_clinics = {resource: _only(network, keys_of) for resource, keys_of in _OF_CLINICS.items()}
    return Scope(network, _IN_NETWORK), Scope(None, of_clinics)


def _only(network: str, keys_of: EventKeys) -> EventKeys:
    def of_network(found: Object, gone: bool) -> Iterable[Key]:
        return (key for key in keys_of(found, gone) if key.namespace == network)

    return of_network


_PART_OF = selector({names.PART_OF: names.PART_OF_VALUE})
LABEL_SELECTORS: Mapping[Resource, str] = {JOBS: _PART_OF, PODS: _PART_OF, LEASES: _PART_OF}
