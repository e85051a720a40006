"""From a verdict to the end of a round: promotion is a compare-and-swap on the model's pointer. Pure."""

from datetime import datetime

from fedround_api.kinds import FederatedModelStatus, FederatedRound, ModelVersion, ReleasedVersion
from fedround_api.kinds.federated_model import HISTORY_LIMIT
from fedround_api.kinds.federated_round import Candidate, Verdict, VerdictResult
from fedround_api.reasons import Reason
from fedround_operator.hub.actions import WriteModel
from fedround_operator.hub.decision import SUCCEEDED, Decision, condition, failed
from fedround_operator.hub.seen import RoundSeen, StartedRound
from fedround_operator.kit.instants import text_of


def settle(seen: RoundSeen, started: StartedRound, candidate: Candidate, verdict: Verdict) -> Decision:
    """Write the verdict into the model, and end the round once that is seen there."""
    round_, model, now = seen.round, started.model, seen.now
    promote = verdict.result is VerdictResult.PROMOTE
    if seen.holds_model:
        current = model.status.current
        if promote and (current is None or current.digest != started.base.digest):
            return failed(round_, Reason.BASE_MOVED, now=now)
        status = promoted(round_, model.status, candidate, verdict, now) if promote else _kept(model.status)
        return Decision(round_.status, (WriteModel(model, status),), again_seconds=0.0)
    if promote and not any(version.round_uid == round_.metadata.uid for version in model.status.history):
        return failed(round_, Reason.BASE_MOVED, now=now)
    message = verdict.message or Reason(verdict.reason).advice
    ended = condition(
        round_,
        round_.status,
        SUCCEEDED,
        "True",
        Reason(verdict.reason),
        message=message,
        now=now,
        completed_at=text_of(now),
    )
    return Decision(ended)


def promoted(
    round_: FederatedRound, status: FederatedModelStatus, candidate: Candidate, verdict: Verdict, now: datetime
) -> FederatedModelStatus:
    """The model's status with the candidate as its current version, and as the released one if the verdict says so."""
    version = ModelVersion(
        version=status.current.version + 1 if status.current else 1,
        round=round_.metadata.name,
        round_uid=round_.metadata.uid,
        digest=candidate.digest,
        bytes=candidate.bytes,
        metrics=verdict.candidate,
        promoted_at=text_of(now),
    )
    return status.model_copy(
        update={
            "current": version,
            "released": _released(status.released, version, verdict) if verdict.release else status.released,
            "history": [version, *status.history][:HISTORY_LIMIT],
            "evaluations": status.evaluations + 1,
            "active_round": None,
        }
    )


def _released(before: ReleasedVersion | None, version: ModelVersion, verdict: Verdict) -> ReleasedVersion:
    best = verdict.candidate.sensitivity
    if before is not None:
        best = max(before.best_sensitivity, best, key=float)
    return ReleasedVersion(
        version=version.version,
        round=version.round,
        digest=version.digest,
        threshold=before.threshold if before is not None else verdict.threshold,
        test_set_manifest=verdict.test_set_manifest,
        best_sensitivity=best,
        released_at=version.promoted_at,
    )


def _kept(status: FederatedModelStatus) -> FederatedModelStatus:
    """The incumbent stays; the test set was used once more."""
    return status.model_copy(update={"evaluations": status.evaluations + 1, "active_round": None})
