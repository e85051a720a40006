"""What the hub's metrics tell, from a whole life of rounds, and that nothing is told of what is gone."""

from collections.abc import Iterator

import pytest

from fedround_operator.hub.reconcilers import CLINIC, MODEL, ROUND
from fedround_operator.kit import metrics
from fedround_operator.kit.controller import Key
from fedround_operator.kit.metrics import REGISTRY
from fedround_operator.kit.resources import CLINICS, MODELS
from support.hub_builders import NETWORK, NOON, SUBMITTED, WORKING, verdict
from support.hub_world import HubWorld

NAME = "skin-2026-w48"
THIS_MODEL = {"network": NETWORK, "model": "skin-lesion"}
THIS_ROUND = {**THIS_MODEL, "round": NAME}


@pytest.fixture(autouse=True)
def nothing_told() -> Iterator[None]:
    """Each test begins without the series of the ones before it."""
    forget(HubWorld())
    yield
    forget(HubWorld())


def forget(world: HubWorld) -> None:
    world.api.delete(MODELS, NETWORK, "skin-lesion")
    world.hub.model(Key(MODEL, NETWORK, "skin-lesion"))
    world.hub.round(Key(ROUND, NETWORK, NAME))


def told(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"fedround_{name}", labels)


def series(**labels: str) -> set[str]:
    """The names of all samples that have these labels."""
    samples = (sample for family in REGISTRY.collect() for sample in family.samples)
    return {one.name for one in samples if labels.items() <= one.labels.items()}


def in_training() -> HubWorld:
    """A round of three clinics of which none has finished, after 10 minutes of them."""
    world = HubWorld()
    world.behaviour = dict.fromkeys(world.behaviour, WORKING)
    world.apply()
    world.settle()
    world.pass_time(600)
    world.settle()
    return world


def promoted() -> HubWorld:
    """The same round at its end: all three have submitted in its eleventh minute."""
    world = in_training()
    world.behaviour = dict.fromkeys(world.behaviour, SUBMITTED)
    world.finish()
    world.settle()
    return world


def test_a_round_that_runs_tells_its_phase_and_from_when_to_when_it_may_last() -> None:
    in_training()

    assert told("round_phase", **THIS_ROUND, phase="Training") == 1
    assert told("round_phase", **THIS_ROUND, phase="Pending") is None
    assert told("round_phase_start_timestamp_seconds", **THIS_ROUND) == NOON.timestamp()
    assert told("round_deadline_timestamp_seconds", **THIS_ROUND) == NOON.timestamp() + 8 * 3600


def test_a_round_that_runs_tells_how_many_clinics_were_asked_and_where_they_stand() -> None:
    in_training()

    states = ("Asked", "Available", "Training", "Submitted", "Failed", "Late")
    found = {state: told("model_round_clinics", **THIS_MODEL, state=state) for state in states}
    assert found == {"Asked": 3, "Available": None, "Training": 3, "Submitted": 0, "Failed": 0, "Late": 0}
    assert told("model_round_clinics_minimum", **THIS_MODEL) == 2


def test_a_round_that_waits_tells_how_many_clinics_are_available() -> None:
    world = HubWorld(("east", "north"))
    world.pass_time(60, renewing=False)
    world.renew("east")
    for clinic in ("east", "north"):
        world.hub.clinic(Key(CLINIC, NETWORK, clinic))
    world.apply()
    world.settle()

    assert told("model_round_clinics", **THIS_MODEL, state="Available") == 1
    assert told("model_round_clinics", **THIS_MODEL, state="Asked") == 2
    assert told("round_phase", **THIS_ROUND, phase="Pending") == 1


def test_a_round_that_has_ended_is_counted_with_its_phases_and_told_no_more() -> None:
    world = promoted()

    assert world.status()["phase"] == "Promoted"
    assert told("rounds_total", **THIS_MODEL, outcome="Promoted") == 1
    assert told("rounds_total", **THIS_MODEL, outcome="Failed") == 0
    assert series(round=NAME) == set()
    phases = ("Pending", "Training", "Aggregating", "Validating")
    counts = [told("round_phase_duration_seconds_count", **THIS_MODEL, phase=phase) for phase in phases]
    assert counts == [1, 1, 1, 1]
    assert told("round_phase_duration_seconds_sum", **THIS_MODEL, phase="Training") == 601
    assert told("model_round_clinics", **THIS_MODEL, state="Submitted") == 3


def test_a_round_that_is_deleted_while_it_runs_is_told_no_more() -> None:
    world = in_training()

    world.delete()
    world.settle()

    assert series(round=NAME) == set()


def test_a_promotion_tells_the_figures_of_candidate_and_current_version() -> None:
    world = promoted()

    current = world.model()["current"]
    assert told("model_version", **THIS_MODEL, version="Current") == current["version"] == 4
    for figure in ("sensitivity", "specificity", "auroc"):
        want = float(current["metrics"][figure])
        assert told("model_figure", **THIS_MODEL, version="Candidate", figure=figure) == want
        assert told("model_figure", **THIS_MODEL, version="Current", figure=figure) == want
    assert told("candidate_high_risk_cases", **THIS_MODEL, change="Lost") == world.status()["verdict"]["lost"]
    assert told("model_rollbacks_in_a_row", **THIS_MODEL) == 0


def test_rollbacks_in_a_row_are_counted_from_the_rounds_also_after_a_restart() -> None:
    world = HubWorld()
    world.verdict = verdict("RollBack", "HighRiskCasesLost")
    for name in ("skin-2026-w48", "skin-2026-w49"):
        world.apply(name)
        world.settle()
        world.finish(name)
        world.pass_time(60)
    assert world.status("skin-2026-w49")["phase"] == "RolledBack"

    world.restart()
    world.settle()

    assert told("model_rollbacks_in_a_row", **THIS_MODEL) == 2
    assert told("model_evaluations", **THIS_MODEL) == world.model()["evaluations"]


def test_a_model_that_is_gone_is_told_no_more() -> None:
    world = promoted()

    forget(world)

    assert series(model="skin-lesion") == set()


def test_a_model_that_is_gone_is_told_no_more_by_the_round_that_it_leaves_behind() -> None:
    world = in_training()
    world.api.delete(MODELS, NETWORK, "skin-lesion")

    for key in (Key(MODEL, NETWORK, "skin-lesion"), Key(ROUND, NETWORK, NAME), Key(ROUND, NETWORK, NAME)):
        world.hub.reconcilers()[key.kind](key)

    assert series(model="skin-lesion") == set()


def test_what_alerts_look_at_is_told_before_it_goes_wrong_for_the_first_time() -> None:
    metrics.JOB_SECONDS.clear()
    metrics.STATUS_WRITE_ERRORS.clear()

    HubWorld()

    for role in ("init", "aggregate", "validate"):
        assert told("job_duration_seconds_count", role=role, outcome="Failed") == 0
    for resource in ("federatedrounds", "federatedmodels", "clinics"):
        for code in ("403", "404", "409", "422", "unreachable", "other"):
            assert told("status_write_errors_total", resource=resource, code=code) == 0


def test_a_clinic_is_in_one_state_and_in_none_when_it_is_gone() -> None:
    world = HubWorld()
    key = Key(CLINIC, NETWORK, "east")

    def state() -> list[str]:
        states = ("Available", "Unavailable", "Suspended", "Revoked")
        return [one for one in states if told("clinic_state", network=NETWORK, clinic="east", state=one)]

    world.hub.clinic(key)
    assert state() == ["Available"]

    world.pass_time(60, renewing=False)
    world.hub.clinic(key)
    assert state() == ["Unavailable"]

    world.api.patch(CLINICS, NETWORK, "east", {"spec": {"suspended": True}})
    world.hub.clinic(key)
    assert state() == ["Suspended"]

    world.api.delete(CLINICS, NETWORK, "east")
    world.hub.clinic(key)
    assert series(clinic="east") == set()


def test_a_clinic_of_the_same_name_in_another_network_stays_when_one_is_gone() -> None:
    world = HubWorld()
    world.hub.clinic(Key(CLINIC, NETWORK, "east"))

    world.hub.clinic(Key(CLINIC, "nowhere", "east"))

    assert told("clinic_state", network=NETWORK, clinic="east", state="Available") == 1
