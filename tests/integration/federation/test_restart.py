"""Rounds that are stopped, deleted, suspended or cancelled under way, rounds that queue, and clinics that are away."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from fedround_api import names
from fedround_api.kinds import ClinicRound, FederatedRound, ParticipantState, is_true
from fedround_local.federation import runtime
from fedround_operator.kit.instants import parse
from fedround_operator.kit.resources import CLINICS, JOBS, PODS, ROUNDS, Object
from support.federation_fixture import NETWORK, Network, make_round, message, outcome, wait_for

pytestmark = pytest.mark.timeout(600)

mends = pytest.mark.usefixtures("mended")


def in_training(network: Network, name: str) -> list[Object]:
    """Start the round on a new model of its name; the pods that train, once there are some."""
    network.make_model(name)
    network.start_round(name, name)
    return training_pods(network, name)


def training_pods(network: Network, name: str) -> list[Object]:
    labels = {names.ROLE_LABEL: "train", names.ROUND_LABEL: name}

    def running() -> list[Object] | None:
        found = network.api.list(PODS, labels=labels)
        return [pod for pod in found if pod.get("status", {}).get("phase") == "Running"] or None

    return wait_for(running, f"clinics train for {name}", 90)


def digest(ended: FederatedRound) -> str:
    assert ended.status.candidate is not None, f"{outcome(ended)}: {message(ended)}"
    return ended.status.candidate.digest


def deadlines(**changes: str) -> dict[str, Any]:
    return {**make_round("any", "any")["spec"]["deadlines"], **changes}


def jobs_of(network: Network, name: str) -> list[str]:
    return [one["metadata"]["name"] for one in network.api.list(JOBS, labels={names.ROUND_LABEL: name})]


def parts(network: Network, name: str) -> list[ClinicRound]:
    found = list(network.parts(name).values())
    assert len(found) == 3
    return found


def is_free(network: Network, model: str) -> bool:
    return network.model(model).status.active_round is None


@mends
def test_a_federation_that_is_stopped_while_clinics_train_ends_the_round_after_its_start(
    network: Network, undisturbed: str
) -> None:
    in_training(network, "stopped")

    network.federation.down()
    assert not any(map(network.federation.processes.alive, network.federation.processes.names()))
    network.federation.up(None)

    ended = network.ended("stopped")
    assert (ended.status.phase, digest(ended)) == ("Promoted", undisturbed)


def test_a_round_that_is_deleted_while_clinics_train_leaves_nothing_and_frees_the_model(network: Network) -> None:
    pods = in_training(network, "deleted")
    uids = {part.metadata.uid for part in network.parts("deleted").values()}

    assert "deleted" in network.kubectl("delete", "fr", "deleted", "-n", NETWORK, "--timeout=30s")

    wait_for(lambda: not network.parts("deleted"), "its parts are gone", 20)
    wait_for(lambda: is_free(network, "deleted"), "the model is free", 20)
    assert uids
    # The clinic waits before it takes an assignment that has vanished for withdrawn: its Jobs end by themselves.
    wait_for(lambda: all(network.sandbox(pod["metadata"]["uid"]).process() is None for pod in pods), "they end", 120)
    current = network.model("deleted").status.current
    assert current is not None
    assert current.version == 0


def test_a_suspended_round_takes_no_new_step_and_goes_on_where_it_was(network: Network, undisturbed: str) -> None:
    in_training(network, "suspended")
    wait_for(lambda: all(one.status.attempts.train for one in parts(network, "suspended")), "all train", 60)
    deadline = network.round("suspended").status.training_deadline_at

    network.change_round("suspended", suspend=True)
    wait_for(lambda: network.round("suspended").status.phase == "Suspended", "it is Suspended", 20)
    wait_for(lambda: all(one.status.result for one in parts(network, "suspended")), "training ends", 120)
    wait_for(lambda: {one.status.phase for one in parts(network, "suspended")} == {"Suspended"}, "none submits", 20)
    assert not any("submit" in one for one in jobs_of(network, "suspended"))

    network.change_round("suspended", suspend=False)
    ended = network.ended("suspended")
    assert (ended.status.phase, digest(ended)) == ("Promoted", undisturbed)
    assert deadline is not None
    assert ended.status.training_deadline_at is not None
    assert parse(ended.status.training_deadline_at) > parse(deadline)


def test_a_cancelled_round_stops_the_clinics_and_frees_the_model(network: Network) -> None:
    pods = in_training(network, "cancelled")

    network.change_round("cancelled", cancel=True)

    ended = network.ended("cancelled", 20)
    assert (ended.status.phase, outcome(ended)) == ("Failed", "False Cancelled")
    wait_for(lambda: is_free(network, "cancelled"), "the model is free", 20)
    wait_for(lambda: all(outcome(part) == "False RoundClosed" for part in network.parts("cancelled").values()), "told")
    wait_for(lambda: all(network.sandbox(pod["metadata"]["uid"]).process() is None for pod in pods), "they end", 30)


# --- several rounds, with one clinic that is chosen by its label


@pytest.fixture(scope="module")
def alone(network: Network) -> Iterator[dict[str, Any]]:
    """What a round says to ask one clinic only."""
    network.kubectl("label", "clinic", network.clinics[0], "-n", NETWORK, "takes=part-alone")
    yield {"minimum": 1, "selector": {"matchLabels": {"takes": "part-alone"}}}
    network.kubectl("label", "clinic", network.clinics[0], "-n", NETWORK, "takes-")


def test_two_rounds_of_one_model_run_one_after_the_other_and_may_be_deleted_then(
    network: Network, alone: dict[str, Any]
) -> None:
    network.make_model("queued")
    network.start_round("queued-1", "queued", clinics=alone)
    wait_for(lambda: network.round("queued-1").status.started_at, "the first has started", 30)
    network.start_round("queued-2", "queued", clinics=alone)
    wait_for(lambda: outcome(network.round("queued-2")) == "Unknown ModelBusy", "the second waits", 10)
    assert "'queued-1'" in message(network.round("queued-2"))

    first, second = network.ended("queued-1"), network.ended("queued-2")

    assert first.status.phase == "Promoted"
    assert first.status.completed_at is not None
    assert second.status.started_at is not None
    assert parse(second.status.started_at) >= parse(first.status.completed_at)
    assert second.status.base is not None
    assert (second.status.base.version, second.status.base.digest) == (1, digest(first))
    before = network.model("queued").status
    uids = [ended.metadata.uid for ended in (first, second)]
    for name in ("queued-1", "queued-2"):
        network.api.delete(ROUNDS, NETWORK, name)
    wait_for(lambda: not network.parts("queued-1") and not network.parts("queued-2"), "their parts are gone", 20)
    wait_for(lambda: not any(map(network.hub_jobs, uids)), "their Jobs are gone", 20)
    assert network.model("queued").status == before


def test_rounds_of_two_models_run_side_by_side_in_one_clinic(network: Network, alone: dict[str, Any]) -> None:
    rounds = ("beside-1", "beside-2")
    for name in rounds:
        network.make_model(name)
    for name in rounds:
        network.start_round(name, name, clinics=alone)
    first, second = (network.ended(name) for name in rounds)
    assert digest(first) == digest(second)
    assert first.status.completed_at is not None
    assert second.status.started_at is not None
    assert parse(second.status.started_at) < parse(first.status.completed_at)


def test_only_clinics_take_part_that_are_not_suspended_and_whose_policy_allows_it(network: Network) -> None:
    """The policy is the clinic's: the hub learns the reason, and no Job is made there."""
    forbids, suspended, takes_part = network.clinics
    policy = network.federation.place.policy(forbids)
    before = policy.read_text()
    network.make_model("left-out")
    policy.write_text(before.replace('"allowNone": true', '"allowNone": false'))
    network.api.patch(CLINICS, NETWORK, suspended, {"spec": {"suspended": True}})
    try:
        ended = network.run_round("left-out", "left-out", clinics={"minimum": 1})
    finally:
        policy.write_text(before)
        network.api.patch(CLINICS, NETWORK, suspended, {"spec": {"suspended": None}})
    assert states(ended) == {forbids: ParticipantState.FAILED, takes_part: ParticipantState.SUBMITTED}
    assert reasons(ended)[forbids] == "PolicyForbidsUnprotected"
    assert network.clinic_jobs("left-out", forbids) == []


# --- clinics that are away


@dataclass(frozen=True)
class Absence:
    """A clinic whose agent was killed, and two rounds that were started before the hub could know."""

    clinic: str
    there: list[str]
    ended: FederatedRound
    missed: FederatedRound


@pytest.fixture(scope="module")
def absence(network: Network, alone: dict[str, Any]) -> Iterator[Absence]:
    network.await_available()
    away, *there = network.clinics
    for name in ("without-one", "without-any"):
        network.make_model(name)
    network.kill(runtime.agent_name(away))
    network.start_round("without-any", "without-any", clinics=alone, deadlines=deadlines(training="3s"))
    network.start_round("without-one", "without-one", clinics={"minimum": 2}, deadlines=deadlines(training="40s"))
    yield Absence(away, there, network.ended("without-one"), network.ended("without-any"))
    network.start_all()
    network.await_available()


def test_a_dead_clinic_costs_a_round_no_more_than_its_deadline(network: Network, absence: Absence) -> None:
    ended = absence.ended
    assert ended.status.phase == "Promoted", message(ended)
    assert states(ended) == {
        absence.clinic: ParticipantState.LATE,
        **dict.fromkeys(absence.there, ParticipantState.SUBMITTED),
    }
    assert ended.status.participation == "2/3"
    assert seconds_early(ended) <= 0
    assert network.parts("without-one")[absence.clinic].spec.closed


def test_a_quorum_that_is_missed_ends_the_round_at_its_deadline_and_names_the_missing(
    network: Network, absence: Absence
) -> None:
    ended = absence.missed
    assert (ended.status.phase, outcome(ended)) == ("Failed", "False QuorumNotMet")
    assert f"{absence.clinic} (not done in time)" in message(ended)
    assert is_free(network, "without-any")


def test_later_rounds_do_not_wait_for_a_dead_clinic(network: Network, absence: Absence) -> None:
    await_absent(network, absence.clinic)
    later = network.run_round("without-one-2", "without-one", clinics={"minimum": 2})
    assert states(later) == dict.fromkeys(absence.there, ParticipantState.SUBMITTED)
    assert seconds_early(later) > 60


def test_a_round_that_lacks_clinics_says_which_and_fails_at_its_start_deadline(
    network: Network, absence: Absence
) -> None:
    await_absent(network, absence.clinic)
    network.start_round("too-few", "without-any", deadlines=deadlines(start="3s"))
    wait_for(lambda: outcome(network.round("too-few")) == "Unknown WaitingForClinics", "it waits", 3)
    assert absence.clinic in message(network.round("too-few"))
    ended = network.ended("too-few", 30)
    assert (ended.status.phase, outcome(ended)) == ("Failed", "False StartDeadlinePassed")
    assert absence.clinic in message(ended)
    assert is_free(network, "without-any")


def await_absent(network: Network, clinic: str) -> None:
    wait_for(lambda: not is_true(network.clinic(clinic).status.conditions, "Available"), f"{clinic} is away", 60)


def states(ended: FederatedRound) -> dict[str, ParticipantState]:
    return {one.name: one.state for one in ended.status.participants}


def reasons(ended: FederatedRound) -> dict[str, str | None]:
    return {one.name: one.reason for one in ended.status.participants}


def seconds_early(ended: FederatedRound) -> float:
    """How long before its deadline training closed."""
    closed, deadline = ended.status.training_closed_at, ended.status.training_deadline_at
    assert closed is not None
    assert deadline is not None
    return (parse(deadline) - parse(closed)).total_seconds()
