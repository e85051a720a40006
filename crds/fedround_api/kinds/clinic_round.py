"""ClinicRound: a clinic's part in a round. The hub alone writes the spec, the clinic's agent alone the status."""

from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from fedround_api.fields import LIST_SET, ClassName, ClinicName, Digest, Instant, Name, Part, cel, list_map, rules
from fedround_api.kinds.federated_model import Architecture
from fedround_api.kinds.federated_round import Base, Training
from fedround_api.kinds.meta import Column, Condition, Kind, Metadata, Presentation
from fedround_api.locking import LockPart

_IMMUTABLE = ("round", "clinic", "model", "base", "training", "casesUntil")
URL_LIMIT = 2048


class RoundRef(Part):
    """The round that this is a part of."""

    name: Name
    namespace: Name
    uid: Annotated[str, Field(max_length=63)]


class ModelShape(Part):
    """What a Job must know of the model to build it."""

    name: Name
    architecture: Architecture
    classes: Annotated[list[ClassName], Field(min_length=2, max_length=32, json_schema_extra=LIST_SET)]
    high_risk_classes: Annotated[list[ClassName], Field(min_length=1, max_length=31, json_schema_extra=LIST_SET)]
    image_size: Annotated[int, Field(ge=32, le=512, multiple_of=16)]


class TransferUrls(Part):
    """Presigned URLs for exactly this part's objects; useless without the clinic's certificate."""

    checkpoint: Annotated[str, Field(max_length=URL_LIMIT)]
    update: Annotated[str, Field(max_length=URL_LIMIT)]
    signed_at: Instant
    expires_at: Instant


class ClinicRoundSpec(Part):
    """The assignment."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *(
                cel(f"self.{name} == oldSelf.{name}", f"{name} is immutable", fieldPath=f".{name}")
                for name in _IMMUTABLE
            )
        )
    )

    round: RoundRef
    clinic: ClinicName
    model: ModelShape
    base: Base
    training: Training
    cases_until: Annotated[Instant, Field(description="the end of the window of recent cases: the start of the round")]
    deadline_at: Instant
    urls: TransferUrls
    suspended: Annotated[bool, Field(description="start no further Job")] = False
    closed: Annotated[bool, Field(description="the round goes on without what is not submitted yet")] = False


class ClinicAttempts(Part):
    """How many Jobs of each role were made."""

    fetch: Annotated[int, Field(ge=0)] = 0
    train: Annotated[int, Field(ge=0)] = 0
    submit: Annotated[int, Field(ge=0)] = 0


class ClinicResult(Part):
    """What a clinic tells of its training: an allow-list, without losses, texts or file names."""

    update_digest: Digest
    update_bytes: Annotated[int, Field(ge=0)]
    steps: Annotated[
        int | None, Field(ge=0, description="only where `cases` is told: they tell it to within a batch")
    ] = None
    cases: Annotated[int | None, Field(ge=0, description="only where the clinic's policy allows it")] = None
    locked: Annotated[
        list[LockPart],
        Field(
            max_length=len(LockPart),
            json_schema_extra=LIST_SET,
            description="what the trainer had given up before it opened an image",
        ),
    ] = Field(default_factory=list)


class ClinicRoundStatus(Part):
    """How far the clinic is."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    phase: Annotated[str | None, Field(max_length=32, description="a summary for people")] = None
    conditions: Annotated[list[Condition], Field(max_length=16, json_schema_extra=list_map("type"))] = Field(
        default_factory=list
    )
    attempts: ClinicAttempts = Field(default_factory=ClinicAttempts)
    exit_code: Annotated[int | None, Field(ge=0, le=255, description="of the Job that ended the clinic's part")] = None
    result: ClinicResult | None = None


class ClinicRound(Kind):
    """A clinic's part in a round."""

    presentation: ClassVar[Presentation] = Presentation(
        plural="clinicrounds",
        short_names=("cr",),
        columns=(
            Column("Round", ".spec.round.name"),
            Column("Phase", ".status.phase"),
            Column("Succeeded", ".status.conditions[?(@.type=='Succeeded')].status"),
            Column("Reason", ".status.conditions[?(@.type=='Succeeded')].reason"),
            Column("Deadline", ".spec.deadlineAt", "date", priority=1),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        name_limit=49,
    )

    metadata: Metadata
    spec: ClinicRoundSpec
    status: ClinicRoundStatus = Field(default_factory=ClinicRoundStatus)
