"""The kinds of the group fedround.dev, as the hub's API server stores them, and the clinic's policy file."""

from fedround_api.kinds.clinic import Clinic, ClinicCertificate, ClinicSpec, ClinicStatus
from fedround_api.kinds.clinic_round import ClinicResult, ClinicRound, ClinicRoundSpec, ClinicRoundStatus, TransferUrls
from fedround_api.kinds.federated_model import (
    FederatedModel,
    FederatedModelSpec,
    FederatedModelStatus,
    Gate,
    ModelVersion,
    ReleasedVersion,
)
from fedround_api.kinds.federated_round import (
    FederatedRound,
    FederatedRoundSpec,
    FederatedRoundStatus,
    Participant,
    ParticipantState,
    RoundPhase,
)
from fedround_api.kinds.meta import Condition, Kind, Metadata, find_condition, is_true

KINDS: tuple[type[Kind], ...] = (FederatedModel, FederatedRound, Clinic, ClinicRound)

__all__ = [
    "KINDS",
    "Clinic",
    "ClinicCertificate",
    "ClinicResult",
    "ClinicRound",
    "ClinicRoundSpec",
    "ClinicRoundStatus",
    "ClinicSpec",
    "ClinicStatus",
    "Condition",
    "FederatedModel",
    "FederatedModelSpec",
    "FederatedModelStatus",
    "FederatedRound",
    "FederatedRoundSpec",
    "FederatedRoundStatus",
    "Gate",
    "Kind",
    "Metadata",
    "ModelVersion",
    "Participant",
    "ParticipantState",
    "ReleasedVersion",
    "RoundPhase",
    "TransferUrls",
    "find_condition",
    "is_true",
]
