"""`fedround hub backup`: what of a hub cannot be made again, as one file."""

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from fedround_api import API_VERSION, keys
from fedround_api.kinds import FederatedModel, FederatedRound, ModelVersion
from fedround_api.kinds.federated_round import ReportDigests
from fedround_cli.archive import Index, write
from fedround_cli.arguments.exits import CommandExit
from fedround_cli.connection import HubError, connect_cluster
from fedround_cli.enrolling import now, told
from fedround_cli.failures import UsageProblem
from fedround_cli.hub import Hub, connect_hub
from fedround_cli.hubstore import HubStore, ObjectDamaged, ObjectMissing
from fedround_operator import __version__
from fedround_operator.enrolment.revocations import ConfigMapRevocations
from fedround_operator.kit.instants import text_of
from fedround_operator.kit.reading import read_kind
from fedround_operator.kit.resources import CLINICS, MODELS, ROUNDS, Object

# Between a promotion and the end of its round lies a moment.
_LOOKS = 10
_PAUSE_SECONDS = 1.0
_REPORT_LIMIT_BYTES = 8 << 20
#: What a person has to keep elsewhere.
NOT_IN_IT = "the authority's folder, the gateway's key, the store's keys, values of the chart, test sets"


@dataclass(frozen=True)
class Seen:
    """What the API server had in one moment; `running` names the rounds that had not ended, which are left out."""

    models: Sequence[Object]
    rounds: Sequence[Object]
    clinics: Sequence[Object]
    running: Sequence[str]


@dataclass(frozen=True)
class Needed:
    """An object of the store that a model or a round names. Without a `required` one no backup is of use."""

    key: str
    sha256: str
    limit_bytes: int
    required: bool


@dataclass(frozen=True)
class LeftOut:
    """Objects of the store, named and not in use any more, that it has no more or not as they were."""

    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def run(options: argparse.Namespace) -> int:
    """Make it, and say what is in it; the exit code."""
    if options.state is not None:
        raise UsageProblem(
            "a federation on this machine is its folder: stop it by `fedround local down`, and copy that"
        )
    hub, connection = connect_hub(options), connect_cluster(options)
    with told(connection.advice):
        revoked = ConfigMapRevocations(connection.api, options.gateway_namespace).current()
        seen = look(hub)
    index, left_out = save(hub, seen, sorted(revoked), options.file)
    _tell(options, index, seen.running, left_out)
    return CommandExit.FAILED if left_out.damaged else CommandExit.DONE


def look(hub: Hub, pause: Callable[[float], None] = time.sleep) -> Seen:
    """All of one moment: no promotion lies between the models and the rounds.

    Raises:
        HubError: a round does not come to its end.
    """
    for _ in range(_LOOKS):
        models, rounds, clinics = (hub.listed(one) for one in (MODELS, ROUNDS, CLINICS))
        settling = _settling(models, rounds)
        if not settling and _versions(models) == _versions(hub.listed(MODELS)):
            ended = [one for one in rounds if _has_ended(one)]
            running = [one["metadata"]["name"] for one in rounds if not _has_ended(one)]
            return Seen(models, ended, clinics, running)
        pause(_PAUSE_SECONDS)
    raise HubError(
        f"round {settling} is promoted and has not ended: if it is suspended go on with it, else call again"
        if settling
        else "the models change all the time: call again"
    )


def needed(models: Sequence[Object], rounds: Sequence[Object]) -> Iterator[Needed]:
    """What the pointers, the history and the ended rounds name of the store."""
    for model in (read_kind(FederatedModel, one) for one in models):
        yield from _checkpoints(model)
    for one in rounds:
        round_ = read_kind(FederatedRound, one)
        if round_.status.report is not None:
            yield from _reports(round_.metadata.stored_uid, round_.status.report)


def save(hub: Hub, seen: Seen, revoked: Sequence[str], path: Path) -> tuple[Index, LeftOut]:
    """Write the backup; what is in it, and what not.

    Raises:
        HubError: the store gives no answer or refuses, or what is in use is missing or damaged.
    """
    with hub.store() as store, tempfile.TemporaryDirectory(prefix="fedround-backup-") as folder:
        files, stored, left_out = _fetched(store, list(needed(seen.models, seen.rounds)), Path(folder))
        index = Index(
            version=__version__,
            made_at=text_of(now()),
            models=[cleaned(one, "FederatedModel") for one in seen.models],
            rounds=[cleaned(one, "FederatedRound") for one in seen.rounds],
            clinics=[cleaned(one, "Clinic") for one in seen.clinics],
            revoked=list(revoked),
            stored=stored,
        )
        write(path, index, files)
    return index, left_out


def cleaned(found: Object, kind: str) -> Object:
    """The object without what an API server sets itself, but for its UID."""
    meta = found["metadata"]
    kept = {name: meta[name] for name in ("name", "namespace", "uid", "labels", "annotations") if name in meta}
    body = {"apiVersion": API_VERSION, "kind": kind, "metadata": kept, "spec": found["spec"]}
    # What the hub sees of a clinic it sees again within seconds.
    return body if kind == "Clinic" else {**body, "status": found.get("status", {})}


def _fetched(
    store: HubStore, wanted: Sequence[Needed], folder: Path
) -> tuple[Mapping[str, Path], dict[str, str], LeftOut]:
    files, stored, left_out = {}, {}, LeftOut()
    for number, one in enumerate(wanted):
        path = folder / str(number)
        try:
            store.get(one.key, path, one.sha256, one.limit_bytes)
        except (ObjectMissing, ObjectDamaged) as error:
            if one.required:
                raise
            (left_out.missing if isinstance(error, ObjectMissing) else left_out.damaged).append(one.key)
        else:
            files[one.key], stored[one.key] = path, one.sha256
    return files, stored, left_out


def _checkpoints(model: FederatedModel) -> Iterator[Needed]:
    status = model.status
    versions: Sequence[ModelVersion] = [*([status.current] if status.current else []), *status.history]
    in_use = {one.digest for one in (status.current, status.released) if one is not None}
    digests = list(dict.fromkeys([*(one.digest for one in versions), *sorted(in_use)]))
    # All versions of a model have the same shape; the margin is for the text in their head.
    limit = max((one.bytes for one in versions), default=0) + 65_536
    for digest in digests:
        key = keys.published_checkpoint(model.metadata.name, digest)
        yield Needed(key, digest, limit, required=digest in in_use)


def _reports(uid: str, digests: ReportDigests) -> Iterator[Needed]:
    yield Needed(keys.report(uid), digests.json_sha256, _REPORT_LIMIT_BYTES, required=False)
    yield Needed(keys.report_page(uid), digests.html_sha256, _REPORT_LIMIT_BYTES, required=False)


def _settling(models: Sequence[Object], rounds: Sequence[Object]) -> str | None:
    """A round whose candidate is a version already, while its own status does not say yet that it has ended."""
    history = [one for model in models for one in model.get("status", {}).get("history", [])]
    promoted = {one.get("roundUid") for one in history}
    open_ = (one["metadata"] for one in rounds if not _has_ended(one))
    return next((meta["name"] for meta in open_ if meta["uid"] in promoted), None)


def _has_ended(round_: Object) -> bool:
    return bool(round_.get("status", {}).get("completedAt"))


def _versions(found: Sequence[Object]) -> Mapping[str, str]:
    return {one["metadata"]["uid"]: one["metadata"]["resourceVersion"] for one in found}


def _tell(options: argparse.Namespace, index: Index, running: Sequence[str], left_out: LeftOut) -> None:
    if options.json:
        told_: dict[str, Any] = {**_counts(index), "running": list(running), **asdict(left_out)}
        print(json.dumps({"file": str(options.file), **told_}))
        return
    counts = ", ".join(f"{count} {what}" for what, count in _counts(index).items())
    print(f"wrote {options.file}: {counts}")
    if running:
        print(f"left out, since they had not ended: {', '.join(running)}")
    for key in left_out.missing:
        print(f"left out, since the store has it no more: {key}")
    for key in left_out.damaged:
        print(f"left out, since it is not what was stored: {key}; look who can write to the bucket")
    print(f"keep elsewhere, since they are not in it: {NOT_IN_IT}")


def _counts(index: Index) -> Mapping[str, int]:
    return {
        "models": len(index.models),
        "rounds": len(index.rounds),
        "clinics": len(index.clinics),
        "revoked": len(index.revoked),
        "objects": len(index.stored),
    }
