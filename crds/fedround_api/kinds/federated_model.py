"""FederatedModel: what is trained, how candidates are judged, and which version is current and released."""

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, model_validator

from fedround_api.fields import (
    LIST_SET,
    ClassName,
    Digest,
    Fraction,
    Instant,
    Measure,
    Name,
    Part,
    cel,
    list_map,
    rules,
)
from fedround_api.kinds.meta import Column, Condition, Kind, Metadata, Presentation

_IMMUTABLE = ("architecture", "classes", "highRiskClasses", "imageSize", "seed")
HISTORY_LIMIT = 20


class Architecture(StrEnum):
    """Networks that the training image knows."""

    TINY_GN = "tiny-gn"


class GateRule(StrEnum):
    """How lost and gained high-risk cases are weighed."""

    STRICT = "Strict"


class Floors(Part):
    """What a version must reach on the gate split to be released, and to be promoted from then on."""

    sensitivity: Fraction = "0.70"
    specificity: Fraction = "0.50"
    auroc: Fraction = "0.70"


class MaxDrop(Part):
    """The largest drop against the incumbent that a candidate may show."""

    specificity: Fraction = "0.05"
    auroc: Fraction = "0.02"


class Gate(Part):
    """The rules that decide whether a candidate replaces the incumbent."""

    rule: GateRule = GateRule.STRICT
    target_specificity: Annotated[
        Fraction,
        Field(description="the threshold of a first release is set on the calibration split to reach this specificity"),
    ] = "0.80"
    floors: Floors = Field(default_factory=Floors)
    max_drop: MaxDrop = Field(default_factory=MaxDrop)
    anchor: Annotated[
        Fraction,
        Field(description="largest distance in sensitivity to the best released version; two cases are always allowed"),
    ] = "0.03"


class TestSet(Part):
    """The held-out multi-site test set: where it lies, and the digest of its manifest."""

    model_config = ConfigDict(
        json_schema_extra=rules(cel("has(self.claimName) != has(self.prefix)", "give either claimName or prefix"))
    )

    claim_name: Annotated[Name | None, Field(description="a volume claim in the model's namespace")] = None
    prefix: Annotated[
        str | None,
        Field(
            max_length=255,
            # No clinic may read or write there.
            pattern=r"^test-sets(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+$",
            description="a folder of the object store's bucket, below test-sets/",
        ),
    ] = None
    manifest_sha256: Digest

    @model_validator(mode="after")
    def _one_place(self) -> "TestSet":
        if (self.claim_name is None) == (self.prefix is None):
            raise ValueError("give either claimName or prefix")
        return self


class InitialCheckpoint(Part):
    """A checkpoint that the model starts from: a safetensors file on a volume in the model's namespace."""

    claim_name: Name
    path: Annotated[
        str,
        Field(
            max_length=255,
            pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$",
            description="of the file, from the top of the volume",
        ),
    ]
    sha256: Digest


class FederatedModelSpec(Part):
    """What an administrator decides about a model."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *(
                cel(f"self.{name} == oldSelf.{name}", f"{name} is immutable: make a new model", fieldPath=f".{name}")
                for name in _IMMUTABLE
            ),
            cel(
                "has(self.initialCheckpoint) == has(oldSelf.initialCheckpoint) && "
                "(!has(self.initialCheckpoint) || self.initialCheckpoint == oldSelf.initialCheckpoint)",
                "initialCheckpoint is immutable: make a new model",
                fieldPath=".initialCheckpoint",
            ),
            cel(
                "self.highRiskClasses.all(c, c in self.classes)",
                "highRiskClasses must be among classes",
                fieldPath=".highRiskClasses",
            ),
            cel(
                "size(self.highRiskClasses) < size(self.classes)",
                "at least one class must not be high-risk",
                fieldPath=".highRiskClasses",
            ),
        )
    )

    architecture: Architecture = Architecture.TINY_GN
    classes: Annotated[list[ClassName], Field(min_length=2, max_length=32, json_schema_extra=LIST_SET)]
    high_risk_classes: Annotated[list[ClassName], Field(min_length=1, max_length=31, json_schema_extra=LIST_SET)]
    image_size: Annotated[int, Field(ge=32, le=512, multiple_of=16, description="pixels, both sides")] = 64
    seed: Annotated[int, Field(ge=0, le=2**31 - 1, description="of the first checkpoint")] = 0
    initial_checkpoint: Annotated[
        InitialCheckpoint | None, Field(description="start from this instead of fresh weights")
    ] = None
    test_set: TestSet
    gate: Gate = Field(default_factory=Gate)

    @model_validator(mode="after")
    def _high_risk_is_a_part(self) -> "FederatedModelSpec":
        if not set(self.high_risk_classes) < set(self.classes):
            raise ValueError("highRiskClasses must be some, not all, of classes")
        return self


class Metrics(Part):
    """Figures on the gate split; sensitivity and specificity at the threshold."""

    sensitivity: Measure
    specificity: Measure
    auroc: Measure


class ModelVersion(Part):
    """A checkpoint that is or was the model's current one."""

    version: Annotated[int, Field(ge=0)]
    round: Annotated[str, Field(max_length=63)] = ""
    round_uid: Annotated[str, Field(max_length=63)] = ""
    digest: Digest
    bytes: Annotated[int, Field(ge=0)]
    metrics: Metrics | None = None
    promoted_at: Instant


class ReleasedVersion(Part):
    """The version that clinics may use for patients, and its frozen operating point."""

    version: Annotated[int, Field(ge=0)]
    round: Annotated[str, Field(max_length=63)]
    digest: Digest
    threshold: Measure
    test_set_manifest: Digest
    best_sensitivity: Annotated[Measure, Field(description="highest sensitivity of any released version: the anchor")]
    released_at: Instant


class ActiveRound(Part):
    """The one round of the model that may run."""

    name: Annotated[str, Field(max_length=63)]
    uid: Annotated[str, Field(max_length=63)]


class FederatedModelStatus(Part):
    """Where the model stands. ``current`` is the pointer that a promotion swaps."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    conditions: Annotated[list[Condition], Field(max_length=16, json_schema_extra=list_map("type"))] = Field(
        default_factory=list
    )
    init_attempts: Annotated[int, Field(ge=0)] = 0
    current: ModelVersion | None = None
    released: ReleasedVersion | None = None
    active_round: ActiveRound | None = None
    evaluations: Annotated[int, Field(ge=0, description="how often the test set was used to judge a candidate")] = 0
    history: Annotated[list[ModelVersion], Field(max_length=HISTORY_LIMIT, json_schema_extra=list_map("version"))] = (
        Field(default_factory=list)
    )


class FederatedModel(Kind):
    """A classifier that clinics train together."""

    presentation: ClassVar[Presentation] = Presentation(
        plural="federatedmodels",
        short_names=("fm", "fedmodel", "fedmodels"),
        columns=(
            Column("Architecture", ".spec.architecture"),
            Column("Current", ".status.current.version", "integer"),
            Column("Released", ".status.released.version", "integer"),
            Column("Round", ".status.activeRound.name"),
            Column("Ready", ".status.conditions[?(@.type=='Ready')].status"),
            Column("Digest", ".status.current.digest", priority=1),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        name_limit=40,
    )

    metadata: Metadata
    spec: FederatedModelSpec
    status: FederatedModelStatus = Field(default_factory=FederatedModelStatus)
