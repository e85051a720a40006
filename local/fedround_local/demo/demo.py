"""Runs the demo: images, a federation, rounds one after the other. It prints nothing itself: it reports."""

import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fedround_api import API_VERSION
from fedround_api.kinds import FederatedModel, FederatedRound, find_condition, is_true
from fedround_local.demo.rounds import RoundResult, progress, result_of, round_object
from fedround_local.errors import NotReady, StateUnusable
from fedround_local.federation import layout
from fedround_local.federation.dataplan import DataRequest
from fedround_local.federation.federation import Federation, SetUp
from fedround_local.federation.record import FederationRecord, read_record
from fedround_local.node.api import ApiError
from fedround_local.processes import Report
from fedround_training.data.synthetic import write_synthetic_folder

# Enough for a classifier that learns within two rounds, few enough to be drawn in seconds.
SYNTHETIC_IMAGES = 600
SYNTHETIC_SPLIT = "dataset"
POLL_SECONDS = 0.5
# `init` needs a few seconds; a machine that is busy with other work may need ten times as long.
MODEL_READY_SECONDS = 300.0
HUB_AWAY_SECONDS = 60.0

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


def run(
    federation: Federation, request: DemoRequest, report: Report, tell: Callable[[RoundResult], None]
) -> tuple[list[RoundResult], FederatedModel]:
    """The rounds that were run, and the model as they left it. Everything is running when this returns.

    Raises:
        LocalError: one sentence on what went wrong.
    """
    record = start(federation, request, report)
    _wait_for_model(federation, report)
    results = []
    for _ in range(request.rounds):
        number = _next_number(federation)
        # A seed of its own: after a rollback the same seed would make the same candidate again.
        wanted = round_object(f"demo-{number}", len(record.clinics), request.seed + number)
        result = _run_round(federation, wanted, report)
        tell(result)
        results.append(result)
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
    data, split_by = request.data, request.split_by
    if data is None:
        data, split_by = federation.place.state / "images", SYNTHETIC_SPLIT
        report(f"drawing {SYNTHETIC_IMAGES} procedural lesions")
        with federation.place.claimed(new=True):
            write_synthetic_folder(data, SYNTHETIC_IMAGES, request.seed)
    return federation.up(SetUp(DataRequest(data.absolute(), request.clinics, split_by, request.seed)))


def _differences(request: DemoRequest, record: FederationRecord) -> list[str]:
    """In what the federation that is there is not the one that is asked for."""
    split_by = request.split_by if request.data else SYNTHETIC_SPLIT
    same = {
        "--data": request.data is None or str(request.data.absolute()) == record.data,
        "--split-by": split_by == record.split_by,
        "--clinics": request.clinics == len(record.clinics),
        "--seed": request.seed == record.seed,
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
