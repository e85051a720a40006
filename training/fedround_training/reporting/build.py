"""From an evaluation to the report of the contract. Pure; called by `validate`.

Shares are rounded to six digits. What a guard found is rounded away from passing, at as many digits as a limit can
have: no report shows a limit as met that is not.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import ceil, floor

from fedround_api import report as contract
from fedround_api.jobs import RoundFacts, ValidateInput
from fedround_api.kinds.federated_round import Participant, ParticipantState
from fedround_training.evaluation import sentences
from fedround_training.evaluation.comparison import PartOfTestSet, Standing
from fedround_training.evaluation.curves import histogram, roc
from fedround_training.evaluation.figures import Counts, Scores, decimal
from fedround_training.evaluation.gate import Judged
from fedround_training.evaluation.groups import OfClinic, by_class, by_clinic
from fedround_training.evaluation.guards import Guard
from fedround_training.evaluation.intervals import Interval, auroc_interval, wilson

_SHARE_DIGITS, _GUARD_DIGITS = 6, 9

NOT_PROTECTED = (
    contract.NotProtected(
        what="Updates were not noised (no differential privacy).",
        meaning="What a clinic submits depends on its patients without a bound: someone who has an update may be able "
        "to tell whether a known patient was among the cases, or to draw out features of images.",
    ),
    contract.NotProtected(
        what="Updates were not masked (no secure aggregation).",
        meaning="The hub, and whoever can read its object store, can read each clinic's update by itself, not only "
        "their sum.",
    ),
)


@dataclass(frozen=True)
class ScoredPart:
    """A part of the test set as both models scored it; `labels` and `clinics` belong to its cases, in order."""

    part: PartOfTestSet
    labels: Sequence[str]
    clinics: Sequence[str]


@dataclass(frozen=True)
class Evaluation:
    """All that was found out."""

    judged: Judged
    gate: ScoredPart
    calibration: contract.PartCounts
    began: datetime
    ended: datetime


def build(given: ValidateInput, found: Evaluation) -> contract.Report:
    """The report of the round."""
    facts, gate_part = given.round, found.gate.part
    threshold = float(found.judged.verdict.threshold)
    compared = found.judged.compared
    return contract.Report(
        schema_version=contract.SCHEMA_VERSION,
        round=contract.RoundIdentity(
            name=facts.name,
            namespace=facts.namespace,
            uid=facts.uid,
            started_at=facts.started_at,
            training_closed_at=facts.training_closed_at,
        ),
        model=contract.ModelIdentity(
            name=given.model.name,
            architecture=given.model.architecture,
            classes=given.model.classes,
            high_risk_classes=given.model.high_risk_classes,
            image_size=given.model.image_size,
        ),
        verdict=_judgement(given, found),
        guards=[_guard(guard) for guard in found.judged.guards],
        candidate=_evaluated(
            facts.base.version + 1, given.candidate_digest, compared.candidate, gate_part, gate_part.candidate
        ),
        incumbent=_evaluated(
            facts.base.version, given.incumbent.digest, compared.incumbent, gate_part, gate_part.incumbent
        ),
        classes=_classes(given, found, threshold),
        test_set_clinics=[_clinic_row(one) for one in by_clinic(gate_part, found.gate.clinics, threshold)],
        test_set=contract.TestSetUse(
            manifest_sha256=found.judged.verdict.test_set_manifest,
            uses=facts.test_set_uses,
            calibration=found.calibration,
            gate=contract.PartCounts(
                cases=found.judged.verdict.cases, high_risk_cases=found.judged.verdict.high_risk_cases
            ),
        ),
        participants=[_participant(one, facts.max_case_volume) for one in facts.participants],
        max_case_volume=facts.max_case_volume,
        training=facts.training,
        gate=given.gate,
        durations=_durations(facts, found),
        not_protected=list(NOT_PROTECTED),
    )


def document_of(report: contract.Report) -> str:
    """report.json: readable, and the same bytes for the same report."""
    return json.dumps(report.dump(), indent=1) + "\n"


def _judgement(given: ValidateInput, found: Evaluation) -> contract.Judgement:
    verdict, warm_up = found.judged.verdict, given.released is None
    return contract.Judgement(
        result=verdict.result,
        release=verdict.release,
        stage=contract.Stage.WARM_UP if warm_up else contract.Stage.RELEASED,
        reason=verdict.reason,
        sentence=verdict.message,
        outcome=sentences.outcome(verdict, given.round.base.version, warm_up=warm_up),
        threshold=float(verdict.threshold),
        lost=verdict.lost,
        gained=verdict.gained,
    )


def _guard(guard: Guard) -> contract.Guard:
    towards_failing = floor if guard.bound is contract.Bound.AT_LEAST else ceil
    scale = 10**_GUARD_DIGITS
    return contract.Guard(
        name=guard.name,
        decides=guard.decides,
        bound=guard.bound,
        unit=guard.unit,
        limit=floor(guard.limit * scale) / scale,
        found=towards_failing(guard.found * scale) / scale,
        holds=guard.holds,
    )


def _evaluated(
    version: int, digest: str, standing: Standing, part: PartOfTestSet, scores: Scores
) -> contract.Evaluated:
    counts = standing.counts
    curve = roc(scores, part.high_risk, contract.ROC_POINT_LIMIT)
    return contract.Evaluated(
        version=version,
        digest=digest,
        figures=contract.Figures(
            sensitivity=_figure(counts.sensitivity, wilson(counts.caught, counts.high_risk)),
            specificity=_figure(counts.specificity, wilson(counts.cleared, counts.other)),
            auroc=_figure(standing.auroc, auroc_interval(standing.auroc, counts.high_risk, counts.other)),
        ),
        confusion=_confusion(counts),
        roc=contract.Roc(
            false_positive_rate=_rounded(curve.false_positive_rate),
            true_positive_rate=_rounded(curve.true_positive_rate),
        ),
        scores=contract.Scores(
            high_risk=list(histogram(scores[part.high_risk], contract.SCORE_BINS)),
            other=list(histogram(scores[~part.high_risk], contract.SCORE_BINS)),
        ),
    )


def _figure(value: Fraction, interval: Interval) -> contract.Figure:
    low, high = _rounded((interval.low, interval.high))
    return contract.Figure(value=float(decimal(value)), low=low, high=high)


def _rounded(shares: Sequence[float]) -> list[float]:
    return [round(share, _SHARE_DIGITS) for share in shares]


def _confusion(counts: Counts) -> contract.Confusion:
    return contract.Confusion(
        caught=counts.caught, missed=counts.missed, cleared=counts.cleared, alarmed=counts.alarmed
    )


def _classes(given: ValidateInput, found: Evaluation, threshold: float) -> list[contract.ClassRow]:
    return [
        contract.ClassRow(
            name=one.name,
            high_risk=one.name in given.model.high_risk_classes,
            cases=one.cases,
            candidate_flagged=one.candidate_flagged,
            incumbent_flagged=one.incumbent_flagged,
        )
        for one in by_class(found.gate.part, found.gate.labels, given.model.classes, threshold)
    ]


def _clinic_row(one: OfClinic) -> contract.ClinicRow:
    if one.candidate.high_risk < contract.GROUP_MINIMUM:
        return contract.ClinicRow(clinic=one.clinic)
    return contract.ClinicRow(
        clinic=one.clinic,
        figures=contract.GroupFigures(
            candidate=_confusion(one.candidate),
            incumbent=_confusion(one.incumbent),
            lost=one.exchanged.lost,
            gained=one.exchanged.gained,
        ),
    )


def _participant(one: Participant, cap: int) -> contract.ParticipantRow:
    submitted = one.state is ParticipantState.SUBMITTED
    return contract.ParticipantRow(
        name=one.name,
        state=one.state,
        weight=min(one.case_volume, cap) if submitted else None,
        cases=one.cases,
        reason=None if submitted else one.reason,
    )


def _durations(facts: RoundFacts, found: Evaluation) -> contract.Durations:
    started, closed = (datetime.fromisoformat(at) for at in (facts.started_at, facts.training_closed_at))
    # The hub's operator wrote one instant, this Job reads the other: their clocks need not agree.
    between = (found.began - closed).total_seconds()
    return contract.Durations(
        training_seconds=max(0.0, (closed - started).total_seconds()),
        aggregation_seconds=round(between, 1) if between >= 0 else None,
        validation_seconds=round((found.ended - found.began).total_seconds(), 1),
    )
