"""The report of a round, as `validate` writes it to the object store; published as docs/report.schema.json.

It is written when the gate has judged, before the model's pointer moves: it tells what was decided, and the round's
status what came of it. It holds figures, counts and digests, never a single case. Figures are JSON numbers: shares with
six digits, what a guard found and its limit with nine, which is as many as a limit can have, so that `holds` can be
checked by comparing. ``schemaVersion`` changes when a reader of an older report would misread a newer one.
"""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from fedround_api.fields import ClassName, ClinicName, ClosedPart, Digest, Instant
from fedround_api.kinds.federated_model import Gate
from fedround_api.kinds.federated_round import PARTICIPANT_LIMIT, ParticipantState, Training, VerdictResult

SCHEMA_VERSION = "1"
SCORE_BINS = 20
ROC_POINT_LIMIT = 200
#: With fewer high-risk cases than this, figures of a group say more about chance than about a model.
GROUP_MINIMUM = 5

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Shares = Annotated[list[Share], Field(min_length=2, max_length=ROC_POINT_LIMIT)]
BinCounts = Annotated[list[Count], Field(min_length=SCORE_BINS, max_length=SCORE_BINS)]


class Stage(StrEnum):
    """Whether the model had a released version, with a frozen threshold, when the candidate was judged."""

    WARM_UP = "WarmUp"
    RELEASED = "Released"


class GuardName(StrEnum):
    """What is demanded of a candidate."""

    WARM_UP_AUROC = "WarmUpAuroc"
    HIGH_RISK_CASES = "HighRiskCases"
    ANCHOR = "Anchor"
    SENSITIVITY_FLOOR = "SensitivityFloor"
    SPECIFICITY_FLOOR = "SpecificityFloor"
    AUROC_FLOOR = "AurocFloor"
    SPECIFICITY_DROP = "SpecificityDrop"
    AUROC_DROP = "AurocDrop"


class Bound(StrEnum):
    """Which side of its limit a guard allows; the limit itself is allowed."""

    AT_LEAST = "AtLeast"
    AT_MOST = "AtMost"


class Decides(StrEnum):
    """What a guard that does not hold prevents: the promotion, or only the release for use."""

    PROMOTION = "Promotion"
    RELEASE = "Release"


class Unit(StrEnum):
    """What a guard counts in: high-risk cases, or shares from 0 to 1."""

    CASES = "Cases"
    SHARE = "Share"


class Guard(ClosedPart):
    """One demand on the candidate, as it applied in this round."""

    name: GuardName
    decides: Decides
    bound: Bound
    unit: Unit
    limit: Annotated[float, Field(allow_inf_nan=False)]
    found: Annotated[float, Field(allow_inf_nan=False, description="a drop below zero is a rise")]
    holds: bool


class RoundIdentity(ClosedPart):
    """Which round this is."""

    name: str
    namespace: str
    uid: str
    started_at: Instant
    training_closed_at: Instant


class ModelIdentity(ClosedPart):
    """What was trained."""

    name: str
    architecture: str
    classes: list[ClassName]
    high_risk_classes: list[ClassName]
    image_size: Annotated[int, Field(ge=1, description="pixels, both sides")]


class Judgement(ClosedPart):
    """The verdict, in words and in the figures that it rests on."""

    result: VerdictResult
    release: Annotated[bool, Field(description="the candidate is to become the version that clinics may use")]
    stage: Stage
    reason: str
    sentence: Annotated[str, Field(description="why")]
    outcome: Annotated[
        str, Field(description="what is to happen now; whether a promotion took place is told by the round's status")
    ]
    threshold: Annotated[
        float, Field(allow_inf_nan=False, description="a case whose score is at or above it is flagged as high-risk")
    ]
    lost: Annotated[Count, Field(description="high-risk cases that only the incumbent catches")]
    gained: Annotated[Count, Field(description="high-risk cases that only the candidate catches")]


class Figure(ClosedPart):
    """A share with its 95 % confidence interval, cases taken as independent."""

    value: Share
    low: Share
    high: Share


class Figures(ClosedPart):
    """Of the gate part. Intervals: Wilson; for AUROC Newcombe's method 5 (Statistics in Medicine 2006;25:559-573)."""

    sensitivity: Figure
    specificity: Figure
    auroc: Figure


class Confusion(ClosedPart):
    """The four cells at the threshold."""

    caught: Annotated[Count, Field(description="high-risk and flagged")]
    missed: Annotated[Count, Field(description="high-risk and not flagged")]
    cleared: Annotated[Count, Field(description="other and not flagged")]
    alarmed: Annotated[Count, Field(description="other and flagged: false alarms")]


class Roc(ClosedPart):
    """Corners of the ROC curve from (0, 0) to (1, 1); a selection of them where there are more than 200."""

    false_positive_rate: Shares
    true_positive_rate: Shares


class Scores(ClosedPart):
    """How many cases have a score in each of 20 equal bins from 0 to 1; an edge belongs to the bin above it."""

    high_risk: BinCounts
    other: BinCounts


class Evaluated(ClosedPart):
    """One of the two models on the gate part of the test set."""

    version: Annotated[Count, Field(description="of a candidate: the number that it gets if it is promoted")]
    digest: Digest
    figures: Figures
    confusion: Confusion
    roc: Roc
    scores: Scores


class ClassRow(ClosedPart):
    """One class of the gate part: how many of its cases each model flags."""

    name: ClassName
    high_risk: bool
    cases: Count
    candidate_flagged: Count
    incumbent_flagged: Count


class GroupFigures(ClosedPart):
    """Both models on a part of the cases."""

    candidate: Confusion
    incumbent: Confusion
    lost: Count
    gained: Count


class ClinicRow(ClosedPart):
    """The gate cases that a clinic gave to the test set; without figures where there are too few high-risk cases."""

    clinic: str
    figures: Annotated[
        GroupFigures | None, Field(description=f"none below {GROUP_MINIMUM} high-risk cases: too few to tell")
    ] = None


class PartCounts(ClosedPart):
    """How large a part of the test set is."""

    cases: Count
    high_risk_cases: Count


class TestSetUse(ClosedPart):
    """What was judged on. The calibration part sets the threshold of a first release; all else is of the gate part."""

    __test__ = False  # pytest would collect it by its name
    manifest_sha256: Digest
    uses: Annotated[int, Field(ge=1, description="evaluations on this test set, this one included")]
    calibration: PartCounts
    gate: PartCounts


class ParticipantRow(ClosedPart):
    """A clinic that was asked to take part."""

    name: ClinicName
    state: ParticipantState
    weight: Annotated[
        Count | None,
        Field(description="its declared case volume, capped: what its update counts in the mean; none without one"),
    ] = None
    cases: Annotated[Count | None, Field(description="that it trained on, where it may tell")] = None
    reason: Annotated[str | None, Field(description="why it has no part in the result")] = None


class Durations(ClosedPart):
    """How long the parts of the round took."""

    training_seconds: Annotated[
        Seconds,
        Field(description="from the round's start to its last update, or to the deadline where one is missing"),
    ]
    aggregation_seconds: Annotated[
        Seconds | None,
        Field(description="from then to the evaluation's start, Jobs' starts included; none where clocks disagree"),
    ] = None
    validation_seconds: Annotated[Seconds, Field(description="the evaluation, up to this report")]


class NotProtected(ClosedPart):
    """A protection that this round did without, and what that means."""

    what: str
    meaning: str


class Report(ClosedPart):
    """The report of one round."""

    schema_version: Literal["1"]
    round: RoundIdentity
    model: ModelIdentity
    verdict: Judgement
    guards: Annotated[list[Guard], Field(min_length=1, description="that applied in this round, the gravest first")]
    candidate: Evaluated
    incumbent: Evaluated
    classes: list[ClassRow]
    test_set_clinics: list[ClinicRow]
    test_set: TestSetUse
    participants: Annotated[list[ParticipantRow], Field(max_length=PARTICIPANT_LIMIT)]
    max_case_volume: Annotated[int, Field(ge=1, description="no clinic counts for more than this")]
    training: Training
    gate: Gate
    durations: Durations
    not_protected: list[NotProtected]


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of report.json."""
    schema = _plain(Report.model_json_schema(by_alias=True))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"fedround report of a round, version {SCHEMA_VERSION}",
        **schema,
    }


def _plain(schema: Any) -> Any:
    """Without what is meant for the API server only, and without the titles that pydantic makes of field names."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _plain(value)
        for key, value in schema.items()
        if not key.startswith("x-kubernetes-") and not (key == "title" and isinstance(value, str))
    }
