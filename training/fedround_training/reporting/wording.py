"""The page's words and numbers: what a clinical lead reads of the report's values. Pure; called by `page`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from fedround_api.kinds.federated_round import ParticipantState, VerdictResult
from fedround_api.reasons import Reason
from fedround_api.report import Bound, Decides, Evaluated, Figure, Guard, GuardName, Judgement, ParticipantRow, Report

_FEWEST_DIGITS, _MOST_DIGITS = 3, 9
_STATES = {
    ParticipantState.SUBMITTED: "took part",
    ParticipantState.FAILED: "failed",
    ParticipantState.LATE: "not done in time",
    ParticipantState.TRAINING: "was still training",
    ParticipantState.INVITED: "did not begin",
}


@dataclass(frozen=True)
class GuardWords:
    """One row of the table of guards."""

    title: str
    demand: str
    found: str
    holds: bool
    result: str


@dataclass(frozen=True)
class ParticipantWords:
    """One row of the table of clinics."""

    name: str
    state: str
    weight: str
    cases: str


def headline(verdict: Judgement) -> str:
    """The verdict in a few words. The promotion itself comes after the report, and may fail."""
    if verdict.result is VerdictResult.ROLL_BACK:
        return "Rolled back"
    return "To be promoted and released for use" if verdict.release else "To be promoted, not yet released for use"


def guard_words(guard: Guard) -> GuardWords:
    """What is demanded, what was found and whether it holds."""
    title, demand, found = _GUARDS[guard.name](guard)
    prevents = "prevents the promotion" if guard.decides is Decides.PROMOTION else "prevents the release for use"
    return GuardWords(title, demand, found, guard.holds, "holds" if guard.holds else f"fails: {prevents}")


def participant_words(one: ParticipantRow, report: Report) -> ParticipantWords:
    """What a clinic did, and what its update counted."""
    total = sum(other.weight or 0 for other in report.participants)
    state = _STATES[one.state]
    if one.reason is not None:
        state += f": {_advice(one.reason)}"
    return ParticipantWords(
        name=one.name,
        state=state,
        weight="none" if not one.weight else f"{one.weight:,} ({100 * one.weight / total:.0f} %)",
        cases="not told" if one.cases is None else f"{one.cases:,}",
    )


def scores_all_alike(model: Evaluated) -> bool:
    """Whether a model tells no case from another, as one does that has learnt nothing: its curve has no corner."""
    bins = (high_risk + other for high_risk, other in zip(model.scores.high_risk, model.scores.other, strict=True))
    return len(model.roc.true_positive_rate) == 2 and sum(map(bool, bins)) == 1


def shown(value: float, digits: int = _FEWEST_DIGITS) -> str:
    """A share, cut off and not rounded up, as in the verdict's sentence: 0.6999 is not shown as the floor it misses."""
    return str(_exact(value).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_FLOOR))


def interval(figure: Figure) -> str:
    """The 95 % interval, to two digits."""
    return f"{figure.low:.2f} to {figure.high:.2f}"


def change(old: Figure, new: Figure) -> str:
    """From one figure to the other, with its sign."""
    difference = Decimal(shown(new.value)) - Decimal(shown(old.value))
    return f"{difference:+.3f}".replace("-", "−") if difference else "none"


def cases(number: int) -> str:
    """A number of cases, in words that fit it."""
    return f"{number:,} case" if number == 1 else f"{number:,} cases"


def duration(seconds: float | None) -> str:
    """A length of time as it is said."""
    if seconds is None:
        return "not known: the clocks of hub and Job disagree"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes == 0:
        return f"{rest} s"
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def moment(instant: str) -> str:
    """An instant as a date and a time."""
    at = datetime.fromisoformat(instant)
    return f"{at.day} {at:%B %Y, %H:%M} UTC"


def _advice(reason: str) -> str:
    """What a reason means; one that this version does not know stands for itself."""
    try:
        return Reason(reason).advice
    except ValueError:
        return reason


def _warm_up_auroc(guard: Guard) -> tuple[str, str, str]:
    limit, found = _apart(guard)
    return "Ranks cases no worse than before", f"AUROC at least {limit}, as the incumbent has", found


def _high_risk_cases(guard: Guard) -> tuple[str, str, str]:
    return (
        "High-risk cases lost against gained",
        f"no more lost than gained ({guard.limit:.0f})",
        f"{guard.found:.0f} lost",
    )


def _anchor(guard: Guard) -> tuple[str, str, str]:
    found = f"{guard.found:.0f} fewer" if guard.found > 0 else "none fewer"
    if guard.found < 0:
        found += f" ({-guard.found:.0f} more)"
    limit = f"{guard.limit:.1f}".removesuffix(".0")
    return "High-risk cases caught, against the best version so far", f"at most {limit} fewer", found


def _floor(name: str) -> Callable[[Guard], tuple[str, str, str]]:
    def words(guard: Guard) -> tuple[str, str, str]:
        limit, found = _apart(guard)
        return f"{name}: the floor", f"at least {limit}", found

    return words


def _drop(name: str) -> Callable[[Guard], tuple[str, str, str]]:
    def words(guard: Guard) -> tuple[str, str, str]:
        limit, found = _apart(guard)
        if guard.found <= 0:
            rise = shown(-guard.found)
            found = f"no fall (rises by {rise})" if float(rise) else "no fall"
        return f"{name}: fall against the incumbent", f"at most {limit}", found

    return words


_GUARDS: dict[GuardName, Callable[[Guard], tuple[str, str, str]]] = {
    GuardName.WARM_UP_AUROC: _warm_up_auroc,
    GuardName.HIGH_RISK_CASES: _high_risk_cases,
    GuardName.ANCHOR: _anchor,
    GuardName.SENSITIVITY_FLOOR: _floor("Sensitivity"),
    GuardName.SPECIFICITY_FLOOR: _floor("Specificity"),
    GuardName.AUROC_FLOOR: _floor("AUROC"),
    GuardName.SPECIFICITY_DROP: _drop("Specificity"),
    GuardName.AUROC_DROP: _drop("AUROC"),
}


def _apart(guard: Guard) -> tuple[str, str]:
    """Limit and what was found, with as many digits as it takes to see whether the guard holds."""
    towards_failing = ROUND_FLOOR if guard.bound is Bound.AT_LEAST else ROUND_CEILING
    limit, found = _exact(guard.limit), _exact(guard.found)
    for digits in range(_FEWEST_DIGITS, _MOST_DIGITS + 1):
        step = Decimal(1).scaleb(-digits)
        a, b = limit.quantize(step, rounding=ROUND_FLOOR), found.quantize(step, rounding=towards_failing)
        if guard.holds == (b >= a if guard.bound is Bound.AT_LEAST else b <= a):
            break
    return str(a), str(b)


def _exact(value: float) -> Decimal:
    """The number as the report's JSON has it."""
    return Decimal(repr(value))
