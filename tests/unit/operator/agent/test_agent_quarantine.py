"""Counts of images that were set aside stay in the clinic: the agent's log and metric have them, the hub never."""

import json
import logging

import pytest

from fedround_operator.kit.metrics import IMAGES_QUARANTINED, REGISTRY
from fedround_operator.kit.resources import CLINIC_ROUNDS
from support.clinic_world import PART, ClinicWorld, Crash, Fault
from support.job_player import report_of

#: All that a part's status may hold, and all that its result may.
STATUS_FIELDS = {"attempts", "conditions", "exitCode", "observedGeneration", "phase", "result"}
RESULT_FIELDS = {"cases", "locked", "steps", "updateBytes", "updateDigest"}


def training_ends(world: ClinicWorld, quarantined: dict[str, int], code: int = 0, part: str = PART) -> None:
    """The clinic's train Job ends with these counts in its report."""
    world.settle(part)
    world.jobs.end("fetch")
    world.settle(part)
    job = next(job for job in world.jobs.running() if "-train-" in job["metadata"]["name"])
    report = report_of(job) if code == 0 else {"role": "train", "exitCode": code, "message": "fixed words"}
    world.jobs.end("train", code, message=json.dumps({**report, "quarantined": quarantined}))
    world.settle(part)


def gauge(cause: str) -> float | None:
    return REGISTRY.get_sample_value("fedround_clinic_images_quarantined", {"cause": cause})


def test_log_and_metric_tell_the_counts_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    world = ClinicWorld()
    world.assign()

    training_ends(world, {"empty": 2, "CMYK instead of RGB or grey": 1})
    world.reconcile()

    assert (gauge("empty"), gauge("CMYK instead of RGB or grey"), gauge("missing")) == (2.0, 1.0, 0.0)
    lines = [record.getMessage() for record in caplog.records if "quarantined" in record.getMessage()]
    assert lines == [f"part={PART} images_quarantined=3 causes='empty: 2, CMYK instead of RGB or grey: 1'"]


def test_the_next_training_replaces_the_counts() -> None:
    world = ClinicWorld()
    world.assign()
    training_ends(world, {"empty": 2})
    world.finish()
    world.assign("skin-2026-w49-99999999", "0a0b0c0d-0000-4000-8000-000000000002")

    training_ends(world, {"damaged or cut off": 4}, part="skin-2026-w49-99999999")

    assert (gauge("empty"), gauge("damaged or cut off")) == (0.0, 4.0)


def test_a_training_without_a_readable_image_is_counted_too() -> None:
    world = ClinicWorld()
    world.assign()

    training_ends(world, {"empty": 7}, code=65)

    assert gauge("empty") == 7.0
    assert world.succeeded() == "False"


@pytest.mark.parametrize("number", range(1, 7))
def test_an_agent_that_is_killed_at_any_request_has_told_the_counts_or_will(number: int) -> None:
    """Once the status says that the part has ended, a new process does not look at its Jobs."""
    IMAGES_QUARANTINED.labels("empty").set(0)
    world = ClinicWorld()
    world.assign()
    world.settle()
    world.jobs.end("fetch")
    world.settle()
    report = {"role": "train", "exitCode": 65, "message": "fixed words", "quarantined": {"empty": 7}}
    world.jobs.end("train", 65, message=json.dumps(report))
    Fault(number, Crash, world.hub, world.local, carried_out=True)

    try:
        world.settle()
    except Crash:
        world.restart()
        world.settle()

    assert gauge("empty") == 7.0
    assert world.succeeded() == "False"


@pytest.mark.parametrize("code", [0, 65])
def test_the_hub_sees_an_allow_list_only(code: int) -> None:
    world = ClinicWorld()
    world.assign()

    training_ends(world, {"empty": 2}, code)
    if code == 0:
        world.finish()

    status = world.status()
    assert status.keys() <= STATUS_FIELDS
    assert status.get("result", {}).keys() <= RESULT_FIELDS
    written = json.dumps(world.hub.peek(CLINIC_ROUNDS, "clinic-north"))
    assert not any(word in written for word in ("quarantined", "empty", "fixed words"))
