"""The hub's reconcilers over an API server: what they wake, remove, and are allowed to do."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from fedround_api import names
from fedround_operator.hub.reconcilers import CLINIC, MODEL, ROUND, SWEEP_KEY, Hub
from fedround_operator.hub.rights import cluster_rules, lease_rules, network_rules
from fedround_operator.hub.settings import OPERATOR_LEASE
from fedround_operator.hub.watching import LABEL_SELECTORS, scopes
from fedround_operator.kit import metrics
from fedround_operator.kit.controller import Key
from fedround_operator.kit.errors import ApiError, Conflict, Forbidden, NotFound
from fedround_operator.kit.leader import Leadership
from fedround_operator.kit.resources import (
    CLINIC_ROUNDS,
    CLINICS,
    JOBS,
    LEASES,
    MODELS,
    PODS,
    ROUNDS,
    Object,
    Resource,
)
from support.builders import make_clinic_round, make_job
from support.fake_api import Call
from support.hub_builders import NETWORK, SETTINGS, WORKING, clinic_object, model_object, round_object
from support.hub_world import KEYS_OF, FakeSigner, HubWorld

SYSTEM = "fedround-system"
ROUND_KEY = Key(ROUND, NETWORK, "skin-2026-w48")


def in_training() -> HubWorld:
    """A world whose round has handed out its parts."""
    world = HubWorld()
    world.apply()
    world.settle()
    return world


def test_a_clinic_whose_namespace_refuses_does_not_hold_up_the_others() -> None:
    world = HubWorld()

    def refuse(call: Call, carried_out: bool) -> None:
        if call.resource == CLINIC_ROUNDS and call.namespace == "clinic-east":
            raise Forbidden("namespace clinic-east is being terminated")

    world.fault = refuse
    world.apply()

    with pytest.raises(AssertionError, match="never comes to rest"):
        world.settle()

    assert [part["spec"]["clinic"] for part in world.parts()] == ["north", "south"]


def test_a_round_ends_though_a_clinic_cannot_be_told() -> None:
    world = in_training()
    world.behaviour["east"] = WORKING
    world.clinics_work()
    world.pass_time(8 * 3600, renewing=False)

    def refuse(call: Call, carried_out: bool) -> None:
        if call.verb == "patch" and call.namespace == "clinic-east":
            raise NotFound("clinicrounds")

    world.fault = refuse
    for _ in range(60):
        world.step()

    assert world.job_names() == ["aggregate-a1"]


def test_the_parts_of_a_deleted_round_are_removed_and_its_model_is_free() -> None:
    world = in_training()
    assert world.model()["activeRound"]["name"] == "skin-2026-w48"

    world.delete()
    world.settle()

    assert world.parts() == []
    assert "activeRound" not in world.model()


def test_a_deletion_that_nobody_saw_is_made_good_by_the_sweep() -> None:
    """A watch that was broken off reports what is there, not what is gone."""
    world = in_training()
    world.api.delete(ROUNDS, NETWORK, "skin-2026-w48")
    world.apply("skin-2026-w49")
    world.settle()
    assert world.status("skin-2026-w49")["reason"] in ("ModelBusy", "Training")

    world.pass_time(61)
    world.settle()

    assert world.status("skin-2026-w49")["phase"] == "Training"
    assert {part["spec"]["round"]["name"] for part in world.parts()} == {"skin-2026-w49"}


def test_the_sweep_leaves_the_parts_of_rounds_that_are_there() -> None:
    world = in_training()

    world.hub.sweep(SWEEP_KEY)

    assert len(world.parts()) == 3


def test_the_sweep_leaves_the_parts_of_a_round_that_is_made_meanwhile() -> None:
    world = HubWorld()
    listings: list[Call] = []

    def make_a_round_after_the_first_listing(call: Call, carried_out: bool) -> None:
        if call.verb == "list" and carried_out:
            listings.append(call)
            if len(listings) == 1:
                made = make_clinic_round()
                world.api.put(ROUNDS, NETWORK, round_object())
                made["metadata"]["labels"] = {names.PART_OF: names.PART_OF_VALUE}
                world.api.put(CLINIC_ROUNDS, "clinic-north", made)

    world.fault = make_a_round_after_the_first_listing

    world.hub.sweep(SWEEP_KEY)

    assert len(world.parts()) == 1


def test_a_sweep_that_cannot_list_the_rounds_removes_nothing() -> None:
    world = in_training()

    def refuse(call: Call, carried_out: bool) -> None:
        if call.verb == "list" and call.resource == ROUNDS:
            raise ApiError("no answer")

    world.fault = refuse

    with pytest.raises(ApiError):
        world.hub.sweep(SWEEP_KEY)
    assert len(world.parts()) == 3


def test_a_round_that_is_gone_wakes_the_sweep() -> None:
    assert HubWorld().hub.round(ROUND_KEY).wake == (SWEEP_KEY,)


def test_a_second_round_of_a_model_starts_when_the_first_has_ended() -> None:
    world = in_training()
    world.apply("skin-2026-w49")
    world.settle()
    assert world.status("skin-2026-w49")["reason"] == "ModelBusy"

    world.finish()
    world.settle()

    assert world.status("skin-2026-w48")["phase"] == world.status("skin-2026-w49")["phase"] == "Promoted"
    assert world.status("skin-2026-w49")["base"]["version"] == 4
    assert [version["version"] for version in world.model()["history"]] == [5, 4, 3]


def test_a_clinic_that_comes_back_wakes_waiting_rounds() -> None:
    world = HubWorld(("east", "north"))
    world.pass_time(60, renewing=False)
    for clinic in ("east", "north"):
        world.hub.clinic(Key(CLINIC, NETWORK, clinic))
    world.apply()
    world.settle()
    assert world.status()["reason"] == "WaitingForClinics"

    for clinic in ("east", "north"):
        world.renew(clinic)
    world.settle()

    assert world.status()["phase"] == "Training"


def test_a_clinic_in_no_other_state_than_before_wakes_nobody() -> None:
    world = HubWorld()
    world.apply()
    world.hub.clinic(Key(CLINIC, NETWORK, "east"))

    assert world.hub.clinic(Key(CLINIC, NETWORK, "east")).wake == ()


def test_the_end_of_a_clinics_certificate_is_a_metric_as_long_as_there_is_one() -> None:
    world = HubWorld()
    key = Key(CLINIC, NETWORK, "east")

    def told() -> float | None:
        name = "fedround_clinic_certificate_expiry_timestamp_seconds"
        return metrics.REGISTRY.get_sample_value(name, {"network": NETWORK, "clinic": "east"})

    record = {
        "sha256": "ce" * 32,
        "keySha256": "ab" * 32,
        "issuedAt": "2026-01-01T00:00:00Z",
        "expiresAt": "2027-01-01T00:00:00Z",
        "pem": "PEM",
    }
    world.api.patch(CLINICS, NETWORK, "east", {"spec": {"certificates": [record]}})
    world.hub.clinic(key)
    assert told() == datetime(2027, 1, 1, tzinfo=UTC).timestamp()

    world.api.patch(CLINICS, NETWORK, "east", {"spec": {"certificates": [{**record, "revoked": True}]}})
    world.hub.clinic(key)
    assert told() is None

    world.api.patch(CLINICS, NETWORK, "east", {"spec": {"certificates": [record]}})
    world.hub.clinic(key)
    world.api.delete(CLINICS, NETWORK, "east")
    world.hub.clinic(key)
    assert told() is None


def test_a_part_that_claims_another_clinics_name_does_not_count() -> None:
    world = in_training()
    world.behaviour = dict.fromkeys(world.behaviour, WORKING)
    (north,) = world.api.peek(CLINIC_ROUNDS, "clinic-north")
    forged = {**north, "metadata": {**north["metadata"], "name": "forged", "namespace": "clinic-south"}}
    forged["status"] = {"conditions": [{"type": "Succeeded", "status": "True", "reason": "Submitted"}]}
    forged["status"]["conditions"][0]["lastTransitionTime"] = "2026-11-24T12:00:00Z"
    forged["status"]["result"] = {"updateDigest": "0dd5" * 16, "updateBytes": 1, "steps": 1}
    world.api.put(CLINIC_ROUNDS, "clinic-south", forged)

    world.hub.round(ROUND_KEY)

    assert world.status()["participation"] == "0/3"


def test_urls_are_signed_anew_for_the_objects_of_the_same_part() -> None:
    world = in_training()
    (before,) = world.api.peek(CLINIC_ROUNDS, "clinic-north")
    world.pass_time(40 * 60)
    world.settle()

    (after,) = world.api.peek(CLINIC_ROUNDS, "clinic-north")

    assert before["spec"]["urls"]["signedAt"] == "2026-11-24T12:00:00Z"
    assert after["spec"]["urls"]["signedAt"] == "2026-11-24T12:40:00Z"
    assert after["spec"]["urls"]["update"].startswith("https://gateway/clinics/north/")
    assert {**after["spec"], "urls": None} == {**before["spec"], "urls": None}


def test_an_operator_that_is_started_with_other_keys_signs_all_open_urls_anew_and_once() -> None:
    world = in_training()
    world.behaviour["east"] = WORKING
    world.pass_time(60)
    before = world.parts()
    world.restart()
    world.settle()
    assert world.parts() == before

    world.signer = FakeSigner("second")
    world.restart()
    world.settle()
    after = world.parts()
    world.settle()

    assert world.parts() == after
    assert [part["spec"]["urls"]["update"].split("?")[1] for part in after] == ["second&2026-11-24T12:01:00Z"] * 3
    assert [part["spec"]["urls"]["checkpoint"].split("?")[1] for part in after] == ["second&2026-11-24T12:01:00Z"] * 3


def test_a_part_that_is_made_while_the_round_is_suspended_is_suspended_from_the_start() -> None:
    world = HubWorld(("east", "north"))
    world.apply()
    while "startedAt" not in (world.status() if world.rounds() else {}):
        world.step()
    world.edit(suspend=True)

    world.settle()

    assert [part["spec"]["suspended"] for part in world.parts()] == [True, True]
    assert all(part["metadata"]["generation"] == 1 for part in world.parts())


def just_before(world: HubWorld, resource: Resource, then: Callable[[], object]) -> None:
    """Do something once, between what the operator has read and its next write of a status of that kind."""
    done: list[bool] = []

    def strike(call: Call, carried_out: bool) -> None:
        if (call.verb, call.resource, call.subresource) == ("patch", resource, "status") and not done:
            done.append(True)
            with world.undisturbed():
                then()

    world.fault = strike


def test_a_promotion_is_not_written_over_a_model_that_has_moved_since_it_was_read() -> None:
    world = in_training()
    world.clinics_work()
    while "verdict" not in world.status():
        if not world.step():
            world.jobs_end()
    (model,) = world.api.peek(MODELS, NETWORK)
    moved = {**model["status"], "current": {**model["status"]["current"], "version": 7, "digest": "9999" * 16}}
    just_before(world, MODELS, lambda: world.api.put(MODELS, NETWORK, {**model, "status": moved}))

    status = world.finish()

    assert (status["phase"], status["reason"]) == ("Failed", "BaseMoved")
    assert world.model()["current"]["version"] == 7


def test_of_two_rounds_that_see_a_free_model_one_gets_it() -> None:
    world = HubWorld()
    world.settle()
    world.apply("skin-2026-w48")
    world.apply("skin-2026-w49")
    just_before(world, MODELS, lambda: world.hub.round(Key(ROUND, NETWORK, "skin-2026-w49")))

    with pytest.raises(Conflict):
        world.hub.round(ROUND_KEY)

    assert world.model()["activeRound"]["name"] == "skin-2026-w49"
    world.settle()
    assert (world.status()["reason"], world.status("skin-2026-w49")["phase"]) == ("ModelBusy", "Training")


def test_a_round_that_is_cancelled_between_reading_and_writing_is_cancelled() -> None:
    world = in_training()
    world.clinics_work()
    just_before(world, ROUNDS, lambda: world.edit(cancel=True))

    status = world.finish()

    assert (status["phase"], status["reason"]) == ("Failed", "Cancelled")
    assert world.job_names() == []
    assert world.model()["current"]["version"] == 3


EVENTS_TO_KEYS: list[tuple[str, Resource, Object, bool, list[Key]]] = [
    ("a round", ROUNDS, round_object(), False, [ROUND_KEY]),
    ("a round that is gone", ROUNDS, round_object(), True, [ROUND_KEY, SWEEP_KEY, Key(MODEL, NETWORK, "skin-lesion")]),
    ("a model", MODELS, model_object(), False, [Key(MODEL, NETWORK, "skin-lesion")]),
    ("a clinic", CLINICS, clinic_object("north"), False, [Key(CLINIC, NETWORK, "north")]),
    ("a part", CLINIC_ROUNDS, make_clinic_round(), False, [ROUND_KEY]),
    ("a part that is gone", CLINIC_ROUNDS, make_clinic_round(), True, [ROUND_KEY]),
    ("a clinic's own Job", JOBS, make_job("train"), False, []),
    ("a stranger's Job", JOBS, {"metadata": {"name": "x", "namespace": NETWORK}}, False, []),
    ("a stranger's Lease", LEASES, {"metadata": {"name": "x", "namespace": "kube-system"}}, False, []),
]


@pytest.mark.parametrize(
    ("what", "resource", "found", "gone", "keys"), EVENTS_TO_KEYS, ids=lambda value: str(value)[:20]
)
def test_an_event_makes_the_keys_that_have_to_look_at_it(
    what: str, resource: Resource, found: Object, gone: bool, keys: list[Key]
) -> None:
    assert list(KEYS_OF[resource](found, gone)) == keys


@pytest.mark.parametrize("resource", [JOBS, PODS])
@pytest.mark.parametrize(
    ("labels", "key"),
    [
        ({names.ROUND_LABEL: "skin-2026-w48"}, ROUND_KEY),
        ({names.MODEL_LABEL: "skin-lesion"}, Key(MODEL, NETWORK, "skin-lesion")),
    ],
)
def test_jobs_and_pods_wake_their_owner(resource: Resource, labels: dict[str, str], key: Key) -> None:
    found = {"metadata": {"name": "x", "namespace": NETWORK, "labels": labels}}

    assert list(KEYS_OF[resource](found, False)) == [key]


def test_the_lease_of_an_agent_wakes_its_clinic_in_its_network() -> None:
    labels = {names.CLINIC_LABEL: "north", names.NETWORK_LABEL: NETWORK}
    found = {"metadata": {"name": "agent", "namespace": "clinic-north", "labels": labels}}

    assert list(KEYS_OF[LEASES](found, False)) == [Key(CLINIC, NETWORK, "north")]


@pytest.mark.parametrize(
    "labels",
    [
        {names.CLINIC_LABEL: "north", names.NETWORK_LABEL: NETWORK},
        {names.CLINIC_LABEL: "north", names.NETWORK_LABEL: "nowhere"},
        {names.CLINIC_LABEL: "south", names.NETWORK_LABEL: "nowhere"},
        {names.NETWORK_LABEL: NETWORK},
    ],
    ids=["another clinic", "another clinic of another network", "another network", "no clinic"],
)
def test_what_a_clinic_writes_on_its_lease_wakes_no_other_clinic(labels: dict[str, str]) -> None:
    found = {"metadata": {"name": "agent", "namespace": "clinic-south", "labels": labels}}

    assert list(KEYS_OF[LEASES](found, False)) == []


def test_the_part_of_another_networks_round_wakes_nobody() -> None:
    part = make_clinic_round()
    part["spec"]["round"]["namespace"] = "lung-network"

    assert list(KEYS_OF[CLINIC_ROUNDS](part, False)) == []


def test_the_sweep_leaves_the_parts_of_another_network() -> None:
    world = in_training()
    (part,) = world.api.peek(CLINIC_ROUNDS, "clinic-north")
    of_another = {**part["spec"], "round": {**part["spec"]["round"], "namespace": "lung-network", "uid": "1" * 36}}
    gone = {**part["spec"], "round": {**part["spec"]["round"], "uid": "2" * 36}}
    for name, spec in (("of-another", of_another), ("gone", gone)):
        meta = {"name": name, "labels": part["metadata"]["labels"]}
        world.api.put(CLINIC_ROUNDS, "clinic-north", {**part, "metadata": meta, "spec": spec})

    world.hub.sweep(SWEEP_KEY)

    left = {one["metadata"]["name"] for one in world.api.peek(CLINIC_ROUNDS, "clinic-north")}
    assert left == {part["metadata"]["name"], "of-another"}


def test_of_jobs_pods_and_leases_only_those_of_fedround_are_watched() -> None:
    assert dict(LABEL_SELECTORS) == dict.fromkeys((JOBS, PODS, LEASES), "app.kubernetes.io/part-of=fedround")


#: Group, resource with its subresource, verb, the namespace (None: in any) and the name that it is bound to, if it is.
Right = tuple[str, str, str, str | None, str | None]


def test_the_rights_are_those_that_whole_rounds_need_where_they_need_them() -> None:
    world = HubWorld(ready=False)
    Leadership(world.api, SYSTEM, OPERATOR_LEASE, "hub-1", lambda: world.now).try_take()
    Leadership(world.api, SYSTEM, OPERATOR_LEASE, "hub-1", lambda: world.now).try_take()
    world.settle()
    world.jobs_end()
    world.apply()
    world.finish()
    world.apply("skin-2026-w49")
    world.settle()
    world.behaviour["east"] = WORKING
    world.clinics_work()
    world.pass_time(8 * 3600)
    world.settle()
    world.edit("skin-2026-w49", cancel=True)
    world.step()
    world.settle()
    world.hub.round(Key(ROUND, NETWORK, "skin-2026-w49"))
    world.delete("skin-2026-w49")
    world.settle()
    # kopf lists and watches what is watched.
    informer: set[Right] = {
        (one.group, one.plural, verb, scope.namespace, None)
        for scope in scopes(NETWORK)
        for one in scope.watched
        for verb in ("list", "watch")
    }

    own = lease_rules(OPERATOR_LEASE)
    given = granted(cluster_rules(), None) | granted(network_rules(), NETWORK) | granted(own, SYSTEM)

    assert given == set(map(needed, world.api.calls)) | informer


def granted(rules: list[Object], namespace: str | None) -> set[Right]:
    return {
        (group, resource, verb, namespace, name)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", [None])
    }


def needed(call: Call) -> Right:
    """What a call needs: in a clinic's namespace, and in all at once, only a right in any namespace will do."""
    resource = call.resource.plural + (f"/{call.subresource}" if call.subresource else "")
    namespace = call.namespace if call.namespace in (NETWORK, SYSTEM) else None
    # RBAC does not see the name of what is to be created.
    name = call.name if namespace == SYSTEM and call.verb != "create" else None
    return call.resource.group, resource, call.verb, namespace, name


def test_a_reconciler_is_there_for_every_kind_of_key() -> None:
    hub: Any = Hub(HubWorld().api, FakeSigner(), SETTINGS, lambda: HubWorld().now)

    assert set(hub.reconcilers()) == {"FederatedRound", "FederatedModel", "Clinic", "Sweep"}
