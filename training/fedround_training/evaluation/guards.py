"""The guards of the gate: what is demanded of a candidate, what was found, and whether it holds.

Pure; called by `gate`, which makes the verdict of them, and shown by the report: one list for both, so that they cannot
disagree. All is exact (fractions of counts), and a limit that is just met is met.

    no version released yet   AUROC not below the incumbent's: else no promotion
                              all floors: else no release
    a version is released     in this order: high-risk cases lost, anchor, floors, drops: else no promotion

Floors are absolute: they hold for the candidate even where the incumbent is below them (they may have been raised since
it was released).
"""

from dataclasses import dataclass
from fractions import Fraction

from fedround_api.kinds.federated_model import Gate, GateRule
from fedround_api.reasons import Reason
from fedround_api.report import Bound, Decides, GuardName, Unit
from fedround_training.evaluation.comparison import Comparison, Standing

# "distance to the best version: two cases are always allowed", whatever the anchor says (a small test set is coarse).
_ANCHOR_CASES = 2


@dataclass(frozen=True)
class Frozen:
    """The operating point of the released version. `threshold` is kept as the text that it was released with."""

    threshold: str
    best_sensitivity: Fraction


@dataclass(frozen=True)
class Guard:
    """One demand. `reason` is what a verdict says where it does not hold."""

    name: GuardName
    reason: Reason
    bound: Bound
    limit: Fraction
    found: Fraction
    unit: Unit = Unit.SHARE
    decides: Decides = Decides.PROMOTION

    @property
    def holds(self) -> bool:
        return self.found >= self.limit if self.bound is Bound.AT_LEAST else self.found <= self.limit


def guards_of(compared: Comparison, gate: Gate, released: Frozen | None) -> tuple[Guard, ...]:
    """The guards that apply, the gravest first: cases missed, then false alarms, then ranking."""
    candidate, incumbent = compared.candidate, compared.incumbent
    if released is None:
        not_lower = Guard(
            GuardName.WARM_UP_AUROC, Reason.WARM_UP_AUROC_LOWER, Bound.AT_LEAST, incumbent.auroc, candidate.auroc
        )
        return (not_lower, *_floors(candidate, gate, Decides.RELEASE))
    return (
        _high_risk_cases(compared, gate.rule),
        _anchor(candidate, gate, released),
        *_floors(candidate, gate, Decides.PROMOTION),
        Guard(
            GuardName.SPECIFICITY_DROP,
            Reason.SPECIFICITY_DROPPED,
            Bound.AT_MOST,
            Fraction(gate.max_drop.specificity),
            incumbent.counts.specificity - candidate.counts.specificity,
        ),
        Guard(
            GuardName.AUROC_DROP,
            Reason.AUROC_DROPPED,
            Bound.AT_MOST,
            Fraction(gate.max_drop.auroc),
            incumbent.auroc - candidate.auroc,
        ),
    )


def _high_risk_cases(compared: Comparison, rule: GateRule) -> Guard:
    match rule:
        case GateRule.STRICT:
            limit = Fraction(compared.gained)
    return Guard(
        GuardName.HIGH_RISK_CASES,
        Reason.HIGH_RISK_CASES_LOST,
        Bound.AT_MOST,
        limit,
        Fraction(compared.lost),
        Unit.CASES,
    )


def _anchor(candidate: Standing, gate: Gate, released: Frozen) -> Guard:
    """How many cases fewer than the best version: its sensitivity was rounded to six digits, and the test set is the
    same."""
    high_risk = candidate.counts.high_risk
    best_caught = round(released.best_sensitivity * high_risk)
    return Guard(
        GuardName.ANCHOR,
        Reason.BELOW_ANCHOR,
        Bound.AT_MOST,
        max(Fraction(gate.anchor) * high_risk, Fraction(_ANCHOR_CASES)),
        Fraction(best_caught - candidate.counts.caught),
        Unit.CASES,
    )


def _floors(standing: Standing, gate: Gate, decides: Decides) -> tuple[Guard, ...]:
    floors = gate.floors
    demands = (
        (GuardName.SENSITIVITY_FLOOR, Reason.SENSITIVITY_BELOW_FLOOR, floors.sensitivity, standing.counts.sensitivity),
        (GuardName.SPECIFICITY_FLOOR, Reason.SPECIFICITY_BELOW_FLOOR, floors.specificity, standing.counts.specificity),
        (GuardName.AUROC_FLOOR, Reason.AUROC_BELOW_FLOOR, floors.auroc, standing.auroc),
    )
    return tuple(
        Guard(name, reason, Bound.AT_LEAST, Fraction(floor), found, decides=decides)
        for name, reason, floor, found in demands
    )
