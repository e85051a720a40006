"""What is wrong with an update or a checkpoint is found where it enters, by its own exit code, and said by its name.

Bad updates come from a clinic that does as it likes; the two others are played too, so that a round takes seconds. Bad
checkpoints are put under a model's pointer, and a real clinic meets them. In all cases the incumbent stays.
"""

import hashlib
import io
import pickle
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save

from fedround_api import keys, names
from fedround_api.exitcodes import ExitCode
from fedround_api.kinds import FederatedRound, find_condition
from fedround_local.federation import layout, runtime
from fedround_local.objectstore import BUCKET
from fedround_operator.kit.resources import CLINICS, MODELS
from support.federation_fixture import NETWORK, Network, message, outcome, wait_for
from support.hostile_clinic import HostileClinic

pytestmark = pytest.mark.timeout(600)

Spoil = Callable[[bytes], bytes]


class Harmful:
    """A pickle that leaves a trace when anybody loads it."""

    trace: Path

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return (Path.touch, (self.trace,))


def resaved(**changes: Any) -> Spoil:
    """The file with some tensors replaced, left out (None) or added."""

    def spoil(content: bytes) -> bytes:
        tensors = {name: values for name, values in load(content).items() if changes.get(name, values) is not None}
        added = {name: values for name, values in changes.items() if values is not None}
        return bytes(save({**tensors, **added}))

    return spoil


def first_tensor(change: Callable[[np.ndarray[Any, Any]], Any]) -> Spoil:
    """The file with its first tensor changed."""

    def spoil(content: bytes) -> bytes:
        tensors = load(content)
        name = min(tensors)
        return resaved(**{name: change(tensors[name])})(content)

    return spoil


def with_value(value: float) -> Spoil:
    def change(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        changed = values.copy()
        changed.flat[0] = value
        return changed

    return first_tensor(change)


def pickled(content: bytes) -> bytes:
    return pickle.dumps(Harmful())


def torch_file(content: bytes) -> bytes:
    buffer = io.BytesIO()
    torch.save({"weights": torch.zeros(3), "harm": Harmful()}, buffer)
    return buffer.getvalue()


def zipped(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("update.safetensors", content)
    return buffer.getvalue()


WRONG_CONTENT: Mapping[str, tuple[Spoil, ExitCode, str]] = {
    "a tensor of another shape": (first_tensor(lambda one: one[None]), ExitCode.WRONG_SHAPE, "WrongShape"),
    "a tensor too many": (resaved(extra=np.zeros(1, np.float32)), ExitCode.WRONG_SHAPE, "WrongShape"),
    "a tensor of float16": (first_tensor(lambda one: one.astype(np.float16)), ExitCode.WRONG_SHAPE, "WrongShape"),
    "NaN": (with_value(float("nan")), ExitCode.NOT_FINITE, "NotFinite"),
    "infinity": (with_value(float("-inf")), ExitCode.NOT_FINITE, "NotFinite"),
    "a pickle": (pickled, ExitCode.NOT_SAFETENSORS, "NotSafetensors"),
    "a torch file": (torch_file, ExitCode.NOT_SAFETENSORS, "NotSafetensors"),
    "a zip file": (zipped, ExitCode.NOT_SAFETENSORS, "NotSafetensors"),
    "half of the file": (lambda content: content[: len(content) // 2], ExitCode.NOT_SAFETENSORS, "NotSafetensors"),
    "nothing": (lambda _: b"", ExitCode.NOT_SAFETENSORS, "NotSafetensors"),
}


@pytest.fixture(autouse=True)
def trace(tmp_path: Path) -> Iterator[None]:
    """Nothing in any file was run."""
    Harmful.trace = tmp_path / "a-pickle-was-loaded"
    yield
    assert not Harmful.trace.exists()


# --- checkpoints, as a real clinic meets them


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint under a model's pointer: what lies in the store, and what the pointer says of it."""

    content: bytes
    digest: str
    size_bytes: int


def honest(content: bytes) -> Checkpoint:
    """The pointer says of the content what is so."""
    return Checkpoint(content, hashlib.sha256(content).hexdigest(), len(content))


@pytest.fixture(scope="module")
def alone(network: Network) -> Iterator[str]:
    """One clinic that rounds can choose by its label."""
    clinic = network.clinics[0]
    network.await_available()
    network.api.patch(CLINICS, NETWORK, clinic, {"metadata": {"labels": {"meets": "bad-checkpoints"}}})
    yield clinic
    network.api.patch(CLINICS, NETWORK, clinic, {"metadata": {"labels": {"meets": None}}})


IN_TRAINING = ("a tensor of another shape", "NaN", "a pickle", "a torch file", "half of the file")
NOT_AS_NAMED: Mapping[str, tuple[Spoil, ExitCode, str]] = {
    "another content": (with_value(0.5), ExitCode.DIGEST_MISMATCH, "DigestMismatch"),
    "less than is named": (lambda content: content[:1000], ExitCode.DIGEST_MISMATCH, "DigestMismatch"),
    "more than is named": (lambda content: content + b" " * 100, ExitCode.TOO_LARGE, "TooLarge"),
}


@pytest.fixture(scope="module")
def good(network: Network) -> bytes:
    """The first checkpoint of the model whose pointer the tests move."""
    network.make_model("pointed")
    content = network.stored(published(network, "pointed"))
    assert content is not None
    return content


@pytest.mark.parametrize("what", IN_TRAINING)
def test_a_checkpoint_with_wrong_content_is_refused_before_it_is_trained(
    network: Network, alone: str, good: bytes, what: str
) -> None:
    spoil, code, reason = WRONG_CONTENT[what]
    point_to(network, honest(spoil(good)))
    assert_refused_by(network, alone, what, "train", (code, reason))


@pytest.mark.parametrize("what", NOT_AS_NAMED)
def test_a_checkpoint_that_is_not_what_the_round_names_is_not_fetched(
    network: Network, alone: str, good: bytes, what: str
) -> None:
    spoil, code, reason = NOT_AS_NAMED[what]
    point_to(network, Checkpoint(spoil(good), hashlib.sha256(good).hexdigest(), len(good)))
    assert_refused_by(network, alone, what, "fetch", (code, reason))


def assert_refused_by(network: Network, clinic: str, what: str, role: str, want: tuple[ExitCode, str]) -> None:
    """A round of this clinic ends by that Job's exit code; the round says which clinic it was, and why."""
    name, (code, reason) = f"pointed-{what.lower().replace(' ', '-')}", want
    incumbent = network.model("pointed").status.current
    selector = {"matchLabels": {"meets": "bad-checkpoints"}}
    ended = network.run_round(name, "pointed", clinics={"minimum": 1, "selector": selector})
    part = network.parts(name)[clinic]
    assert (outcome(ended), outcome(part)) == ("False QuorumNotMet", f"False {reason}")
    assert f"{clinic} ({reason})" in message(ended)
    assert part.status.exit_code == code
    job = names.job_name(name, role, part.metadata.uid, 1)
    assert network.exit_codes(job, layout.local_namespace(clinic)) == [code]
    assert incumbent is not None
    assert_free(network, "pointed", incumbent.digest)


def published(network: Network, model: str) -> str:
    current = network.model(model).status.current
    assert current is not None
    return keys.published_checkpoint(model, current.digest)


def point_to(network: Network, checkpoint: Checkpoint) -> None:
    put(network, keys.published_checkpoint("pointed", checkpoint.digest), checkpoint.content)
    current = {"digest": checkpoint.digest, "bytes": checkpoint.size_bytes}
    network.api.patch(MODELS, NETWORK, "pointed", {"status": {"current": current}}, "status")


def put(network: Network, key: str, content: bytes) -> None:
    network.store().put_object(BUCKET, key, io.BytesIO(content), len(content))


def assert_free(network: Network, model: str, digest: str) -> None:
    """The incumbent stays, and the model is free for the next round."""
    wait_for(lambda: network.model(model).status.active_round is None, f"model {model} is free", 30)
    current = network.model(model).status.current
    assert current is not None
    assert current.digest == digest


# --- updates, from a clinic that does as it likes


@dataclass
class Stage:
    """Three played clinics, a model that all attack, and what an honest update looks like."""

    network: Network
    honest: tuple[HostileClinic, HostileClinic]
    hostile: HostileClinic
    base: str
    update: bytes
    rounds: int = 0

    def begin(self, **changes: Any) -> str:
        """A round to which the honest clinics have submitted."""
        self.rounds += 1
        name = f"attacked-{self.rounds}"
        for clinic in (*self.honest, self.hostile):
            clinic.renew_lease()
        self.network.start_round(name, "attacked", **changes)
        for clinic in self.honest:
            clinic.submit(name, self.update)
        return name

    def assert_refused(self, name: str, code: ExitCode, reason: str) -> None:
        """The aggregate Job found it, and the round names clinic and cause; nothing else has changed."""
        ended = self.network.ended(name, 60)
        aggregated = find_condition(ended.status.conditions, "Aggregated")
        assert aggregated is not None
        assert (aggregated.status, aggregated.reason, outcome(ended)) == ("False", reason, f"False {reason}")
        assert f"clinic {self.hostile.name}" in aggregated.message
        assert f"clinic {self.hostile.name}" in message(ended)
        assert self.exit_codes(ended) == [code]
        self.assert_harmless(ended)
        print(f"{reason}: {aggregated.message}")

    def exit_codes(self, ended: FederatedRound) -> list[int]:
        job = names.job_name(ended.metadata.name, "aggregate", ended.metadata.uid, 1)
        return self.network.exit_codes(job, NETWORK)

    def assert_harmless(self, ended: FederatedRound) -> None:
        assert ended.status.phase == "Failed"
        assert ended.status.candidate is None
        assert self.network.stored(keys.candidate(ended.metadata.uid)) is None
        assert_free(self.network, "attacked", self.base)


@pytest.fixture(scope="module")
def stage(network: Network, alone: str) -> Iterator[Stage]:
    network.await_available()
    model = network.make_model("attacked")
    assert model.status.current is not None
    update = network.stored(keys.published_checkpoint("attacked", model.status.current.digest))
    assert update is not None
    first, second, third = (HostileClinic(network, one) for one in network.clinics)
    for name in network.clinics:
        network.federation.processes.stop(runtime.agent_name(name))
    yield Stage(network, (first, third), second, model.status.current.digest, update)
    network.start_all()
    network.await_available()


@pytest.mark.parametrize("what", WRONG_CONTENT)
def test_an_update_with_wrong_content_is_refused(stage: Stage, what: str) -> None:
    spoil, code, reason = WRONG_CONTENT[what]
    name = stage.begin()
    stage.hostile.submit(name, spoil(stage.update))
    stage.assert_refused(name, code, reason)


def test_an_update_that_is_not_what_the_clinic_said_is_refused(stage: Stage) -> None:
    name = stage.begin()
    stage.hostile.submit(name, stage.update, digest="0a" * 32)
    stage.assert_refused(name, ExitCode.DIGEST_MISMATCH, "DigestMismatch")


def test_an_update_without_one_of_the_tensors_is_refused(stage: Stage) -> None:
    name = stage.begin()
    stage.hostile.submit(name, resaved(**{min(load(stage.update)): None})(stage.update))
    stage.assert_refused(name, ExitCode.WRONG_SHAPE, "WrongShape")


def test_an_update_that_is_larger_than_said_is_refused_before_it_is_read(stage: Stage) -> None:
    name = stage.begin()
    stage.hostile.submit(name, stage.update + b"\0" * 2**20, size_bytes=len(stage.update))
    stage.assert_refused(name, ExitCode.TOO_LARGE, "TooLarge")


def test_an_update_that_says_itself_that_it_is_too_large_never_reaches_a_job(stage: Stage) -> None:
    name = stage.begin()
    stage.hostile.submit(name, None, digest="0a" * 32, size_bytes=10**9)
    ended = stage.network.ended(name, 60)
    assert outcome(ended) == "False QuorumNotMet"
    assert f"{stage.hostile.name} (TooLarge)" in message(ended)
    assert stage.network.hub_jobs(ended.metadata.uid) == []
    stage.assert_harmless(ended)


def test_an_update_that_was_never_uploaded_ends_the_round_by_the_session_deadline(stage: Stage) -> None:
    """A store that refuses may be one that restarts: the Job is made again, and the last cause is named."""
    deadlines = {"start": "1m", "training": "5m", "session": "8s", "validation": "5m"}
    name = stage.begin(deadlines=deadlines)
    stage.hostile.submit(name, None, digest="0a" * 32, size_bytes=len(stage.update))
    ended = stage.network.ended(name, 90)
    print(outcome(ended), message(ended))
    assert stage.exit_codes(ended) == [ExitCode.STORE_REFUSED]
    assert f"clinic {stage.hostile.name}" in message(ended)
    stage.assert_harmless(ended)


def test_a_quorum_without_the_hostile_clinic_is_not_enough_to_use_its_update(stage: Stage) -> None:
    """Its update is refused as a whole round: the hub does not drop a clinic by itself."""
    name = stage.begin(clinics={"minimum": 2})
    stage.hostile.submit(name, pickled(b""))
    stage.assert_refused(name, ExitCode.NOT_SAFETENSORS, "NotSafetensors")


def test_a_checkpoint_that_changed_in_the_store_stops_the_aggregation(stage: Stage) -> None:
    name = stage.begin()
    key = keys.published_checkpoint("attacked", stage.base)
    put(stage.network, key, with_value(0.5)(stage.update))
    stage.hostile.submit(name, stage.update)
    ended = stage.network.ended(name, 60)
    put(stage.network, key, stage.update)
    assert outcome(ended) == "False DigestMismatch"
    assert "the checkpoint that the round starts from" in message(ended)
    stage.assert_harmless(ended)


def test_after_all_that_an_honest_round_runs_on_the_model(stage: Stage) -> None:
    """Three times the base as an update: what comes of it is judged, not refused."""
    name = stage.begin()
    stage.hostile.submit(name, stage.update)
    ended = stage.network.ended(name, 120)
    print(outcome(ended), message(ended))
    assert ended.status.verdict is not None
    assert ended.status.phase in ("Promoted", "RolledBack")


@pytest.mark.parametrize(
    "status",
    [
        {"result": {"updateDigest": "short", "updateBytes": 1, "steps": 1}},
        {"result": {"updateDigest": "0a" * 32, "updateBytes": -1, "steps": 1}},
        {"result": {"updateDigest": "0a" * 32, "updateBytes": 1, "steps": 1, "cases": "many"}},
        {"exitCode": 256},
        {"phase": "x" * 33},
        {"conditions": [{"type": "Succeeded", "status": "Perhaps", "reason": "X", "lastTransitionTime": "now"}]},
        {"conditions": "all good"},
    ],
)
def test_a_status_out_of_bounds_is_refused_by_the_api_server(stage: Stage, status: dict[str, Any]) -> None:
    name = stage.begin() if stage.rounds == 0 else f"attacked-{stage.rounds}"
    part = stage.hostile.part(name)
    path = f"/apis/fedround.dev/v1alpha1/namespaces/{part.metadata.namespace}/clinicrounds/{part.metadata.name}/status"
    assert stage.hostile.ask_api("PATCH", path, {"status": status}).status == 422
