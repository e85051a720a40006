"""Carries out decisions about rounds and models. Every action may be repeated."""

from collections.abc import Iterable
from typing import Any, Protocol

from fedround_api import names
from fedround_api.kinds import FederatedModel
from fedround_operator.hub.actions import Action, ChangePart, MakeJob, MakePart, RemoveJob, WriteModel
from fedround_operator.hub.manifests import clinic_round
from fedround_operator.hub.seen import RoundSeen
from fedround_operator.hub.signing import Signer
from fedround_operator.kit.errors import ApiError
from fedround_operator.kit.resources import CLINIC_ROUNDS, JOBS, MODELS, Object, Resource
from fedround_operator.kit.writing import Makes, Patches, ensure, write_status


class Writes(Makes, Patches, Protocol):
    """What acting needs of an API server."""

    def delete(self, resource: Resource, namespace: str, name: str) -> None: ...


def act_all(api: Writes, signer: Signer, seen: RoundSeen, actions: Iterable[Action]) -> None:
    """Carry out all actions of a round's decision: one that fails, say for one clinic, does not hold up the others.

    Raises:
        ApiError: the first failure, after all actions were tried.
    """
    failures: list[ApiError] = []
    for action in actions:
        try:
            act(api, signer, seen, action)
        except ApiError as error:
            failures.append(error)
    if failures:
        raise failures[0]


def act(api: Writes, signer: Signer, seen: RoundSeen, action: Action) -> None:
    """Carry out one action of a round's decision."""
    match action:
        case MakeJob(manifest):
            ensure(api, JOBS, manifest)
        case RemoveJob(namespace, name):
            api.delete(JOBS, namespace, name)
        case MakePart(clinic):
            _make_part(api, signer, seen, clinic)
        case ChangePart(clinic, spec, fresh_urls):
            _change_part(api, signer, seen, clinic, {**spec, **(_urls(signer, seen, clinic) if fresh_urls else {})})
        case WriteModel(model, status):
            write_status(api, MODELS, model, status.dump())


def _make_part(api: Writes, signer: Signer, seen: RoundSeen, clinic: str) -> None:
    model, base = seen.model, seen.round.status.base
    if model is None or base is None:
        return
    ensure(api, CLINIC_ROUNDS, clinic_round(seen.round, model, base, clinic, _signed(signer, seen, model, clinic)))


def _change_part(api: Writes, signer: Signer, seen: RoundSeen, clinic: str, spec: Object) -> None:
    meta = seen.round.metadata
    name = names.clinic_round_name(meta.name, meta.uid)
    api.patch(CLINIC_ROUNDS, names.clinic_namespace(clinic), name, {"spec": spec})


def _urls(signer: Signer, seen: RoundSeen, clinic: str) -> Object:
    return {"urls": _signed(signer, seen, seen.model, clinic).dump()} if seen.model else {}


def _signed(signer: Signer, seen: RoundSeen, model: FederatedModel, clinic: str) -> Any:
    base = seen.round.status.base
    digest = base.digest if base else ""
    return signer.sign(model.metadata.name, digest, clinic, seen.round.metadata.uid, seen.now)
