"""The fixture `network`: one whole federation on this machine, with three clinics and tiny images of its own.

Real processes throughout: control plane, store, gateway, node, operator and agents. One for the whole session, stopped
at its end. Tests share clinics and test set; each makes its own model where it needs a clean incumbent, and its own
rounds. `from support.federation_fixture import network` in a conftest brings it.
"""

import copy
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
import yaml
from minio import Minio
from minio.error import S3Error

from fedround_api import names
from fedround_api.kinds import Clinic, ClinicRound, FederatedModel, FederatedRound, find_condition, is_true
from fedround_local.federation import layout, runtime
from fedround_local.federation.dataplan import DataRequest
from fedround_local.federation.federation import ADMINISTRATOR, Federation, SetUp
from fedround_local.node.api import Api
from fedround_local.node.sandbox import Sandbox
from fedround_local.objectstore import BUCKET, REGION
from fedround_local.processes import ProcessSpec
from fedround_operator.kit.api import KubeApi, connect
from fedround_operator.kit.errors import ApiError
from fedround_operator.kit.resources import CLINIC_ROUNDS, CLINICS, JOBS, MODELS, PODS, ROUNDS, Object
from fedround_training.data.dermoscopy import write_synthetic_folder

EXAMPLE_ROUND: Object = yaml.safe_load((Path(__file__).parents[2] / "examples" / "round.yaml").read_text())
# Enough for the gate to see the classifier learn. From ten first weights the first round's AUROC was 0.57 or more (a
# fresh model has 0.5) and the second's higher again; from swapped labels it was below 0.48. With a third of the images
# a round trains for a second less, and the verdict of a good one is chance.
TRAINING = {"epochs": 6, "batchSize": 16, "learningRate": "0.03", "seed": 7}
NETWORK = layout.NETWORK_NAMESPACE
IMAGES, CLINIC_COUNT, IMAGE_SIZE, SEED = 450, 3, 32, 5
# A round takes 15 to 25 s on two free cores; a machine that is busy with other work may need ten times as long.
ROUND_SECONDS = 240.0
POLL_SECONDS = 0.05

T = TypeVar("T")


def wait_for(look: Callable[[], T | None], what: str, seconds: float = 60.0) -> T:
    """The first thing other than None or False that `look` gives."""
    until = time.monotonic() + seconds
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        assert time.monotonic() < until, f"not seen within {seconds:.0f} s: {what}"
        time.sleep(POLL_SECONDS)


@dataclass
class Network:
    """The running federation, and what tests do with it."""

    federation: Federation

    def __post_init__(self) -> None:
        self.record = self.federation.record()
        self.clinics = sorted(self.record.clinics)
        self.api: KubeApi = connect(self.federation.place.kubeconfig(ADMINISTRATOR))
        self.watching = Api(self.federation.place.kubeconfig(ADMINISTRATOR))

    # --- kubectl

    def try_kubectl(self, *arguments: str, given: str | None = None) -> "subprocess.CompletedProcess[str]":
        """kubectl as the network's administrator, whatever comes of it."""
        command = self.federation.kubectl.command(*arguments)
        return subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)

    def kubectl(self, *arguments: str, given: str | None = None) -> str:
        return self.federation.kubectl.run(*arguments, given=given)

    def apply(self, document: Object) -> None:
        self.kubectl("apply", "-f", "-", given=yaml.safe_dump(document))

    # --- models and rounds

    def make_model(self, name: str, **changes: Any) -> FederatedModel:
        """A model like the federation's own, with its first checkpoint."""
        self.create_model(name, **changes)
        return wait_for(lambda: self.ready_model(name), f"model {name} is Ready", 120)

    def create_model(self, name: str, **changes: Any) -> None:
        spec = self.api.get(MODELS, NETWORK, layout.MODEL)["spec"]
        self.api.create(MODELS, NETWORK, make_object("FederatedModel", name, {**spec, **changes}))

    def ready_model(self, name: str) -> FederatedModel | None:
        model = self.model(name)
        return model if is_true(model.status.conditions, "Ready") else None

    def model(self, name: str) -> FederatedModel:
        return FederatedModel.model_validate(self.api.get(MODELS, NETWORK, name))

    def start_round(self, name: str, model: str, **changes: Any) -> FederatedRound:
        made = self.api.create(ROUNDS, NETWORK, make_round(name, model, **changes))
        return FederatedRound.model_validate(made)

    def run_round(self, name: str, model: str, **changes: Any) -> FederatedRound:
        """A round, from its creation to its end."""
        self.start_round(name, model, **changes)
        return self.ended(name)

    def round(self, name: str) -> FederatedRound:
        return FederatedRound.model_validate(self.api.get(ROUNDS, NETWORK, name))

    def ended(self, name: str, seconds: float = ROUND_SECONDS) -> FederatedRound:
        """The round, once it has ended."""

        def look() -> FederatedRound | None:
            found = self.round(name)
            return found if found.status.completed_at is not None else None

        try:
            return wait_for(look, f"round {name} ends", seconds)
        except AssertionError as error:
            parts = {clinic: outcome(part) for clinic, part in self.parts(name).items()}
            raise AssertionError(f"{error}; it stands at {outcome(self.round(name))}; parts: {parts}") from error

    def change_round(self, name: str, **spec: Any) -> None:
        self.api.patch(ROUNDS, NETWORK, name, {"spec": spec})

    def parts(self, name: str) -> dict[str, ClinicRound]:
        """The clinics' parts in a round, by clinic."""
        labels = {names.ROUND_LABEL: name}
        found = (ClinicRound.model_validate(one) for one in self.api.list(CLINIC_ROUNDS, labels=labels))
        return {part.spec.clinic: part for part in found}

    def clinic(self, name: str) -> Clinic:
        return Clinic.model_validate(self.api.get(CLINICS, NETWORK, name))

    def clinic_jobs(self, name: str, clinic: str) -> list[str]:
        """Role and attempt of every Job that a clinic has for its part in a round, such as ``train-a1``."""
        part = self.parts(name)[clinic]
        return sorted(map(role_and_attempt, self.jobs_of_part(part.metadata.uid, clinic)))

    def jobs_of_part(self, uid: str, clinic: str) -> list[Object]:
        return self.api.list(JOBS, layout.local_namespace(clinic), {names.CLINIC_ROUND_UID_LABEL: uid})

    def hub_jobs(self, uid: str) -> list[str]:
        """The same for the hub's Jobs of a round."""
        return sorted(map(role_and_attempt, self.api.list(JOBS, NETWORK, {names.ROUND_UID_LABEL: uid})))

    def exit_codes(self, job: str, namespace: str) -> list[int]:
        """The exit code of each ended pod of a Job."""
        pods = self.api.list(PODS, namespace, {"batch.kubernetes.io/job-name": job})
        states = (
            one["status"]["containerStatuses"][0]["state"] for one in pods if "containerStatuses" in one["status"]
        )
        return [state["terminated"]["exitCode"] for state in states if "terminated" in state]

    # --- processes

    def spec(self, name: str) -> ProcessSpec:
        actors = runtime.actors(self.federation.parts(self.record), self.clinics)
        return next(spec for spec in actors if spec.name == name)

    def pid(self, name: str) -> int:
        pid = self.federation.processes.pid(name)
        assert pid is not None, f"{name} does not run"
        return pid

    def kill(self, name: str) -> None:
        """SIGKILL, and wait until it is gone."""
        os.kill(self.pid(name), signal.SIGKILL)
        self.await_gone(name)

    def await_gone(self, name: str) -> None:
        wait_for(lambda: not self.federation.processes.alive(name), f"{name} is gone", 20)

    def start(self, name: str) -> None:
        self.federation.processes.ensure_running(self.spec(name))

    def start_all(self) -> None:
        """Whatever a test has stopped runs again; what runs is left alone."""
        self.federation.up(None)

    def sandbox(self, pod_uid: str) -> Sandbox:
        """What the process node holds of a pod."""
        return Sandbox(self.federation.place.state / "pods" / pod_uid)

    def await_available(self) -> None:
        """Every clinic is available, as a new round needs it."""

        def all_there() -> bool:
            return all(is_true(self.clinic(one).status.conditions, "Available") for one in self.clinics)

        wait_for(all_there, "all clinics are available", 90)

    # --- objects

    def store(self) -> Minio:
        """The hub's own access to the object store, past the gateway."""
        store = self.federation.store
        return Minio(store.address, store.keys.hub.access_key, store.keys.hub.secret_key, secure=False, region=REGION)

    def stored(self, key: str) -> bytes | None:
        """An object's bytes, or nothing where there is none."""
        try:
            answer = self.store().get_object(BUCKET, key)
        except S3Error as error:
            if error.code != "NoSuchKey":
                raise
            return None
        try:
            return answer.read()
        finally:
            answer.close()
            answer.release_conn()


def make_object(kind: str, name: str, spec: Mapping[str, Any]) -> Object:
    return {
        "apiVersion": "fedround.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, "namespace": NETWORK},
        "spec": dict(spec),
    }


def make_round(name: str, model: str, **changes: Any) -> Object:
    """The round of the examples for all three clinics of a model; changes replace single fields of the spec."""
    document = copy.deepcopy(EXAMPLE_ROUND)
    document["metadata"]["name"] = name
    spec = document["spec"]
    spec["training"] |= TRAINING
    document["spec"] = {**spec, "modelRef": {"name": model}, "clinics": {"minimum": CLINIC_COUNT}, **changes}
    return document


def outcome(found: FederatedRound | ClinicRound) -> str:
    """Status and reason of the condition Succeeded, such as ``True WarmUpPassed``."""
    condition = find_condition(found.status.conditions, "Succeeded")
    return f"{condition.status} {condition.reason}" if condition else ""


def message(found: FederatedRound | ClinicRound | FederatedModel, type_: str = "Succeeded") -> str:
    condition = find_condition(found.status.conditions, type_)
    return condition.message if condition else ""


def role_and_attempt(job: Object) -> str:
    labels = job["metadata"]["labels"]
    return f"{labels[names.ROLE_LABEL]}-a{labels[names.ATTEMPT_LABEL]}"


@contextmanager
def running_network(folder: Path) -> Iterator[Network]:
    """A federation in this folder, for as long as the block lasts."""
    write_synthetic_folder(folder / "images", IMAGES, SEED)
    federation = Federation(folder / "state", print, unsafe_no_fsync=True)
    try:
        federation.up(SetUp(DataRequest(folder / "images", CLINIC_COUNT, "clinic", SEED), image_size=IMAGE_SIZE))
        running = Network(federation)
        wait_for(lambda: running.ready_model(layout.MODEL), "the model has its first checkpoint", 120)
        running.await_available()
        yield running
    finally:
        federation.down()


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with running_network(tmp_path_factory.mktemp("federation")) as running:
        yield running


@pytest.fixture(scope="session")
def undisturbed(network: Network) -> str:
    """The checkpoint's digest that a round on a new model gives when nothing gets in its way."""
    network.make_model("undisturbed")
    ended = network.run_round("undisturbed", "undisturbed")
    assert ended.status.candidate is not None, f"{outcome(ended)}: {message(ended)}"
    return ended.status.candidate.digest


@pytest.fixture
def mended(network: Network) -> Iterator[None]:
    """Whatever the test stops or kills runs again after it."""
    try:
        yield
    finally:
        network.start_all()
        network.await_available()


__all__ = ["ApiError", "Network", "make_object", "make_round", "mended", "message", "network", "outcome", "undisturbed"]
