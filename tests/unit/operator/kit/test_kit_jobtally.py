"""Each attempt of a Job that ended in this process's time is counted once, with its role and outcome."""

from datetime import UTC, datetime, timedelta

from fedround_api.jobs import Role
from fedround_operator.kit.jobseen import JobSeen, JobState
from fedround_operator.kit.jobtally import JobTally
from fedround_operator.kit.metrics import REGISTRY

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


def job(name: str, role: Role, minutes: float | None, state: JobState = JobState.SUCCEEDED) -> JobSeen:
    """A Job that began at noon, and ended after so many minutes."""
    ended = None if minutes is None else NOON + timedelta(minutes=minutes)
    return JobSeen(name, role, 1, state, finished_at=ended, began_at=NOON)


def told(role: Role, outcome: str, what: str = "count") -> float:
    labels = {"role": role.value, "outcome": outcome}
    found = REGISTRY.get_sample_value(f"fedround_job_duration_seconds_{what}", labels)
    assert found is not None, "a series that begins with its first Job shows no increase by it"
    return found


def test_an_attempt_is_counted_once_when_it_has_ended() -> None:
    tally = JobTally(NOON, [Role.INIT])
    before = told(Role.INIT, "Failed")
    tally.count("round", [job("a", Role.INIT, None, JobState.RUNNING)])
    assert told(Role.INIT, "Failed") == before
    seconds = told(Role.INIT, "Failed", "sum")

    for _ in range(3):
        tally.count("round", [job("a", Role.INIT, 2, JobState.FAILED)])

    assert told(Role.INIT, "Failed") == before + 1
    assert told(Role.INIT, "Failed", "sum") == seconds + 120


def test_what_ended_before_this_process_began_was_counted_by_the_one_before() -> None:
    tally = JobTally(NOON + timedelta(minutes=5), [Role.FETCH])
    before = told(Role.FETCH, "Succeeded")

    tally.count("part", [job("a", Role.FETCH, 4), job("b", Role.FETCH, 6)])

    assert told(Role.FETCH, "Succeeded") == before + 1
