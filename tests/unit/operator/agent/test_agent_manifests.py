"""The clinic's Jobs, compared with golden files. `FEDROUND_GOLDEN=write pytest …` writes them anew: read the diff."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fedround_api.kinds import ClinicResult, ClinicRound
from fedround_operator.agent.manifests import fetch_job, submit_job, train_job
from fedround_operator.agent.seen import PartSeen
from fedround_operator.agent.settings import AgentSettings
from fedround_operator.kit.jobmanifests import RunAs
from fedround_operator.kit.resources import Object
from support.builders import UPDATE_DIGEST, make_clinic_round

GOLDEN = Path(__file__).parent / "golden"
SETTINGS = AgentSettings(clinic="north", namespace="north", image="registry/fedround-training@sha256:0123")
SEEN = PartSeen(
    part=ClinicRound.model_validate(make_clinic_round()),
    jobs=(),
    owner={"apiVersion": "v1", "kind": "ServiceAccount", "name": "fedround-agent", "uid": "acc0c0de"},
    policy=None,
    busy=frozenset(),
    keep=("0a0b0c0d-0000-4000-8000-000000000002",),
    now=datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC),
)
RESULT = ClinicResult(update_digest=UPDATE_DIGEST, update_bytes=770_100, steps=24)
MANIFESTS = {
    "fetch": fetch_job(SEEN, 1, SETTINGS),
    "train": train_job(SEEN, 2, SETTINGS),
    "submit": submit_job(SEEN, RESULT, 3, SETTINGS),
}


def readable(manifest: Object) -> Object:
    """The manifest with the Job's input as data instead of text, so that a difference can be read."""
    copied: Object = json.loads(json.dumps(manifest))
    for variable in copied["spec"]["template"]["spec"]["containers"][0]["env"]:
        if variable["name"] == "FEDROUND_INPUT":
            variable["value"] = json.loads(variable["value"])
    return copied


@pytest.mark.parametrize("role", MANIFESTS)
def test_a_job_is_the_one_of_its_golden_file(role: str) -> None:
    path = GOLDEN / f"{role}.json"
    text = json.dumps(readable(MANIFESTS[role]), indent=2) + "\n"
    if os.environ.get("FEDROUND_GOLDEN") == "write":
        path.write_text(text)

    assert path.read_text() == text


@pytest.mark.parametrize("role", MANIFESTS)
def test_a_job_runs_as_whom_the_settings_name(role: str) -> None:
    settings = replace(SETTINGS, run_as=RunAs(1_000_650_000, None, 2001))
    made = {
        "fetch": fetch_job(SEEN, 1, settings),
        "train": train_job(SEEN, 2, settings),
        "submit": submit_job(SEEN, RESULT, 3, settings),
    }[role]

    security = made["spec"]["template"]["spec"]["securityContext"]
    assert (security["runAsUser"], security["fsGroup"]) == (1_000_650_000, 2001)
    assert "runAsGroup" not in security


def test_training_is_told_no_address_and_given_no_certificate() -> None:
    text = json.dumps(MANIFESTS["train"])

    assert "https://" not in text
    assert "certificate" not in text.lower()


@pytest.mark.parametrize("role", ["fetch", "submit"])
def test_jobs_with_a_network_see_no_images(role: str) -> None:
    pod = MANIFESTS[role]["spec"]["template"]["spec"]
    assert "images" not in json.dumps(pod["volumes"])
    # The workspace also holds decoded images, beside this folder of it.
    (workspace,) = (one for one in pod["containers"][0]["volumeMounts"] if one["name"] == "workspace")
    assert workspace["subPath"] == "rounds"


def test_the_longest_names_fit() -> None:
    part = make_clinic_round()
    part["spec"]["round"]["name"] = "r" * 40
    seen = replace(SEEN, part=ClinicRound.model_validate(part))

    assert len(submit_job(seen, RESULT, 999, SETTINGS)["metadata"]["name"]) <= 63
