"""FederatedRound: one round of training, from the request to the verdict."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, model_validator

from fedround_api.fields import (
    LIST_SET,
    ClinicName,
    Decimal,
    Digest,
    Duration,
    Instant,
    Measure,
    Name,
    Part,
    cel,
    list_map,
    rules,
)
from fedround_api.kinds.federated_model import Metrics
from fedround_api.kinds.meta import Column, Condition, Kind, Metadata, Presentation
from fedround_api.locking import LockPart

_IMMUTABLE = ("modelRef", "clinics", "deadlines", "training", "aggregation")
PARTICIPANT_LIMIT = 100


class Algorithm(StrEnum):
    """How a clinic's training is tied to the round's checkpoint."""

    FED_AVG = "FedAvg"
    FED_PROX = "FedProx"


class Recency(StrEnum):
    """What makes a case recent: the patient's first visit, or the day the image was added."""

    FIRST_VISIT = "FirstVisit"
    ADDED = "Added"


class Weighting(StrEnum):
    """What a clinic's weight in the mean is made from."""

    CASE_VOLUME = "CaseVolume"


class ModelRef(Part):
    """A FederatedModel of the round's namespace."""

    name: Name


# Syntax of label names and values (Kubernetes documentation, "Labels and Selectors").
LABEL_NAME_PATTERN = "^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
_LABEL_VALUE_PATTERN = "^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$"


class Selector(Part):
    """Labels that a Clinic must carry; none selects all."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                f"!has(self.matchLabels) || self.matchLabels.all(name, name.matches('{LABEL_NAME_PATTERN}'))",
                "matchLabels must have names of labels, such as region or example.org/region",
                fieldPath=".matchLabels",
            )
        )
    )

    match_labels: Annotated[
        dict[str, Annotated[str, Field(pattern=_LABEL_VALUE_PATTERN, max_length=63)]],
        Field(max_length=8, description="label names and values"),
    ] = Field(default_factory=dict)


class ClinicChoice(Part):
    """Which clinics are asked, and how many must take part."""

    selector: Selector = Field(default_factory=Selector)
    minimum: Annotated[int, Field(ge=1, le=PARTICIPANT_LIMIT)]


class Deadlines(Part):
    """How long each part of a round may take."""

    start: Annotated[Duration, Field(description="until enough clinics are available")] = "30m"
    training: Annotated[Duration, Field(description="until the updates are in")] = "8h"
    session: Annotated[Duration, Field(description="for the aggregation")] = "15m"
    validation: Annotated[Duration, Field(description="for the evaluation on the test set")] = "30m"


class Cases(Part):
    """Which cases of a clinic are trained on: those of the days before the round started."""

    window_days: Annotated[int, Field(ge=1, le=36500)] = 90
    by: Recency = Recency.FIRST_VISIT


class Training(Part):
    """How each clinic trains."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "has(self.proximalMu) == (has(self.algorithm) && self.algorithm == 'FedProx')",
                "proximalMu belongs to algorithm FedProx, which needs it",
                fieldPath=".proximalMu",
            )
        )
    )

    algorithm: Algorithm = Algorithm.FED_AVG
    proximal_mu: Annotated[
        Annotated[str, Decimal(0, 10, above=True)] | None,
        Field(description="FedProx: how strongly a clinic's weights are drawn back to the round's checkpoint"),
    ] = None
    epochs: Annotated[int, Field(ge=1, le=100)] = 2
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 32
    learning_rate: Annotated[str, Decimal(0, 10, above=True)] = "0.05"
    momentum: Annotated[str, Decimal(0, 0.999)] = "0.9"
    max_batch_grad_norm: Annotated[
        Annotated[str, Decimal(0, 1000, above=True)] | None,
        Field(
            description="a batch's gradient is shortened to this length, against training that runs away in one step"
        ),
    ] = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    cases: Cases = Field(default_factory=Cases)

    @model_validator(mode="after")
    def _mu_belongs_to_fedprox(self) -> "Training":
        if (self.proximal_mu is not None) != (self.algorithm is Algorithm.FED_PROX):
            raise ValueError("proximalMu belongs to algorithm FedProx, which needs it")
        return self


class Aggregation(Part):
    """How updates become a candidate."""

    weighting: Weighting = Weighting.CASE_VOLUME
    max_case_volume: Annotated[int, Field(ge=1, le=10_000_000, description="a clinic counts for no more than this")] = (
        10_000
    )


class FederatedRoundSpec(Part):
    """What an administrator asks for. Only ``suspend`` and ``cancel`` can change afterwards."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *(
                cel(f"self.{name} == oldSelf.{name}", f"{name} is immutable: make a new round", fieldPath=f".{name}")
                for name in _IMMUTABLE
            ),
            cel("!oldSelf.cancel || self.cancel", "a cancelled round cannot be taken up again", fieldPath=".cancel"),
        )
    )

    model_ref: ModelRef
    clinics: ClinicChoice
    deadlines: Deadlines = Field(default_factory=Deadlines)
    training: Training = Field(default_factory=Training)
    aggregation: Aggregation = Field(default_factory=Aggregation)
    suspend: Annotated[bool, Field(description="take no new step until this is false again; deadlines wait too")] = (
        False
    )
    cancel: Annotated[bool, Field(description="end the round without a promotion")] = False


class RoundPhase(StrEnum):
    """A summary for people; code never branches on it."""

    PENDING = "Pending"
    TRAINING = "Training"
    AGGREGATING = "Aggregating"
    VALIDATING = "Validating"
    PROMOTED = "Promoted"
    ROLLED_BACK = "RolledBack"
    FAILED = "Failed"
    SUSPENDED = "Suspended"


class ParticipantState(StrEnum):
    """Where a clinic stands in the round."""

    INVITED = "Invited"
    TRAINING = "Training"
    SUBMITTED = "Submitted"
    FAILED = "Failed"
    LATE = "Late"


class Participant(Part):
    """A clinic of the round."""

    name: ClinicName
    state: ParticipantState = ParticipantState.INVITED
    case_volume: Annotated[int, Field(ge=0, description="as declared when the round started")]
    cases: Annotated[int | None, Field(ge=0)] = None
    update_digest: Digest | None = None
    update_bytes: Annotated[int | None, Field(ge=0)] = None
    locked: Annotated[
        list[LockPart] | None,
        Field(
            max_length=len(LockPart),
            json_schema_extra=LIST_SET,
            description="what its trainer had given up before it opened an image, as the clinic tells",
        ),
    ] = None
    reason: Annotated[str | None, Field(max_length=64)] = None


class Base(Part):
    """The checkpoint that the round starts from."""

    version: Annotated[int, Field(ge=0)]
    digest: Digest
    bytes: Annotated[int, Field(ge=0)]


class Candidate(Part):
    """What the aggregation made."""

    digest: Digest
    bytes: Annotated[int, Field(ge=0)]


class VerdictResult(StrEnum):
    """What becomes of the candidate."""

    PROMOTE = "Promote"
    ROLL_BACK = "RollBack"


class Verdict(Part):
    """The gate's answer and what it rests on."""

    result: VerdictResult
    reason: Annotated[str, Field(max_length=64)]
    message: Annotated[str, Field(max_length=512)] = ""
    candidate: Metrics
    incumbent: Metrics
    threshold: Measure
    release: Annotated[bool, Field(description="the candidate becomes the released version")] = False
    lost: Annotated[int, Field(ge=0, description="high-risk cases that only the incumbent catches")]
    gained: Annotated[int, Field(ge=0, description="high-risk cases that only the candidate catches")]
    cases: Annotated[int, Field(ge=0)]
    high_risk_cases: Annotated[int, Field(ge=0)]
    test_set_manifest: Digest


class ReportDigests(Part):
    """What is in the object store of the round's report: the sha256 of its files."""

    json_sha256: Digest
    html_sha256: Digest


class Attempts(Part):
    """How many Jobs of each role were made."""

    aggregate: Annotated[int, Field(ge=0)] = 0
    validate_: Annotated[int, Field(ge=0, alias="validate")] = 0


class FederatedRoundStatus(Part):
    """Where the round stands. Timestamps anchor every timeout, so that a restart changes none."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    phase: RoundPhase | None = None
    reason: Annotated[str | None, Field(max_length=64)] = None
    participation: Annotated[str | None, Field(max_length=16, description="submitted/participants")] = None
    conditions: Annotated[list[Condition], Field(max_length=16, json_schema_extra=list_map("type"))] = Field(
        default_factory=list
    )
    start_deadline_at: Instant | None = None
    started_at: Instant | None = None
    training_deadline_at: Instant | None = None
    training_closed_at: Instant | None = None
    session_deadline_at: Instant | None = None
    validation_deadline_at: Instant | None = None
    suspended_at: Instant | None = None
    completed_at: Instant | None = None
    base: Base | None = None
    participants: Annotated[
        list[Participant], Field(max_length=PARTICIPANT_LIMIT, json_schema_extra=list_map("name"))
    ] = Field(default_factory=list)
    attempts: Attempts = Field(default_factory=Attempts)
    candidate: Candidate | None = None
    verdict: Verdict | None = None
    report: ReportDigests | None = None


class FederatedRound(Kind):
    """One round of federated training."""

    presentation: ClassVar[Presentation] = Presentation(
        plural="federatedrounds",
        short_names=("fr", "fedrounds"),
        columns=(
            Column("Model", ".spec.modelRef.name"),
            Column("Phase", ".status.phase"),
            Column("Clinics", ".status.participation"),
            Column("Verdict", ".status.verdict.result"),
            Column("Reason", ".status.reason"),
            Column("Candidate", ".status.candidate.digest", priority=1),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        name_limit=40,
        selectable=(".spec.modelRef.name",),
    )

    metadata: Metadata
    spec: FederatedRoundSpec
    status: FederatedRoundStatus = Field(default_factory=FederatedRoundStatus)
