"""What Jobs are given and what they report.

A Job reads its input as JSON from the environment variable ``FEDROUND_INPUT`` and learns from the other variables here
where its volumes are. It reports by its termination message: one JSON object of at most 4,096 bytes.
"""

from enum import StrEnum
from math import isfinite
from typing import Annotated

from pydantic import Field, field_validator

from fedround_api.dataproblems import QuarantineCause
from fedround_api.exitcodes import ExitCode
from fedround_api.fields import ClinicName, ClosedPart, Digest, Instant, Measure, Name
from fedround_api.kinds.clinic_round import URL_LIMIT, ModelShape
from fedround_api.kinds.federated_model import Gate
from fedround_api.kinds.federated_round import PARTICIPANT_LIMIT, Base, Participant, ReportDigests, Training, Verdict
from fedround_api.locking import LockPart
from fedround_api.reasons import Reason

REPORT_LIMIT_BYTES = 4096

# Far more than a clinic ever works on at once; the whole input has to fit into an environment variable of 128 KiB.
KEPT_FOLDER_LIMIT = 1000

# More than any training has, and below what JSON numbers lose digits at.
Count = Annotated[int, Field(ge=0, le=2**53)]
Uid = Annotated[str, Field(min_length=1, max_length=63)]
# Of an object in the store, as S3 has it.
Key = Annotated[str, Field(min_length=1, max_length=1024)]
# Of a folder or a file on a volume, relative to its top.
VolumePath = Annotated[str, Field(max_length=1024)]

INPUT_VARIABLE = "FEDROUND_INPUT"
REPORT_VARIABLE = "FEDROUND_REPORT"
WORKSPACE_VARIABLE = "FEDROUND_WORKSPACE"
IMAGES_VARIABLE = "FEDROUND_IMAGES"
TEST_SET_VARIABLE = "FEDROUND_TEST_SET"
CERTIFICATE_VARIABLE = "FEDROUND_CERTIFICATE"
MEMBERSHIP_VARIABLE = "FEDROUND_MEMBERSHIP"
STORE_VARIABLE = "FEDROUND_STORE"
INITIAL_VARIABLE = "FEDROUND_INITIAL"


class Role(StrEnum):
    """The Jobs."""

    INIT = "init"
    FETCH = "fetch"
    TRAIN = "train"
    SUBMIT = "submit"
    AGGREGATE = "aggregate"
    VALIDATE = "validate"


class StoreAddress(ClosedPart):
    """Where a hub Job finds the object store; its credentials and the store's CA are files below FEDROUND_STORE."""

    endpoint: Annotated[str, Field(max_length=255, description="host:port")]
    bucket: Annotated[str, Field(max_length=63)]
    region: Annotated[str, Field(max_length=63)] = "us-east-1"
    https: Annotated[bool, Field(description="whether it speaks TLS, by the authority in ca.crt of its Secret")]


class InitialFile(ClosedPart):
    """A file below FEDROUND_INITIAL that the model starts from."""

    path: VolumePath
    digest: Digest


class InitInput(ClosedPart):
    """`init` makes the first checkpoint, from the seed or from a file, and publishes it."""

    store: StoreAddress
    model: ModelShape
    seed: Annotated[int, Field(ge=0, le=2**31 - 1)]
    initial: InitialFile | None = None


class FetchInput(ClosedPart):
    """`fetch` brings the round's checkpoint to the workspace volume."""

    folder: VolumePath
    url: Annotated[str, Field(max_length=URL_LIMIT)]
    digest: Digest
    bytes: Count
    keep: Annotated[
        list[VolumePath],
        Field(max_length=KEPT_FOLDER_LIMIT, description="folders of other parts still in work; all else is removed"),
    ] = Field(default_factory=list)


class TrainInput(ClosedPart):
    """`train` trains on the clinic's recent cases; it has no network."""

    folder: VolumePath
    clinic: ClinicName
    model: ModelShape
    base: Base
    training: Training
    cases_until: Instant
    allow_unlocked: bool = False


class SubmitInput(ClosedPart):
    """`submit` uploads what is in the outbox."""

    folder: VolumePath
    url: Annotated[str, Field(max_length=URL_LIMIT)]
    digest: Digest
    bytes: Count


class Contribution(ClosedPart):
    """A clinic's update and what it weighs."""

    clinic: ClinicName
    key: Key
    digest: Digest
    bytes: Count
    weight: Annotated[int, Field(ge=1, description="declared case volume, capped")]


class AggregateInput(ClosedPart):
    """`aggregate` makes the candidate: base plus the weighted mean of the updates."""

    store: StoreAddress
    base_key: Key
    base: Base
    contributions: Annotated[list[Contribution], Field(min_length=1, max_length=PARTICIPANT_LIMIT)]
    candidate_key: Key
    record_key: Key


class Incumbent(ClosedPart):
    """What the candidate is compared with."""

    key: Key
    digest: Digest


class ReleasedPoint(ClosedPart):
    """The frozen operating point of the released version."""

    threshold: Measure
    best_sensitivity: Measure
    test_set_manifest: Digest


class RoundFacts(ClosedPart):
    """What the report says of the round beside the evaluation: who took part, how it trained, how long it took."""

    name: Name
    namespace: Name
    uid: Uid
    started_at: Instant
    training_closed_at: Instant
    base: Base
    participants: Annotated[list[Participant], Field(max_length=PARTICIPANT_LIMIT)]
    training: Training
    max_case_volume: Annotated[int, Field(ge=1)]
    test_set_uses: Annotated[int, Field(ge=1, description="evaluations on this test set, this one included")]


class ValidateInput(ClosedPart):
    """`validate` judges the candidate on the test set, publishes it if it is to be promoted, and reports."""

    store: StoreAddress
    model: ModelShape
    test_set_manifest: Digest
    test_set_prefix: Annotated[
        Key | None, Field(description="where the test set lies in the bucket; none: below FEDROUND_TEST_SET")
    ] = None
    gate: Gate
    candidate_key: Key
    candidate_digest: Digest
    incumbent: Incumbent
    released: ReleasedPoint | None = None
    published_key: Key
    round: RoundFacts
    report_key: Key
    report_page_key: Key


class JobReport(ClosedPart):
    """The termination message of every Job. Only the fields of its role are set."""

    role: Role
    exit_code: ExitCode = ExitCode.OK
    message: Annotated[str, Field(max_length=1024)] = ""
    clinic: Annotated[ClinicName | None, Field(description="the clinic whose update was refused")] = None
    digest: Digest | None = None
    bytes: Count | None = None
    steps: Count | None = None
    cases: Count | None = None
    quarantined: Annotated[
        dict[QuarantineCause, Count] | None,
        Field(description="images set aside, by cause; for the clinic, never for the hub"),
    ] = None
    locked: Annotated[
        list[LockPart] | None, Field(max_length=len(LockPart), description="what `train` had given up, as it saw")
    ] = None
    verdict: Verdict | None = None
    report: Annotated[ReportDigests | None, Field(description="of the files that `validate` wrote")] = None

    @field_validator("verdict")
    @classmethod
    def _usable(cls, verdict: Verdict | None) -> Verdict | None:
        """A reason that this version does not know, or a figure that is none, must never reach the operator."""
        if verdict is not None:
            Reason(verdict.reason)
            figures = (*verdict.candidate.dump().values(), *verdict.incumbent.dump().values(), verdict.threshold)
            if not all(isfinite(float(figure)) for figure in figures):
                raise ValueError("a figure is not finite")
        return verdict


def read_report(message: str | None) -> JobReport | None:
    """The report in a termination message, or nothing where there is none that can be trusted."""
    if not message or len(message.encode()) > REPORT_LIMIT_BYTES:
        return None
    try:
        return JobReport.model_validate_json(message)
    except ValueError:
        return None
