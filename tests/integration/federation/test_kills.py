"""SIGKILL in the middle of a round: it ends with the same checkpoint as a round that nobody disturbed.

The operator and an agent are killed once at every named point, which is taken from a watch: the process dies within
milliseconds of the write that shows the point, and it is checked that no later point was reached. Every Job is killed
once, the node, the gateway and the store are taken away while clinics need them.
"""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest

from fedround_api import names
from fedround_api.kinds import FederatedRound
from fedround_local.federation import layout, runtime
from fedround_operator.kit.resources import CLINIC_ROUNDS, JOBS, MODELS, PODS, ROUNDS, Object
from support.federation_fixture import NETWORK, Network, message, outcome, wait_for

pytestmark = [pytest.mark.timeout(600), pytest.mark.usefixtures("mended")]

KILLED, STORE_UNAVAILABLE = 137, 75


@dataclass(frozen=True)
class Point:
    """A moment of a round, and how it shows in an object of a collection."""

    name: str
    path: str
    shows: Callable[[Object], bool]
    # What must happen while the process is down, where it is to miss something.
    meanwhile: Callable[[], bool] | None = field(default=None)


def version_of(network: Network, point: Point) -> str:
    return str(network.watching.get(point.path)["metadata"]["resourceVersion"])


def reached(network: Network, points: Sequence[Point]) -> list[str]:
    return [one.name for one in points if any(map(one.shows, network.watching.get(one.path)["items"]))]


def kill_at(network: Network, process: str, point: Point, begin: Callable[[], Any]) -> None:
    """SIGKILL at the first sight of the point, which comes after ``begin``."""
    version = version_of(network, point)
    begin()
    pid = network.pid(process)
    for _, found in network.watching.watch(point.path, version):
        if point.shows(found):
            os.kill(pid, signal.SIGKILL)
            break
    else:
        pytest.fail(f"not seen: {point.name}")
    network.await_gone(process)


def kill_at_each(network: Network, process: str, points: Sequence[Point], begin: Callable[[], Any]) -> None:
    """Kill the process at each point in turn, each time after a restart."""
    for number, point in enumerate(points):
        kill_at(network, process, point, begin if number == 0 else lambda: network.start(process))
        assert reached(network, points) == [one.name for one in points[: number + 1]]
        if point.meanwhile is not None:
            wait_for(point.meanwhile, f"what {process} misses after: {point.name}", 120)
    network.start(process)


def assert_undisturbed(ended: FederatedRound, undisturbed: str) -> None:
    assert ended.status.phase == "Promoted", f"{outcome(ended)}: {message(ended)}"
    assert ended.status.candidate is not None
    assert ended.status.candidate.digest == undisturbed


def status_of(found: Object) -> Object:
    status: Object = found.get("status", {})
    return status


# --- operator and agent


@dataclass(frozen=True)
class OwnSigns:
    """How a round, its model of the same name, its parts and its Jobs show how far it is."""

    name: str

    def has(self, key: str) -> Callable[[Object], bool]:
        return lambda found: self._is_named(found) and key in status_of(found)

    def is_swapped(self, model: Object) -> bool:
        return self._is_named(model) and status_of(model)["current"]["round"] == self.name

    def is_claimed(self, model: Object) -> bool:
        # The swap gives the claim back.
        return self.has("activeRound")(model) or self.is_swapped(model)

    def is_job(self, role: str) -> Callable[[Object], bool]:
        wanted = {names.ROUND_LABEL: self.name, names.ROLE_LABEL: role}
        return lambda found: wanted.items() <= found["metadata"].get("labels", {}).items()

    def is_part(self, found: Object) -> bool:
        return bool(found.get("spec", {}).get("round", {}).get("name") == self.name)

    def is_trained_for(self, part: Object) -> bool:
        return self.is_part(part) and status_of(part).get("attempts", {}).get("train", 0) > 0

    def has_completed(self, type_: str) -> Callable[[Object], bool]:
        return lambda part: (
            self.is_part(part)
            and any(one["type"] == type_ and one["status"] == "True" for one in status_of(part).get("conditions", []))
        )

    def has_result(self, part: Object) -> bool:
        return self.is_part(part) and "result" in status_of(part)

    def _is_named(self, found: Object) -> bool:
        return bool(found["metadata"].get("name") == self.name)


def operator_points(network: Network, name: str) -> list[Point]:
    """The points of a round at which the operator writes, in their order."""
    rounds, models = ROUNDS.path(NETWORK), MODELS.path(NETWORK)
    jobs, parts = JOBS.path(NETWORK), CLINIC_ROUNDS.path()
    signs = OwnSigns(name)

    def all_submitted() -> bool:
        return all(outcome(part) == "True Submitted" for part in network.parts(name).values())

    def judged() -> bool:
        return network.exit_codes(job_name(network, name, "validate"), NETWORK) == [0]

    return [
        Point("model claimed", models, signs.is_claimed),
        Point("participants fixed", rounds, signs.has("startedAt")),
        Point("parts handed out", parts, signs.is_part),
        Point("training", parts, signs.is_trained_for, all_submitted),
        Point("training closed", rounds, signs.has("trainingClosedAt")),
        Point("aggregating", jobs, signs.is_job("aggregate")),
        Point("candidate known", rounds, signs.has("candidate")),
        Point("validating", jobs, signs.is_job("validate"), judged),
        Point("verdict known", rounds, signs.has("verdict")),
        Point("model swapped", models, signs.is_swapped),
    ]


def job_name(network: Network, name: str, role: str) -> str:
    return names.job_name(name, role, network.round(name).metadata.uid, 1)


def test_the_operator_killed_at_every_point_of_a_round(network: Network, undisturbed: str) -> None:
    name = "operator-killed"
    network.make_model(name)
    points = operator_points(network, name)

    kill_at_each(network, runtime.OPERATOR, points, lambda: network.start_round(name, name))

    ended = network.ended(name)
    assert_undisturbed(ended, undisturbed)
    assert network.hub_jobs(ended.metadata.uid) == ["aggregate-a1", "validate-a1"]
    assert all(network.clinic_jobs(name, one) == ["fetch-a1", "submit-a1", "train-a1"] for one in network.clinics)
    model = network.model(name)
    assert [one.version for one in model.status.history] == [1, 0]
    assert (model.status.active_round, model.status.evaluations) == (None, 1)


def agent_points(network: Network, name: str, clinic: str) -> list[Point]:
    """The points of a clinic's part at which its agent has seen or written something, in their order."""
    parts, jobs = CLINIC_ROUNDS.path(names.clinic_namespace(clinic)), JOBS.path(layout.local_namespace(clinic))
    signs = OwnSigns(name)

    def trained() -> bool:
        job = names.job_name(name, "train", network.parts(name)[clinic].metadata.uid, 1)
        return network.exit_codes(job, layout.local_namespace(clinic)) == [0]

    return [
        Point("part seen", parts, signs.is_part),
        Point("fetching", jobs, signs.is_job("fetch")),
        Point("fetched", parts, signs.has_completed("Fetched")),
        Point("training", jobs, signs.is_job("train"), trained),
        Point("trained", parts, signs.has_result),
        Point("submitting", jobs, signs.is_job("submit")),
        Point("submitted", parts, signs.has_completed("Succeeded")),
    ]


def test_an_agent_killed_at_every_point_of_its_part(network: Network, undisturbed: str) -> None:
    name, clinic = "agent-killed", network.clinics[0]
    network.make_model(name)
    points = agent_points(network, name, clinic)

    kill_at_each(network, runtime.agent_name(clinic), points, lambda: network.start_round(name, name))

    assert_undisturbed(network.ended(name), undisturbed)
    assert network.clinic_jobs(name, clinic) == ["fetch-a1", "submit-a1", "train-a1"]


# --- Jobs


@dataclass(frozen=True)
class Victim:
    """A Job whose process is to be killed at its first attempt, once its log shows the words."""

    role: str
    namespace: str
    words: str = ""


def kill_jobs(network: Network, victims: Sequence[Victim], begin: Callable[[], Any]) -> None:
    """SIGKILL each victim's process as soon as it runs, or as its log shows how far it is."""
    version = network.watching.get(PODS.path())["metadata"]["resourceVersion"]
    begin()
    left, killers = list(victims), list[threading.Thread]()
    for _, pod in network.watching.watch(PODS.path(), version):
        victim = next((one for one in left if runs_for(pod, one)), None)
        if victim is not None:
            left.remove(victim)
            killers.append(threading.Thread(target=kill_process, args=(network, pod["metadata"]["uid"], victim.words)))
            killers[-1].start()
        if not left:
            break
    for killer in killers:
        killer.join(60)
    assert not left


def runs_for(pod: Object, victim: Victim) -> bool:
    meta, phase = pod["metadata"], status_of(pod).get("phase")
    role, attempt = (meta.get("labels", {}).get(one) for one in (names.ROLE_LABEL, names.ATTEMPT_LABEL))
    return (role, meta.get("namespace"), attempt, phase) == (victim.role, victim.namespace, "1", "Running")


def kill_process(network: Network, pod_uid: str, words: str) -> None:
    sandbox = network.sandbox(pod_uid)
    wait_for(lambda: words in sandbox.log.read_text(), f"the log shows {words!r}", 60)

    def process() -> psutil.Process | None:
        shell = sandbox.process()
        return next(iter(shell.children()), None) if shell is not None else None

    wait_for(process, "the Job's process", 10).kill()


def test_every_job_of_a_round_killed_once(network: Network, undisturbed: str) -> None:
    name = "jobs-killed"
    first, second, third = network.clinics
    kill_jobs(network, [Victim("init", NETWORK)], lambda: network.create_model(name))
    wait_for(lambda: network.ready_model(name), "the model is Ready", 60)
    assert network.model(name).status.init_attempts == 2

    kill_jobs(
        network,
        [
            Victim("fetch", layout.local_namespace(first)),
            Victim("train", layout.local_namespace(first)),
            Victim("train", layout.local_namespace(second), words="cases recent="),
            Victim("submit", layout.local_namespace(third)),
            Victim("aggregate", NETWORK),
            Victim("validate", NETWORK),
        ],
        lambda: network.start_round(name, name),
    )

    ended = network.ended(name)
    assert_undisturbed(ended, undisturbed)
    assert network.hub_jobs(ended.metadata.uid) == ["aggregate-a1", "aggregate-a2", "validate-a1", "validate-a2"]
    assert network.clinic_jobs(name, first) == ["fetch-a1", "fetch-a2", "submit-a1", "train-a1", "train-a2"]
    assert network.clinic_jobs(name, second) == ["fetch-a1", "submit-a1", "train-a1", "train-a2"]
    assert network.clinic_jobs(name, third) == ["fetch-a1", "submit-a1", "submit-a2", "train-a1"]
    assert network.exit_codes(job_name(network, name, "aggregate"), NETWORK) == [KILLED]
    assert network.exit_codes(job_name(network, name, "validate"), NETWORK) == [KILLED]


# --- node, gateway, store


def running_pods(network: Network, role: str) -> list[Object]:
    pods = network.api.list(PODS, labels={names.ROLE_LABEL: role})
    return [pod for pod in pods if status_of(pod).get("phase") == "Running"]


def test_the_node_killed_while_clinics_train(network: Network, undisturbed: str) -> None:
    """Pods outlive the node; it finds them again, and how those ended that it missed."""
    name = "node-killed"
    network.make_model(name)
    network.start_round(name, name)
    pods = wait_for(lambda: running_pods(network, "train") or None, "a clinic trains", 60)

    network.kill(runtime.NODE)
    wait_for(lambda: all(network.sandbox(pod["metadata"]["uid"]).process() is None for pod in pods), "they end", 60)
    network.start(runtime.NODE)

    assert_undisturbed(network.ended(name), undisturbed)
    assert all(network.clinic_jobs(name, one) == ["fetch-a1", "submit-a1", "train-a1"] for one in network.clinics)


def test_the_store_away_while_clinics_fetch_and_the_gateway_while_they_train(
    network: Network, undisturbed: str
) -> None:
    name = "doors-away"
    network.make_model(name)

    network.federation.store.stop()
    network.start_round(name, name)

    def first_fetches() -> list[list[int]]:
        uids = {clinic: part.metadata.uid for clinic, part in network.parts(name).items()}
        jobs = {layout.local_namespace(one): names.job_name(name, "fetch", uid, 1) for one, uid in uids.items()}
        return [network.exit_codes(job, namespace) for namespace, job in jobs.items()]

    wait_for(lambda: first_fetches() == [[STORE_UNAVAILABLE]] * 3, "every clinic's first fetch fails", 120)
    network.federation.store.start()

    wait_for(lambda: running_pods(network, "train") or None, "a clinic trains", 120)
    network.kill("gateway")
    wait_for(lambda: not running_pods(network, "train"), "training ends without a gateway", 120)
    network.federation.parts(network.record).gateway.start()

    assert_undisturbed(network.ended(name), undisturbed)


# --- everything at once, and children that somebody deletes


def test_everything_killed_at_once_while_clinics_train(network: Network, undisturbed: str) -> None:
    """As if the power had gone: control plane, store, gateway, node, operator, agents and Jobs."""
    name = "power-cut"
    network.make_model(name)
    network.start_round(name, name)
    pods = wait_for(lambda: running_pods(network, "train") or None, "a clinic trains", 60)

    processes = network.federation.processes
    pids = [pid for one in processes.names() if (pid := processes.pid(one)) is not None]
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    for pod in pods:
        network.sandbox(pod["metadata"]["uid"]).signal(signal.SIGKILL)
    for one in processes.names():
        network.await_gone(one)
    network.start_all()

    assert_undisturbed(network.ended(name), undisturbed)


def test_parts_and_jobs_that_somebody_deletes_are_made_again(network: Network, undisturbed: str) -> None:
    name, (first, second, _) = "children-deleted", network.clinics
    network.make_model(name)
    network.start_round(name, name)
    wait_for(lambda: "train-a1" in all_jobs(network, name, first), f"{first} trains", 60)

    part = network.parts(name)[second]
    network.api.delete(CLINIC_ROUNDS, part.metadata.namespace, part.metadata.name)
    train = names.job_name(name, "train", network.parts(name)[first].metadata.uid, 1)
    network.api.delete(JOBS, layout.local_namespace(first), train)
    uid = network.round(name).metadata.uid
    wait_for(lambda: "aggregate-a1" in network.hub_jobs(uid), "the hub aggregates", 180)
    network.api.delete(JOBS, NETWORK, job_name(network, name, "aggregate"))

    assert_undisturbed(network.ended(name), undisturbed)
    assert network.parts(name)[second].metadata.uid != part.metadata.uid
    assert "train-a2" in network.clinic_jobs(name, first)


def all_jobs(network: Network, name: str, clinic: str) -> list[str]:
    return network.clinic_jobs(name, clinic) if clinic in network.parts(name) else []
