"""Runs the demo: images, a federation, rounds one after the other. It prints nothing itself: it reports."""

import itertools
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from fedround_api import API_VERSION
from fedround_api.kinds import FederatedModel, FederatedModelStatus, FederatedRound, find_condition, is_true
from fedround_api.kinds.federated_model import Gate
from fedround_local.demo import drawn, mistake
from fedround_local.demo.rounds import CAUTIOUS, Recipe, RoundResult, progress, result_of, round_object
from fedround_local.demo.story import Step, explanations
from fedround_local.errors import NotReady, StateUnusable
from fedround_local.federation import layout
from fedround_local.federation.dataplan import DataRequest
from fedround_local.federation.federation import FLOORS, Federation, SetUp
from fedround_local.federation.initial import require_checkpoint
from fedround_local.federation.record import FederationRecord, read_record
from fedround_local.node.api import ApiError
from fedround_local.processes import Report
from fedround_training.data.dermoscopy import write_synthetic_folder

POLL_SECONDS = 0.5
# `init` needs a few seconds; a machine that is busy with other work may need ten times as long.
MODEL_READY_SECONDS = 300.0
HUB_AWAY_SECONDS = 60.0
# The agent reads its policy anew and tells of it with its next heartbeat, ten seconds later at most.
DECLARED_SECONDS = 60.0

_PATH = f"/apis/{API_VERSION}/namespaces/{layout.NETWORK_NAMESPACE}"


@dataclass(frozen=True)
class DemoRequest:
    """What the user asks for; without a folder the demo draws its own images."""

    state: Path
    data: Path | None
    split_by: str | None
    clinics: int
    rounds: int
    seed: int
    initial: Path | None = None
    mistake: bool = False


class Audience(Protocol):
    """Who watches: progress in lines, explanations in sentences, and each round when it has ended."""

    def report(self, line: str) -> None: ...
    def explain(self, text: str) -> None: ...
    def show(self, result: RoundResult) -> None: ...


def run(federation: Federation, request: DemoRequest, audience: Audience) -> tuple[list[RoundResult], FederatedModel]:
    """The rounds that were run, and the model as they left it. Everything is running when this returns.

    With ``mistake`` the last round has a clinic with swapped labels; what was changed for it is brought back, whatever
    happens.

    Raises:
        LocalError: one sentence on what went wrong.
    """
    audience.explain(Step.SETTING_UP)
    record = start(federation, request, audience.report)
    _undo(federation, record, audience)
    _wait_for_model(federation, audience.report)
    audience.explain(Step.FIRST_ROUND)
    results: list[RoundResult] = []
    try:
        for number in range(1, request.rounds + 1):
            if request.mistake and number == request.rounds:
                _make_mistake(federation, record, audience)
            results.append(_next_round(federation, request, record, audience))
    finally:
        _undo(federation, record, audience)
    return results, _model(federation)


def start(federation: Federation, request: DemoRequest, report: Report) -> FederationRecord:
    """Make the federation, or go on with the one that is there if it is of the same data."""
    record = read_record(federation.place.record)
    if record is not None:
        if differs := _differences(request, record):
            raise StateUnusable(
                f"{federation.place.state} has a federation with other {', '.join(differs)}; name another --state "
                "folder, or give --fresh to begin anew"
            )
        report("going on with the federation that is there")
        return federation.up(None)
    if request.initial is not None:
        require_checkpoint(request.initial)
    data, split_by = request.data, request.split_by
    if data is None:
        data, split_by = federation.place.state / "images", drawn.SPLIT
        report(f"drawing {drawn.IMAGES} procedural lesions")
        with federation.place.claimed(new=True):
            write_synthetic_folder(data, drawn.IMAGES, request.seed)
    dealt = DataRequest(data.absolute(), request.clinics, split_by, request.seed)
    gate = Gate(floors=FLOORS) if request.data else drawn.GATE
    return federation.up(SetUp(dealt, gate=gate, initial=request.initial))


def _differences(request: DemoRequest, record: FederationRecord) -> list[str]:
    """In what the federation that is there is not the one that is asked for."""
    split_by = request.split_by if request.data else drawn.SPLIT
    same = {
        "--data": request.data is None or str(request.data.absolute()) == record.data,
        "--split-by": split_by == record.split_by,
        "--clinics": request.clinics == len(record.clinics),
        "--seed": request.seed == record.seed,
        "--initial": request.initial is None or require_checkpoint(request.initial).digest == record.initial,
    }
    return [option for option, holds in same.items() if not holds]


def _wait_for_model(federation: Federation, report: Report) -> None:
    report("waiting for the model's first checkpoint")
    deadline = time.monotonic() + MODEL_READY_SECONDS
    while time.monotonic() < deadline:
        if is_true(_model(federation).status.conditions, "Ready"):
            return
        time.sleep(POLL_SECONDS)
    ready = find_condition(_model(federation).status.conditions, "Ready")
    raise NotReady(f"the model has no checkpoint after {MODEL_READY_SECONDS:.0f} s: {ready.message if ready else ''}")


def _next_round(
    federation: Federation, request: DemoRequest, record: FederationRecord, audience: Audience
) -> RoundResult:
    """One more round, shown and explained."""
    before = _model(federation).status
    number = _next_number(federation)
    # A seed of its own: after a rollback the same seed would make the same candidate again.
    wanted = round_object(f"demo-{number}", len(record.clinics), request.seed + number, _recipe(request, before))
    result = _run_round(federation, wanted, audience.report)
    audience.show(result)
    for step in explanations(result, released_before=before.released is not None):
        audience.explain(step)
    return result


def _recipe(request: DemoRequest, model: FederatedModelStatus) -> Recipe:
    if request.data is not None:
        return CAUTIOUS
    return drawn.FIRST if model.current is None or model.current.version == 0 else drawn.LATER


def _make_mistake(federation: Federation, record: FederationRecord, audience: Audience) -> None:
    """Spoil the clinic with the most cases, and wait until the hub knows what it declares now."""
    clinic = max(record.clinics, key=lambda name: (record.clinics[name], name))
    spec = _model(federation).spec
    audience.explain(Step.MISTAKE.format(clinic=clinic, declared=f"{mistake.DECLARED_CASES:,}"))
    mistake.make(federation.place, clinic, mistake.exchange_of(spec.classes, spec.high_risk_classes))
    audience.report(f"waiting until the hub has heard what {clinic} declares")
    deadline = time.monotonic() + DECLARED_SECONDS
    while _read(federation, f"clinics/{clinic}").get("status", {}).get("caseVolume") != mistake.DECLARED_CASES:
        if time.monotonic() > deadline:
            raise NotReady(
                f"the agent of {clinic} has not declared its new case volume within {DECLARED_SECONDS:.0f} s"
            )
        time.sleep(POLL_SECONDS)


def _undo(federation: Federation, record: FederationRecord, audience: Audience) -> None:
    for clinic in mistake.undo(federation.place, list(record.clinics)):
        audience.explain(Step.UNDONE.format(clinic=clinic))


def _run_round(federation: Federation, wanted: dict[str, Any], report: Report) -> RoundResult:
    begun = time.monotonic()
    try:
        federation.api().create(f"{_PATH}/federatedrounds", wanted)
    except ApiError as error:
        raise NotReady(f"the hub does not take {wanted['metadata']['name']}: {error}") from error
    said = ""
    while True:
        federation.heal()
        round_ = FederatedRound.model_validate(_read(federation, f"federatedrounds/{wanted['metadata']['name']}"))
        if round_.status.completed_at is not None:
            return result_of(round_, time.monotonic() - begun)
        if (line := progress(round_)) != said:
            said = line
            report(line)
        time.sleep(POLL_SECONDS)


def _next_number(federation: Federation) -> int:
    """1, or the next number that no round of this federation has: a second demo in the folder goes on."""
    taken = {one["metadata"]["name"] for one in _read(federation, "federatedrounds")["items"]}
    return next(number for number in itertools.count(1) if f"demo-{number}" not in taken)


def _model(federation: Federation) -> FederatedModel:
    return FederatedModel.model_validate(_read(federation, f"federatedmodels/{layout.MODEL}"))


def _read(federation: Federation, path: str) -> dict[str, Any]:
    """What the hub's API server has; a restart of it is waited for.

    Raises:
        NotReady: it has not answered for a minute, or refuses.
    """
    deadline = time.monotonic() + HUB_AWAY_SECONDS
    while True:
        try:
            return federation.api().get(f"{_PATH}/{path}")
        except ApiError as error:
            if 0 < error.status < 500 or time.monotonic() > deadline:
                raise NotReady(f"the hub's API server does not tell of {path}: {error}") from error
            time.sleep(POLL_SECONDS)
