"""The gate: whether a candidate takes the incumbent's place, and if not, the first reason why.

Pure: called by `validate` with the scores of both models on the same cases; knows no file, store, clock or network. It
fails closed: what cannot be judged raises CannotJudge, and whoever calls keeps the incumbent. What is demanded is said
in `guards`; this module sets the threshold and turns guards into a verdict:

    a guard that decides the promotion does not hold   roll back, for the first such reason
    no version released yet                            promote; and release, if all floors are met at the threshold
                                                       that the candidate itself sets on the calibration part
    a version is released                              promote and release, at its frozen threshold
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from fedround_api.kinds.federated_model import Gate, Metrics
from fedround_api.kinds.federated_round import Verdict, VerdictResult
from fedround_api.reasons import Reason
from fedround_api.report import Decides
from fedround_training.evaluation import sentences
from fedround_training.evaluation.comparison import Comparison, PartOfTestSet, Standing, compare
from fedround_training.evaluation.errors import CasesUnusable, ScoresNotFinite
from fedround_training.evaluation.figures import decimal
from fedround_training.evaluation.guards import Frozen, Guard, guards_of
from fedround_training.evaluation.threshold import choose_threshold


@dataclass(frozen=True)
class Judged:
    """The verdict and what it was made of."""

    verdict: Verdict
    compared: Comparison
    guards: tuple[Guard, ...]


def judge(
    calibration: PartOfTestSet, gate_part: PartOfTestSet, gate: Gate, released: Frozen | None, test_set_manifest: str
) -> Judged:
    """The verdict on the candidate. Raises ScoresNotFinite or CasesUnusable."""
    for name, part in (("calibration", calibration), ("gate", gate_part)):
        _require_judgeable(name, part)
    if released is None:
        target = Fraction(gate.target_specificity)
        threshold = choose_threshold(calibration.candidate, calibration.high_risk, target)
    else:
        threshold = released.threshold
    compared = compare(gate_part, threshold)
    guards = guards_of(compared, gate, released)
    result, reason = _decided(guards, warm_up=released is None)
    verdict = Verdict(
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
    return Judged(verdict, compared, guards)


def _decided(guards: tuple[Guard, ...], *, warm_up: bool) -> tuple[VerdictResult, Reason]:
    broken = [guard for guard in guards if not guard.holds]
    against = next((guard.reason for guard in broken if guard.decides is Decides.PROMOTION), None)
    if against is not None:
        return VerdictResult.ROLL_BACK, against
    if not warm_up:
        return VerdictResult.PROMOTE, Reason.GATE_PASSED
    return VerdictResult.PROMOTE, Reason.WARM_UP_PASSED if broken else Reason.RELEASED


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
