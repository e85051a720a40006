"""`aggregate`: the candidate, its record, and the clinic that is named when an update is wrong."""

import json
from pathlib import Path

import pytest

from fedround_api.exitcodes import ExitCode
from fedround_api.jobs import AggregateInput, Contribution
from fedround_api.kinds.federated_round import Base
from fedround_training.aggregation.weighted_mean import WeightedUpdate, save_weighted_mean
from fedround_training.errors import InputWrong, JobError, StoreRefused
from fedround_training.jobs.aggregate import aggregate
from fedround_training.models.checkpoint import open_checkpoint
from support.job_inputs import ADDRESS, PICKLE, digest_of, safetensors
from support.memory_store import MemoryStore

BASE = safetensors(weight=[[1, 2], [3, 4]], bias=[0, 0])
NORTH = safetensors(weight=[[4, 0], [0, 0]], bias=[0, 1])
SOUTH = safetensors(weight=[[0, 4], [0, 0]], bias=[0, 1])
CANDIDATE_KEY, RECORD_KEY = "rounds/r1/candidate.safetensors", "rounds/r1/aggregate.json"


def store_with(**updates: bytes) -> MemoryStore:
    store = MemoryStore()
    store.objects["published/skin/base.safetensors"] = BASE
    for clinic, content in updates.items():
        store.objects[f"clinics/{clinic}/r1/plain/update.safetensors"] = content
    return store


def aggregate_input(weights: dict[str, int], **updates: bytes) -> AggregateInput:
    contributions = [
        Contribution(
            clinic=clinic,
            key=f"clinics/{clinic}/r1/plain/update.safetensors",
            digest=digest_of(updates[clinic]),
            bytes=len(updates[clinic]),
            weight=weight,
        )
        for clinic, weight in weights.items()
    ]
    return AggregateInput(
        store=ADDRESS,
        base_key="published/skin/base.safetensors",
        base=Base(version=3, digest=digest_of(BASE), bytes=len(BASE)),
        contributions=contributions,
        candidate_key=CANDIDATE_KEY,
        record_key=RECORD_KEY,
    )


def test_the_candidate_and_its_record_are_stored() -> None:
    store = store_with(north=NORTH, south=SOUTH)

    report = aggregate(aggregate_input({"south": 100, "north": 300}, north=NORTH, south=SOUTH), store)

    want = safetensors(weight=[[4, 3], [3, 4]], bias=[0, 1])
    assert store.objects[CANDIDATE_KEY] == want
    assert (report.digest, report.bytes) == (digest_of(want), len(want))
    record = json.loads(store.objects[RECORD_KEY])
    assert [(one["clinic"], one["weight"], one["digest"]) for one in record["contributions"]] == [
        ("north", 300, digest_of(NORTH)),
        ("south", 100, digest_of(SOUTH)),
    ]
    assert record["candidate"] == {"key": CANDIDATE_KEY, "digest": digest_of(want), "bytes": len(want)}
    assert record["base"]["digest"] == digest_of(BASE)


def test_anyone_can_compute_it_again_from_the_record(tmp_path: Path) -> None:
    store = store_with(north=NORTH, south=SOUTH)
    aggregate(aggregate_input({"north": 7, "south": 3}, north=NORTH, south=SOUTH), store)
    record = json.loads(store.objects[RECORD_KEY])
    for place in (record["base"], *record["contributions"]):
        (tmp_path / place["digest"]).write_bytes(store.objects[place["key"]])

    updates = [
        WeightedUpdate(
            one["clinic"], open_checkpoint(tmp_path / one["digest"], one["digest"], one["bytes"]), one["weight"]
        )
        for one in record["contributions"]
    ]
    base = open_checkpoint(tmp_path / record["base"]["digest"], record["base"]["digest"], record["base"]["bytes"])
    save_weighted_mean(base, updates, tmp_path / "again")

    assert (tmp_path / "again").read_bytes() == store.objects[CANDIDATE_KEY]


@pytest.mark.parametrize(
    ("spoiled", "code", "words"),
    [
        (PICKLE, ExitCode.NOT_SAFETENSORS, "not in the safetensors format"),
        (safetensors(weight=[[1, 2, 3]], bias=[0, 0]), ExitCode.WRONG_SHAPE, r"shape \[1, 3\], expected \[2, 2\]"),
        (safetensors(weight=[[1, 2], [3, 4]]), ExitCode.WRONG_SHAPE, "'bias' is missing"),
        (safetensors(weight=[[1.0, float("nan")], [3.0, 4.0]], bias=[0, 0]), ExitCode.NOT_FINITE, "NaN or infinity"),
        (b"\0" * 100_000, ExitCode.TOO_LARGE, "bytes"),
    ],
)
def test_a_wrong_update_names_its_clinic_and_stores_nothing(spoiled: bytes, code: ExitCode, words: str) -> None:
    store = store_with(north=NORTH, south=spoiled)

    with pytest.raises(JobError, match=f"the update of clinic south: .*{words}") as caught:
        aggregate(aggregate_input({"north": 1, "south": 1}, north=NORTH, south=spoiled), store)

    assert (caught.value.exit_code, caught.value.clinic) == (code, "south")
    assert CANDIDATE_KEY not in store.objects
    assert RECORD_KEY not in store.objects


def test_other_bytes_than_the_clinic_reported_name_the_clinic() -> None:
    store = store_with(north=SOUTH)

    with pytest.raises(JobError, match="the update of clinic north: sha256") as caught:
        aggregate(aggregate_input({"north": 1}, north=NORTH), store)
    assert (caught.value.exit_code, caught.value.clinic) == (ExitCode.DIGEST_MISMATCH, "north")


def test_an_update_that_is_not_there_names_the_clinic() -> None:
    with pytest.raises(StoreRefused) as caught:
        aggregate(aggregate_input({"north": 1}, north=NORTH), store_with())
    assert caught.value.clinic == "north"


def test_a_spoiled_base_is_no_clinics_fault() -> None:
    store = store_with(north=NORTH)
    store.objects["published/skin/base.safetensors"] = BASE[:-1] + b"\1"

    with pytest.raises(JobError, match="the checkpoint that the round starts from: sha256") as caught:
        aggregate(aggregate_input({"north": 1}, north=NORTH), store)
    assert (caught.value.exit_code, caught.value.clinic) == (ExitCode.DIGEST_MISMATCH, None)


def test_two_updates_of_one_clinic_are_refused() -> None:
    given = aggregate_input({"north": 1}, north=NORTH)
    twice = given.model_copy(update={"contributions": given.contributions * 2})

    with pytest.raises(InputWrong, match="twice"):
        aggregate(twice, store_with(north=NORTH))


def test_a_sum_that_overflows_names_no_clinic() -> None:
    huge = safetensors(weight=[[3e38, 0.0], [0.0, 0.0]], bias=[0, 0])
    store = store_with(north=huge)
    store.objects["published/skin/base.safetensors"] = huge
    given = aggregate_input({"north": 1}, north=huge)
    base = Base(version=3, digest=digest_of(huge), bytes=len(huge))

    with pytest.raises(JobError, match="overflows") as caught:
        aggregate(given.model_copy(update={"base": base}), store)
    assert (caught.value.exit_code, caught.value.clinic) == (ExitCode.NOT_FINITE, None)
