"""Rounds of the demo as values: the object to apply, and what is told of one that has ended. Pure."""

from dataclasses import dataclass
from typing import Any

from fedround_api import API_VERSION
from fedround_api.kinds import FederatedModel, FederatedRound, ParticipantState, find_condition
from fedround_api.kinds.federated_round import (
    Cases,
    ClinicChoice,
    FederatedRoundSpec,
    ModelRef,
    Training,
    Verdict,
    VerdictResult,
)
from fedround_local.federation import layout


@dataclass(frozen=True)
class Recipe:
    """How long and how fast the clinics train in a round."""

    epochs: int
    learning_rate: str


#: For images that nobody has looked at before.
CAUTIOUS = Recipe(epochs=3, learning_rate="0.01")


def round_object(name: str, clinics: int, seed: int, recipe: Recipe) -> dict[str, Any]:
    """One round over all clinics. Images without dates count as new, so the window only has to be long enough."""
    spec = FederatedRoundSpec(
        model_ref=ModelRef(name=layout.MODEL),
        clinics=ClinicChoice(minimum=clinics),
        training=Training(
            epochs=recipe.epochs,
            batch_size=16,
            learning_rate=recipe.learning_rate,
            momentum="0.9",
            seed=seed,
            cases=Cases(window_days=36500),
        ),
    )
    return {
        "apiVersion": API_VERSION,
        "kind": "FederatedRound",
        "metadata": {"name": name, "namespace": layout.NETWORK_NAMESPACE},
        "spec": spec.dump(),
    }


@dataclass(frozen=True)
class RoundResult:
    """A round that has ended."""

    name: str
    result: str
    reason: str
    message: str
    seconds: float
    clinics: tuple[str, ...]
    cases: int
    checkpoint: str | None
    verdict: Verdict | None

    def as_json(self) -> dict[str, Any]:
        """The round for `--json`."""
        return {
            "name": self.name,
            "result": self.result,
            "reason": self.reason,
            "seconds": round(self.seconds, 1),
            "clinics": list(self.clinics),
            "checkpoint": self.checkpoint,
            "verdict": self.verdict.dump() if self.verdict else None,
        }


def result_of(round_: FederatedRound, seconds: float) -> RoundResult:
    """What is told of a round that has ended."""
    status = round_.status
    outcome = find_condition(status.conditions, "Succeeded")
    submitted = [one for one in status.participants if one.state is ParticipantState.SUBMITTED]
    return RoundResult(
        name=round_.metadata.name,
        result=str(status.phase),
        reason=status.reason or "",
        message=outcome.message if outcome else "",
        seconds=seconds,
        clinics=tuple(one.name for one in submitted),
        cases=sum(one.cases or 0 for one in submitted),
        checkpoint=status.candidate.digest if status.candidate else None,
        verdict=status.verdict,
    )


def summary(results: list[RoundResult], model: FederatedModel) -> dict[str, Any]:
    """The one JSON object that `--json` ends with."""
    current, released = model.status.current, model.status.released
    return {
        "rounds": [result.as_json() for result in results],
        "current": {"version": current.version, "digest": current.digest} if current else None,
        "released": {"version": released.version, "digest": released.digest, "threshold": released.threshold}
        if released
        else None,
    }


def surprise(results: list[RoundResult]) -> str:
    """What was unexpected of rounds whose last one had the mistake, in a sentence; empty where nothing was."""
    expected = [*[VerdictResult.PROMOTE] * (len(results) - 1), VerdictResult.ROLL_BACK]
    found = [result.verdict.result for result in results if result.verdict is not None]
    if found == expected:
        return ""
    return f"this should have been {', '.join(expected)}, and was {', '.join(found)}: please report it, with the seed"


def progress(round_: FederatedRound) -> str:
    """One line on where a round stands."""
    status = round_.status
    taken = f" ({status.participation} clinics have submitted)" if status.participation else ""
    return f"{round_.metadata.name}: {status.phase or 'waiting for the operator'}{taken}"
