"""What the agent's worker does: parts (gather -> decide -> act -> one status patch), ended Jobs, forgotten Jobs.

One worker takes the keys one by one: that no two parts train at a time is decided on what is seen, and two workers
would each see the moment before the other's Job.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from fedround_api.dataproblems import QuarantineCause
from fedround_api.jobs import Role
from fedround_api.kinds import find_condition
from fedround_api.kinds.policy import ClinicPolicy
from fedround_operator.agent.act import MakesAndRemoves, act
from fedround_operator.agent.decide import decide
from fedround_operator.agent.gather import Lists, Reads, clinic_jobs, gather, is_settled
from fedround_operator.agent.progress import SUCCEEDED, Decision, has_ended
from fedround_operator.agent.seen import PartSeen
from fedround_operator.agent.settings import AgentSettings
from fedround_operator.kit import metrics
from fedround_operator.kit.controller import Key, Outcome, Reconciler
from fedround_operator.kit.jobseen import JobSeen, latest
from fedround_operator.kit.jobtally import JobTally
from fedround_operator.kit.resources import CLINIC_ROUNDS, JOBS
from fedround_operator.kit.writing import Patches, count_refusals, write_status

log = logging.getLogger(__name__)

PART, ENDED_JOBS, SWEEP = "ClinicRound", "EndedJobs", "Sweep"
ENDED_JOBS_KEY, SWEEP_KEY = Key(ENDED_JOBS, "", ""), Key(SWEEP, "", "")
# Each stage of a part waits this long on average twice over for its Job to be noticed; the clinic's own API server
# answers two short lists for it, and only while there is work.
LOOK_SECONDS = 1.0
SWEEP_SECONDS = 60.0
# A hub that was restored from a backup, or a role that lost a right for a moment, must not end a training of hours.
GRACE = timedelta(minutes=5)


class HubApi(Lists, Patches, Protocol):
    """The hub's API server, as far as the agent uses it."""


class LocalApi(Reads, MakesAndRemoves, Protocol):
    """The clinic's API server, as far as the agent uses it."""


class Agent:
    """The agent's reconcilers over two API servers; for one worker."""

    def __init__(
        self,
        hub: HubApi,
        local: LocalApi,
        policy: Callable[[], ClinicPolicy | None],
        settings: AgentSettings,
        clock: Callable[[], datetime],
    ) -> None:
        self._hub, self._local, self._policy = hub, local, policy
        self._settings, self._clock = settings, clock
        self._in_work: dict[Key, None] = {}
        # The train Job of each part whose counts were told; after a restart they are told once more.
        self._told: dict[Key, str] = {}
        self._jobs: dict[str, tuple[JobSeen, ...]] | None = None
        self._tally = JobTally(clock(), (Role.FETCH, Role.TRAIN, Role.SUBMIT))
        count_refusals(CLINIC_ROUNDS)
        # In memory only: a restart begins the grace period anew, which delays a removal and never hastens it.
        self._missed_since: dict[str, datetime] = {}

    def reconcilers(self) -> Mapping[str, Reconciler]:
        """One reconciler for each kind of key."""
        return {PART: self.part, ENDED_JOBS: self.ended_jobs, SWEEP: self.sweep}

    def part(self, key: Key) -> Outcome:
        """Bring a part one step further."""
        seen = gather(self._hub, self._local, key.name, self._settings, policy=self._policy(), now=self._clock())
        if seen is None or has_ended(seen.part):
            self._in_work.pop(key, None)
            self._told.pop(key, None)
            self._tally.forget(key)
            return Outcome()
        wake = self._take_up(key)
        self._tally.count(key, seen.jobs)
        decision = decide(seen, self._settings)
        for action in decision.actions:
            act(self._local, self._settings.namespace, action)
        # First: once the status says that the part has ended, nobody looks at its Jobs again.
        self._tell_quarantined(key, seen)
        self._write(seen, decision)
        return Outcome(decision.again_seconds, wake)

    def ended_jobs(self, _: Key) -> Outcome:
        """Look at the clinic's Jobs while there is work, and wake the parts when one has ended or gone."""
        if not self._in_work:
            self._jobs = None
            return Outcome()
        # What the first look finds is a change too: it may have ended since its part was looked at.
        before, self._jobs = self._jobs or {}, clinic_jobs(self._local, self._settings.namespace)
        # All parts, not only that of the Job: another one may wait for its turn.
        changed = before != self._jobs
        return Outcome(LOOK_SECONDS, tuple(self._in_work) if changed else ())

    def sweep(self, _: Key) -> Outcome:
        """Remove Jobs whose part has not been on the hub for a while; the hub must have answered to say so.

        The parts that are not settled are woken, so that a watch which is dead without knowing it costs a minute.
        """
        parts = self._hub.list(CLINIC_ROUNDS, self._settings.hub_namespace)
        assigned = {part["metadata"]["uid"] for part in parts}
        by_part = clinic_jobs(self._local, self._settings.namespace)
        missed = {uid: jobs for uid, jobs in by_part.items() if uid not in assigned}
        now = self._clock()
        self._missed_since = {uid: self._missed_since.get(uid, now) for uid in missed}
        for uid, since in self._missed_since.items():
            if now - since >= GRACE:
                self._remove(uid, missed[uid])
        unsettled = (part["metadata"]["name"] for part in parts if not is_settled(part))
        return Outcome(SWEEP_SECONDS, tuple(Key(PART, self._settings.hub_namespace, name) for name in unsettled))

    def _take_up(self, key: Key) -> tuple[Key, ...]:
        """Count the part as in work, and start the look-out for Jobs unless it goes on by itself."""
        self._in_work[key] = None
        return (ENDED_JOBS_KEY,) if self._jobs is None else ()

    def _write(self, seen: PartSeen, decision: Decision) -> None:
        meta, before = seen.part.metadata, find_condition(seen.part.status.conditions, SUCCEEDED)
        write_status(self._hub, CLINIC_ROUNDS, seen.part, decision.status.dump())
        after = find_condition(decision.status.conditions, SUCCEEDED)
        if after is not None and (before is None or (before.status, before.reason) != (after.status, after.reason)):
            log.info("part=%s succeeded=%s reason=%s", meta.name, after.status, after.reason)

    def _tell_quarantined(self, key: Key, seen: PartSeen) -> None:
        """Tell the clinic, in log and metric, how many images a training set aside. The hub is never told."""
        trained = latest(seen.jobs, Role.TRAIN)
        if trained is None or trained.report is None or trained.report.quarantined is None:
            return
        if self._told.get(key) == trained.name:
            return
        self._told[key] = trained.name
        # All causes: what the last training no longer found has to go back to 0.
        counts = {cause: trained.report.quarantined.get(cause, 0) for cause in QuarantineCause}
        for cause, count in counts.items():
            metrics.IMAGES_QUARANTINED.labels(cause.value).set(count)
        metrics.TRAINING_CASES.set(trained.report.cases or 0)
        found = ", ".join(f"{cause}: {count}" for cause, count in counts.items() if count)
        log.info("part=%s images_quarantined=%d causes=%r", key.name, sum(counts.values()), found)

    def _remove(self, uid: str, jobs: tuple[JobSeen, ...]) -> None:
        for job in jobs:
            self._local.delete(JOBS, self._settings.namespace, job.name)
        log.info("removed jobs without an assignment part_uid=%s jobs=%d", uid, len(jobs))
