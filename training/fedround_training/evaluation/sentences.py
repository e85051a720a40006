"""What a verdict says to a clinical lead: one sentence with the numbers that decided.

Pure; called by `gate`, and by the report for what happens next.
"""

from fractions import Fraction

from fedround_api.kinds.federated_model import Gate
from fedround_api.kinds.federated_round import Verdict, VerdictResult
from fedround_api.reasons import Reason
from fedround_training.evaluation.comparison import Comparison, Standing


def explain(reason: Reason, compared: Comparison, gate: Gate, best_sensitivity: Fraction | None) -> str:
    """The sentence for a reason of the gate."""
    new, old = compared.candidate, compared.incumbent
    auroc, old_auroc = _apart(new.auroc, old.auroc)
    specificity, old_specificity = _apart(new.counts.specificity, old.counts.specificity)
    caught = f"catches {new.counts.caught} of {new.counts.high_risk} high-risk cases"
    match reason:
        case Reason.WARM_UP_AUROC_LOWER:
            return f"The candidate's AUROC is {auroc}, below the incumbent's {old_auroc}."
        case Reason.WARM_UP_PASSED:
            return (
                f"The candidate's AUROC is {auroc}, not below the incumbent's {old_auroc}; "
                f"it does not meet all floors yet, so no version is released: {_against_floors(new, gate)}."
            )
        case Reason.RELEASED:
            return f"The candidate {caught} and meets all floors: {_against_floors(new, gate)}."
        case Reason.GATE_PASSED:
            return f"The candidate {caught}, {_exchange(compared)}; all guards hold: {_against_floors(new, gate)}."
        case Reason.HIGH_RISK_CASES_LOST:
            return f"The candidate {caught}, {_exchange(compared)}."
        case Reason.BELOW_ANCHOR:
            best = "" if best_sensitivity is None else f" ({_shown(best_sensitivity)})"
            return f"The candidate {caught} ({_shown(new.counts.sensitivity)}), too far below the best version{best}."
        case Reason.SENSITIVITY_BELOW_FLOOR | Reason.SPECIFICITY_BELOW_FLOOR | Reason.AUROC_BELOW_FLOOR:
            return f"The candidate does not meet all floors: {_against_floors(new, gate)}."
        case Reason.SPECIFICITY_DROPPED:
            allowed = gate.max_drop.specificity
            return (
                f"Specificity falls from {old_specificity} to {specificity} "
                f"({new.counts.alarmed - old.counts.alarmed} more false alarms in {new.counts.other} cases); "
                f"a drop of {allowed} is allowed."
            )
        case Reason.AUROC_DROPPED:
            return f"AUROC falls from {old_auroc} to {auroc}; a drop of {gate.max_drop.auroc} is allowed."
        case _:
            raise ValueError(f"{reason} is no reason of the gate")


def outcome(verdict: Verdict, incumbent: int, *, warm_up: bool) -> str:
    """What is to happen now, given the incumbent's version.

    Said when the gate has judged and the model's pointer has not moved yet, so none of it is told as done.
    """
    following = f"The candidate is to become version {incumbent + 1}"
    unreleased = "No version is released for use yet."
    if verdict.release:
        before = "" if warm_up else f", in place of version {incumbent}"
        return f"{following}, which clinics may then use{before}."
    if verdict.result is VerdictResult.PROMOTE:
        return f"{following}, for the next round to go on from. {unreleased}"
    set_aside = f"The candidate is set aside: it does not take the place of version {incumbent}."
    return f"{set_aside} {unreleased}" if warm_up else set_aside


def _exchange(compared: Comparison) -> str:
    return f"losing {compared.lost} that the incumbent catches and gaining {compared.gained} that the incumbent misses"


def _against_floors(standing: Standing, gate: Gate) -> str:
    return (
        f"sensitivity {_shown(standing.counts.sensitivity)} (floor {gate.floors.sensitivity}), "
        f"specificity {_shown(standing.counts.specificity)} (floor {gate.floors.specificity}), "
        f"AUROC {_shown(standing.auroc)} (floor {gate.floors.auroc})"
    )


def _shown(value: Fraction, digits: int = 3) -> str:
    """Rounded down, so that a figure just below a floor is never shown as the floor."""
    return f"{int(value * 10**digits) / 10**digits:.{digits}f}"


def _apart(new: Fraction, old: Fraction) -> tuple[str, str]:
    """Both figures with as many digits as it takes to see that they differ."""
    digits = next((n for n in range(3, 7) if _shown(new, n) != _shown(old, n)), 6)
    return _shown(new, digits), _shown(old, digits)
