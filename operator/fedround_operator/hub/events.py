"""Kubernetes Events on transitions, as values. Pure."""

from datetime import datetime

from fedround_api import API_VERSION, names
from fedround_api.kinds import FederatedRound, FederatedRoundStatus, RoundPhase, find_condition
from fedround_operator.hub.decision import SUCCEEDED
from fedround_operator.kit.instants import text_of
from fedround_operator.kit.resources import Object

COMPONENT = "fedround-operator"


def transition_event(round_: FederatedRound, status: FederatedRoundStatus, now: datetime) -> Object | None:
    """The Event for a change of phase, named so that repeating the step does not repeat it.

    A phase is entered at most once between two changes of the spec, which the generation counts.
    """
    phase = status.phase
    if phase is None or phase == round_.status.phase:
        return None
    outcome = find_condition(status.conditions, SUCCEEDED)
    meta = round_.metadata
    instant = text_of(now)
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{meta.name}.{names.uid8(meta.uid)}.{phase.value.lower()}.{meta.generation}",
            "namespace": meta.namespace,
        },
        "involvedObject": {
            "apiVersion": API_VERSION,
            "kind": "FederatedRound",
            "name": meta.name,
            "namespace": meta.namespace,
            "uid": meta.uid,
        },
        "type": "Warning" if phase in (RoundPhase.FAILED, RoundPhase.ROLLED_BACK) else "Normal",
        "reason": outcome.reason if outcome else phase.value,
        "message": f"{phase.value}: {outcome.message if outcome else ''}"[:1000],
        "source": {"component": COMPONENT},
        "reportingComponent": COMPONENT,
        "firstTimestamp": instant,
        "lastTimestamp": instant,
        "count": 1,
    }
