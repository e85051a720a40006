"""The gate: whether a candidate takes the incumbent's place, and if not, the first reason why.

Pure: called by `validate` with the scores of both models on the same cases; knows no file, store, clock or network. It
fails closed: what cannot be judged raises CannotJudge, and whoever calls keeps the incumbent.

    no version released yet   AUROC below the incumbent's -> roll back
                              otherwise -> promote; and release, if all floors are met at the threshold that the
                              candidate itself sets on the calibration part
    a version is released     at its frozen threshold, in this order: high-risk cases lost, anchor, floors, drops
                              -> roll back; otherwise -> promote and release, at the same threshold

Floors are absolute: they hold for the candidate even where the incumbent is below them (they may have been raised since
it was released).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from fedround_api.kinds.federated_model import Floors, Gate, GateRule, Metrics
from fedround_api.kinds.federated_round import Verdict, VerdictResult
from fedround_api.reasons import Reason
from fedround_training.evaluation import sentences
from fedround_training.evaluation.errors import CasesUnusable, ScoresNotFinite
from fedround_training.evaluation.figures import Flags, Scores, auroc, count, decimal, flagged
from fedround_training.evaluation.sentences import Comparison, Standing
from fedround_training.evaluation.threshold import choose_threshold

# "distance to the best version: two cases are always allowed", whatever the anchor says (a small test set is coarse).
_ANCHOR_CASES = 2


@dataclass(frozen=True)
class PartOfTestSet:
    """One part: which cases are high-risk, and what each model gives them; (N,) each, in the same order."""

    high_risk: Flags
    candidate: Scores
    incumbent: Scores


@dataclass(frozen=True)
class Frozen:
    """The operating point of the released version. `threshold` is kept as the text that it was released with."""

    threshold: str
    best_sensitivity: Fraction


def judge(
    calibration: PartOfTestSet, gate_part: PartOfTestSet, gate: Gate, released: Frozen | None, test_set_manifest: str
) -> Verdict:
    """The verdict on the candidate. Raises ScoresNotFinite or CasesUnusable."""
    for name, part in (("calibration", calibration), ("gate", gate_part)):
        _require_judgeable(name, part)
    if released is None:
        target = Fraction(gate.target_specificity)
        threshold = choose_threshold(calibration.candidate, calibration.high_risk, target)
    else:
        threshold = released.threshold
    compared = compare(gate_part, threshold)
    if released is None:
        result, reason = _warm_up(compared, gate)
    else:
        result, reason = _released(compared, gate, released)
    return Verdict(
        result=result,
        reason=reason,
        message=sentences.explain(reason, compared, gate, released.best_sensitivity if released else None),
        candidate=_metrics(compared.candidate),
        incumbent=_metrics(compared.incumbent),
        threshold=threshold,
        release=result is VerdictResult.PROMOTE and reason is not Reason.WARM_UP_PASSED,
        lost=compared.lost,
        gained=compared.gained,
        cases=len(gate_part.high_risk),
        high_risk_cases=compared.candidate.counts.high_risk,
        test_set_manifest=test_set_manifest,
    )


def compare(part: PartOfTestSet, threshold: str) -> Comparison:
    """Both models on the same cases at one threshold."""
    tau = float(threshold)
    if not np.isfinite(tau):
        raise CasesUnusable("the threshold is no number")
    by_candidate, by_incumbent = flagged(part.candidate, tau), flagged(part.incumbent, tau)
    return Comparison(
        candidate=Standing(count(part.candidate, part.high_risk, tau), auroc(part.candidate, part.high_risk)),
        incumbent=Standing(count(part.incumbent, part.high_risk, tau), auroc(part.incumbent, part.high_risk)),
        lost=int(np.sum(part.high_risk & by_incumbent & ~by_candidate)),
        gained=int(np.sum(part.high_risk & by_candidate & ~by_incumbent)),
    )


def _warm_up(compared: Comparison, gate: Gate) -> tuple[VerdictResult, Reason]:
    if compared.candidate.auroc < compared.incumbent.auroc:
        return VerdictResult.ROLL_BACK, Reason.WARM_UP_AUROC_LOWER
    below = next(_below_floors(compared.candidate, gate.floors), None)
    return VerdictResult.PROMOTE, Reason.RELEASED if below is None else Reason.WARM_UP_PASSED


def _released(compared: Comparison, gate: Gate, released: Frozen) -> tuple[VerdictResult, Reason]:
    objection = next(_objections(compared, gate, released), None)
    if objection is None:
        return VerdictResult.PROMOTE, Reason.GATE_PASSED
    return VerdictResult.ROLL_BACK, objection


def _objections(compared: Comparison, gate: Gate, released: Frozen) -> Iterator[Reason]:
    """Every reason against the candidate, the gravest first: cases missed, then false alarms, then ranking."""
    candidate, incumbent = compared.candidate, compared.incumbent
    match gate.rule:
        case GateRule.STRICT:
            if compared.lost > compared.gained:
                yield Reason.HIGH_RISK_CASES_LOST
    if _best_caught(released, candidate) - candidate.counts.caught > _allowed_cases(gate, candidate):
        yield Reason.BELOW_ANCHOR
    yield from _below_floors(candidate, gate.floors)
    if incumbent.counts.specificity - candidate.counts.specificity > Fraction(gate.max_drop.specificity):
        yield Reason.SPECIFICITY_DROPPED
    if incumbent.auroc - candidate.auroc > Fraction(gate.max_drop.auroc):
        yield Reason.AUROC_DROPPED


def _below_floors(standing: Standing, floors: Floors) -> Iterator[Reason]:
    if standing.counts.sensitivity < Fraction(floors.sensitivity):
        yield Reason.SENSITIVITY_BELOW_FLOOR
    if standing.counts.specificity < Fraction(floors.specificity):
        yield Reason.SPECIFICITY_BELOW_FLOOR
    if standing.auroc < Fraction(floors.auroc):
        yield Reason.AUROC_BELOW_FLOOR


def _best_caught(released: Frozen, candidate: Standing) -> int:
    """The best version's count of cases: its sensitivity was rounded to six digits, and the test set is the same."""
    return round(released.best_sensitivity * candidate.counts.high_risk)


def _allowed_cases(gate: Gate, candidate: Standing) -> Fraction:
    return max(Fraction(gate.anchor) * candidate.counts.high_risk, Fraction(_ANCHOR_CASES))


def _require_judgeable(name: str, part: PartOfTestSet) -> None:
    for model, scores in (("candidate", part.candidate), ("incumbent", part.incumbent)):
        if scores.shape != part.high_risk.shape:
            raise CasesUnusable(
                f"the {model} has {len(scores)} scores for {len(part.high_risk)} cases of the {name} part"
            )
        if not np.isfinite(scores).all():
            raise ScoresNotFinite(model)
    if not part.high_risk.any() or part.high_risk.all():
        raise CasesUnusable(f"the {name} part of the test set needs both high-risk cases and others")


def _metrics(standing: Standing) -> Metrics:
    return Metrics(
        sensitivity=decimal(standing.counts.sensitivity),
        specificity=decimal(standing.counts.specificity),
        auroc=decimal(standing.auroc),
    )
