"""Reads the world for one reconcile into a frozen value. Below this line nobody reads."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

from fedround_api import names
from fedround_api.kinds import Clinic, ClinicRound, FederatedModel, FederatedRound
from fedround_operator.hub.seen import ClinicSeen, ModelSeen, RoundSeen
from fedround_operator.hub.signing import Signer
from fedround_operator.kit.errors import NotFound
from fedround_operator.kit.instants import parse
from fedround_operator.kit.jobseen import JobSeen, jobs_seen
from fedround_operator.kit.reading import read_kind
from fedround_operator.kit.resources import CLINIC_ROUNDS, CLINICS, JOBS, LEASES, MODELS, PODS, ROUNDS, Object, Resource

Clock = Callable[[], datetime]


class Reads(Protocol):
    """What gathering needs of an API server."""

    def get(self, resource: Resource, namespace: str, name: str) -> Object: ...

    def list(
        self, resource: Resource, namespace: str | None = None, labels: dict[str, str] | None = None, fields: str = ""
    ) -> list[Object]: ...


def gather_round(api: Reads, signer: Signer, namespace: str, name: str, clock: Clock) -> RoundSeen | None:
    """A round with its model, clinics, parts and Jobs; nothing when it is gone."""
    found = find(api, ROUNDS, namespace, name)
    if found is None:
        return None
    round_ = read_kind(FederatedRound, found)
    model = find(api, MODELS, namespace, round_.spec.model_ref.name)
    labels = {names.ROUND_UID_LABEL: round_.metadata.uid}
    listed = (read_kind(ClinicRound, part) for part in api.list(CLINIC_ROUNDS, labels=labels))
    # A part counts only where the hub itself puts it: in the namespace of the clinic that it names.
    parts = {
        part.spec.clinic: part
        for part in listed
        if part.metadata.namespace == names.clinic_namespace(part.spec.clinic) and not part.metadata.deletion_timestamp
    }
    return RoundSeen(
        round=round_,
        model=read_kind(FederatedModel, model) if model else None,
        clinics=tuple(read_kind(Clinic, clinic) for clinic in api.list(CLINICS, namespace)),
        parts=parts,
        outdated=_outdated(round_, parts, signer),
        jobs=_jobs(api, namespace, labels),
        now=clock(),
    )


def gather_model(api: Reads, namespace: str, name: str, clock: Clock) -> ModelSeen | None:
    """A model with its init Jobs and rounds; nothing when it is gone.

    The model is read before its rounds, so that the round of a claim that is seen must be among them if it exists.
    """
    found = find(api, MODELS, namespace, name)
    if found is None:
        return None
    model = read_kind(FederatedModel, found)
    rounds = api.list(ROUNDS, namespace, fields=f"spec.modelRef.name={name}")
    return ModelSeen(
        model=model,
        jobs=_jobs(api, namespace, {names.MODEL_UID_LABEL: model.metadata.uid}),
        rounds=tuple(read_kind(FederatedRound, round_) for round_ in rounds),
        now=clock(),
    )


def gather_clinic(api: Reads, namespace: str, name: str, clock: Clock) -> ClinicSeen | None:
    """A clinic with its Lease; nothing when it is gone."""
    found = find(api, CLINICS, namespace, name)
    if found is None:
        return None
    lease = find(api, LEASES, names.clinic_namespace(name), names.LEASE_NAME)
    return ClinicSeen(clinic=read_kind(Clinic, found), lease=lease, now=clock())


def find(api: Reads, resource: Resource, namespace: str, name: str) -> Object | None:
    """The object, or nothing."""
    try:
        return api.get(resource, namespace, name)
    except NotFound:
        return None


def _outdated(round_: FederatedRound, parts: Mapping[str, ClinicRound], signer: Signer) -> frozenset[str]:
    """The clinics for which other URLs would be signed at the instant when theirs were; signing is arithmetic.

    Nobody has a use for URLs any more once training has closed.
    """
    if round_.status.training_closed_at is not None or round_.status.completed_at is not None:
        return frozenset()
    specs = (part.spec for part in parts.values())
    return frozenset(
        spec.clinic
        for spec in specs
        if spec.urls
        != signer.sign(spec.model.name, spec.base.digest, spec.clinic, spec.round.uid, parse(spec.urls.signed_at))
    )


def _jobs(api: Reads, namespace: str, labels: dict[str, str]) -> tuple[JobSeen, ...]:
    # Jobs first: a pod still seen as running beside its Job seen as complete would look like a missing report.
    jobs = api.list(JOBS, namespace, labels)
    return jobs_seen(jobs, api.list(PODS, namespace, labels))
