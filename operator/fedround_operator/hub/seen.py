"""The world as one reconcile sees it: frozen values, made by ``gather``, read by the decisions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fedround_api.kinds import Clinic, ClinicRound, FederatedModel, FederatedRound, is_true
from fedround_api.kinds.clinic import AVAILABLE
from fedround_api.kinds.federated_round import Base
from fedround_operator.kit.jobseen import JobSeen
from fedround_operator.kit.resources import Object


@dataclass(frozen=True)
class RoundSeen:
    """A round and all that its next step depends on; ``parts`` by the clinic's name.

    ``outdated`` are the clinics whose URLs are not what the operator would sign: the store's keys or the gateway's
    address are others since.
    """

    round: FederatedRound
    model: FederatedModel | None
    clinics: tuple[Clinic, ...]
    parts: Mapping[str, ClinicRound]
    outdated: frozenset[str]
    jobs: tuple[JobSeen, ...]
    now: datetime

    @property
    def holds_model(self) -> bool:
        """Whether this round is the one that may run for its model."""
        active = self.model.status.active_round if self.model else None
        return active is not None and active.uid == self.round.metadata.uid

    @property
    def invited(self) -> tuple[Clinic, ...]:
        """The clinics that the round asks, in name order."""
        wanted = self.round.spec.clinics.selector.match_labels.items()
        chosen = (
            clinic
            for clinic in self.clinics
            if wanted <= clinic.metadata.labels.items()
            and not clinic.spec.suspended
            and not clinic.metadata.deletion_timestamp
        )
        return tuple(sorted(chosen, key=lambda clinic: clinic.metadata.name))

    @property
    def revoked(self) -> frozenset[str]:
        """The clinics that are no longer members: nothing is written for them any more."""
        return frozenset(clinic.metadata.name for clinic in self.clinics if clinic.spec.revoked)

    @property
    def available(self) -> tuple[Clinic, ...]:
        """The invited clinics whose agent is there and has declared its case volume."""
        return tuple(
            clinic
            for clinic in self.invited
            if is_true(clinic.status.conditions, AVAILABLE) and clinic.status.case_volume is not None
        )


@dataclass(frozen=True)
class StartedRound:
    """A round with the model and the checkpoint that it started from."""

    round: FederatedRound
    model: FederatedModel
    base: Base
    now: datetime


@dataclass(frozen=True)
class ModelSeen:
    """A model, its init Jobs and its rounds."""

    model: FederatedModel
    jobs: tuple[JobSeen, ...]
    rounds: tuple[FederatedRound, ...]
    now: datetime


@dataclass(frozen=True)
class ClinicSeen:
    """A clinic and its Lease."""

    clinic: Clinic
    lease: Object | None
    now: datetime
