"""How the checks of `train` judge what they found: each verdict at its boundary, with what to mend."""

import os
from pathlib import Path

import pytest

from fedround_api.checks import CheckFailed, Noted, PreflightInput
from fedround_api.locking import LockPart
from fedround_training.jobs.readiness import (
    Trial,
    free_bytes,
    judge_lock,
    judge_memory,
    judge_room,
    judge_speed,
    probe_workspace,
)

MIB, GIB = 2**20, 2**30
GIVEN = PreflightInput(image_size=128, batch_size=32, memory_bytes=3 * GIB)


def test_a_volume_that_is_full_is_refused_with_how_large_it_should_be() -> None:
    with pytest.raises(
        CheckFailed, match=r"has 63 MiB free, and a round needs 64 MiB: make it larger, best by 3\.5 GiB"
    ):
        judge_room(64 * MIB - 1, 50_000, 128)


def test_a_volume_without_room_for_all_decoded_images_is_noted() -> None:
    # 1,000 images of 48 KiB and a block each: 52 MB, beside the GiB that is left free.
    need = 1000 * (3 * 128 * 128 + 4096) + GIB

    assert isinstance(judge_room(64 * MIB, 1000, 128), Noted)
    assert isinstance(judge_room(need - 1, 1000, 128), Noted)
    assert judge_room(need, 1000, 128) == "1.0 GiB free; 1000 decoded images of 128 px take 0.0 GiB"


def test_how_many_recent_cases_fit_is_told() -> None:
    trial = Trial(0.01, int(0.75 * GIB))

    assert judge_memory(trial, 49_152, GIVEN) == (
        "training at 128 px in batches of 32 takes 0.8 GiB of the 3.0 GiB of its Job; 49152 recent cases fit, and "
        "there are 49152 in all"
    )
    found = judge_memory(trial, 49_153, GIVEN)
    assert isinstance(found, Noted)
    assert "49152 recent cases fit, and there are 49153 in all: a round whose window holds more would be killed" in (
        found.text
    )


def test_a_training_that_needs_more_than_its_job_may_take_is_refused() -> None:
    with pytest.raises(CheckFailed, match=r"takes 3\.0 GiB of the 3\.0 GiB of its Job: ask the network for smaller"):
        judge_memory(Trial(0.01, 3 * GIB - 100), 10, GIVEN)


def test_how_long_a_training_takes_is_told_for_the_usual_epochs() -> None:
    assert (
        judge_speed(Trial(0.0044, GIB), 9000) == "an image takes 4.4 ms: 2 epochs over all 9000 cases take 1.3 minutes"
    )


def test_a_process_that_kept_its_network_is_refused_unless_the_policy_allows_it() -> None:
    with pytest.raises(CheckFailed, match="could open sockets and reach into other processes: train on nodes"):
        judge_lock([LockPart.FILES], allow_unlocked=False)
    assert isinstance(judge_lock([LockPart.FILES], allow_unlocked=True), Noted)


def test_a_workspace_that_can_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    assert probe_workspace(tmp_path) == "files can be written, brought to the disk and replaced as one"
    assert list(tmp_path.iterdir()) == []
    assert 0 < free_bytes(tmp_path) <= os.statvfs(tmp_path).f_blocks * os.statvfs(tmp_path).f_frsize
