"""ClinicPolicy: what a clinic decides for itself. A file in the clinic; nothing on the hub can widen it."""

from typing import Annotated, Literal

from pydantic import Field

from fedround_api.fields import ClosedPart


class PrivacyPolicy(ClosedPart):
    """What may leave the clinic."""

    allow_none: Annotated[
        bool, Field(description="take part in rounds whose updates are not noised: only for data that may be used so")
    ] = False
    report_case_counts: Annotated[bool, Field(description="tell the hub how many cases a round trained on")] = False


class TrainingPolicy(ClosedPart):
    """How images may be read."""

    allow_unlocked: Annotated[
        bool,
        Field(description="train even where the kernel cannot lock the trainer in; the hub is told, and shows it"),
    ] = False


class ClinicPolicySpec(ClosedPart):
    """The clinic's decisions."""

    case_volume: Annotated[int, Field(ge=1, le=10_000_000, description="declared, public: the clinic's weight")]
    privacy: PrivacyPolicy = Field(default_factory=PrivacyPolicy)
    training: TrainingPolicy = Field(default_factory=TrainingPolicy)


class ClinicPolicy(ClosedPart):
    """The policy file."""

    api_version: Literal["fedround.dev/v1alpha1"]
    kind: Literal["ClinicPolicy"]
    spec: ClinicPolicySpec
