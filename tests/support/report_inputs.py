"""Reports of small rounds, made by the real gate from scores that are spelled out."""

from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction

import numpy as np

from fedround_api.jobs import Incumbent, ReleasedPoint, RoundFacts, ValidateInput
from fedround_api.kinds.federated_model import Floors, Gate
from fedround_api.kinds.federated_round import Base, Participant, ParticipantState, Training
from fedround_api.report import PartCounts, Report
from fedround_training.evaluation.comparison import PartOfTestSet
from fedround_training.evaluation.gate import judge
from fedround_training.evaluation.guards import Frozen
from fedround_training.reporting.build import Evaluation, ScoredPart, build
from support.job_inputs import ADDRESS, SHAPE

MANIFEST, BEST = "7e57" * 16, "0.900000"
PARTICIPANTS = (
    Participant(name="east", state=ParticipantState.FAILED, case_volume=300, reason="NoRecentCases"),
    Participant(name="north", state=ParticipantState.SUBMITTED, case_volume=1200, cases=240),
    Participant(name="south", state=ParticipantState.SUBMITTED, case_volume=30_000),
    Participant(name="west", state=ParticipantState.LATE, case_volume=50),
)
# (incumbent, candidate) of ten high-risk cases: six that both catch, two lost, one gained, one that both miss; and of
# ten others: eight that both clear, a new false alarm, an old one.
HIGH_RISK = [(0.9, 0.8)] * 6 + [(0.7, 0.3)] * 2 + [(0.2, 0.6)] + [(0.1, 0.1)]
OTHERS = [(0.2, 0.1)] * 8 + [(0.3, 0.7)] + [(0.8, 0.4)]
NORTH_HIGH_RISK = 7
Pairs = Sequence[tuple[float, float]]


def make_report(
    high_risk: Pairs = HIGH_RISK,
    others: Pairs = OTHERS,
    *,
    released: str | None = "0.5",
    participants: Sequence[Participant] = PARTICIPANTS,
    clinics: Sequence[str] = ("north", "south"),
    training_closed_at: str = "2026-11-24T12:20:00Z",
    began: datetime = datetime(2026, 11, 24, 12, 20, 5, tzinfo=UTC),
) -> Report:
    """The report of a round that began at 12:00; seven high-risk cases are one clinic's, the rest another's."""
    gate = Gate(floors=Floors(sensitivity="0.60", specificity="0.50", auroc="0.60"))
    pairs = np.array([*high_risk, *others])
    part = PartOfTestSet(np.array([True] * len(high_risk) + [False] * len(others)), pairs[:, 1], pairs[:, 0])
    frozen = Frozen(released, Fraction(BEST)) if released else None
    given = ValidateInput(
        store=ADDRESS,
        model=SHAPE,
        test_set_manifest=MANIFEST,
        gate=gate,
        candidate_key="candidate",
        candidate_digest="ca4d" * 16,
        incumbent=Incumbent(key="incumbent", digest="ba5e" * 16),
        released=ReleasedPoint(threshold=released, best_sensitivity=BEST, test_set_manifest=MANIFEST)
        if released
        else None,
        published_key="published",
        report_key="report.json",
        report_page_key="report.html",
        round=RoundFacts(
            name="w48",
            namespace="skin-network",
            uid="5a6b7c8d-0000-4000-8000-000000000000",
            started_at="2026-11-24T12:00:00Z",
            training_closed_at=training_closed_at,
            base=Base(version=3, digest="ba5e" * 16, bytes=770_100),
            participants=list(participants),
            training=Training(),
            max_case_volume=10_000,
            test_set_uses=6,
        ),
    )
    first, second = clinics
    names = [first if number < NORTH_HIGH_RISK else second for number in range(len(pairs))]
    labels = ["mel"] * len(high_risk) + ["nv"] * len(others)
    found = Evaluation(
        judged=judge(part, part, gate, frozen, MANIFEST),
        gate=ScoredPart(part, labels, names),
        calibration=PartCounts(cases=20, high_risk_cases=10),
        began=began,
        ended=began.replace(second=began.second + 4),
    )
    return build(given, found)
