"""Whatever happens, in whatever order: what holds for rounds and models holds after every step."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fedround_operator.kit.errors import ApiUnreachable, Conflict
from fedround_operator.kit.resources import Object
from support.hub_builders import FAILED, ROLL_BACK, SUBMITTED, WORKING, verdict
from support.hub_world import Crash, Fault, HubWorld

CLINICS = ("east", "north", "south")
# An end, an outage, a kill, a bad update.
CODES = (0, 75, 137, 78)
EDITS = ({"suspend": True}, {"suspend": False}, {"suspend": False}, {"cancel": True})


class History(RuleBasedStateMachine):
    """A hub, its clinics, administrators, failures and time."""

    @initialize()
    def begin(self) -> None:
        self.world, self.made = HubWorld(CLINICS), 0
        self.ended: dict[str, Object] = {}
        self.current = self.world.model()["current"]

    @precondition(lambda self: self.made < 4)
    @rule(minimum=st.integers(1, 4), suspend=st.booleans())
    def a_round_is_created(self, minimum: int, suspend: bool) -> None:
        self.made += 1
        self.world.apply(f"round-{self.made}", minimum=minimum, suspend=suspend)

    @precondition(lambda self: self.world.rounds())
    @rule(data=st.data(), change=st.sampled_from(EDITS))
    def a_round_is_edited(self, data: st.DataObject, change: dict[str, bool]) -> None:
        self.world.edit(self._any_round(data), **change)

    @precondition(lambda self: len(self.world.rounds()) > 1)
    @rule(data=st.data())
    def a_round_is_deleted(self, data: st.DataObject) -> None:
        self.world.delete(self._any_round(data))

    @rule(times=st.integers(1, 30))
    def the_operator_works(self, times: int) -> None:
        for _ in range(times):
            before = self.world.model()["current"]
            self.world.step()
            self._check_the_pointer(before, self.world.model()["current"])

    @precondition(lambda self: self.world.rounds())
    @rule(times=st.integers(1, 4))
    def all_do_their_part(self, times: int) -> None:
        for _ in range(times):
            self.the_operator_works(25)
            self.world.clinics_work()
            self.world.jobs_end()
            self.world.pass_time(2.0)

    @rule()
    def the_operator_restarts(self) -> None:
        self.world.restart()

    @rule(
        number=st.integers(0, 12), error=st.sampled_from([Crash, ApiUnreachable, Conflict]), carried_out=st.booleans()
    )
    def a_call_will_fail(self, number: int, error: Any, carried_out: bool) -> None:
        Fault(self.world, number, error, carried_out=carried_out and error is not Conflict)

    @rule()
    def the_clinics_work(self) -> None:
        self.world.clinics_work()

    @rule(clinic=st.sampled_from(CLINICS), state=st.sampled_from([SUBMITTED, FAILED, WORKING]))
    def a_clinic_changes(self, clinic: str, state: str) -> None:
        self.world.behaviour[clinic] = state

    @rule(code=st.sampled_from(CODES), given=st.sampled_from([verdict(), verdict(release=True), ROLL_BACK]))
    def the_jobs_end(self, code: int, given: Object) -> None:
        self.world.verdict = given
        self.world.jobs_end(code)

    @rule()
    def the_jobs_are_removed(self) -> None:
        self.world.remove_jobs()

    @rule(seconds=st.sampled_from([1.0, 45.0, 1000.0, 9 * 3600.0]), renewing=st.booleans())
    def time_passes(self, seconds: float, renewing: bool) -> None:
        self.world.pass_time(seconds, renewing=renewing)

    @invariant()
    def a_round_is_promoted_once_at_most(self) -> None:
        history = self.world.model()["history"]
        promoted = [version["roundUid"] for version in history if version.get("roundUid")]
        assert len(promoted) == len(set(promoted))
        versions = [version["version"] for version in history]
        assert versions == sorted(versions, reverse=True)
        assert len(versions) == len(set(versions))

    @invariant()
    def what_has_ended_stays_ended(self) -> None:
        for found in self.world.rounds():
            status = {key: value for key, value in found.get("status", {}).items() if key != "observedGeneration"}
            if "completedAt" in status:
                assert self.ended.setdefault(found["metadata"]["uid"], status) == status

    @invariant()
    def one_round_of_the_model_runs(self) -> None:
        statuses = [found.get("status", {}) for found in self.world.rounds()]
        assert len([one for one in statuses if "startedAt" in one and "completedAt" not in one]) <= 1

    @invariant()
    def a_promoted_round_is_in_the_history(self) -> None:
        promoted = {version.get("roundUid") for version in self.world.model()["history"]}
        for found in self.world.rounds():
            phase, uid = found.get("status", {}).get("phase"), found["metadata"]["uid"]
            if phase == "Promoted":
                assert uid in promoted
            if phase in ("RolledBack", "Failed"):
                assert uid not in promoted

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        Fault(world, 10**9, Crash, carried_out=False)
        world.behaviour = dict.fromkeys(CLINICS, SUBMITTED)
        for found in world.rounds():
            world.edit(found["metadata"]["name"], suspend=False)
        for _ in range(80):
            world.settle()
            self.what_has_ended_stays_ended()
            self.one_round_of_the_model_runs()
            if all("completedAt" in found["status"] for found in world.rounds()):
                break
            world.clinics_work()
            world.jobs_end()
            world.pass_time(60.0)
        world.pass_time(61.0)
        world.settle()
        assert all("completedAt" in found["status"] for found in world.rounds())
        assert "activeRound" not in world.model()
        assert world.jobs.running() == []
        alive = {found["metadata"]["uid"] for found in world.rounds()}
        assert {part["spec"]["round"]["uid"] for part in world.parts()} <= alive
        assert all(part.get("status") or part["spec"]["closed"] for part in world.parts())
        self.a_round_is_promoted_once_at_most()
        self.a_promoted_round_is_in_the_history()

    def _any_round(self, data: st.DataObject) -> str:
        name: str = data.draw(st.sampled_from([found["metadata"]["name"] for found in self.world.rounds()]))
        return name

    def _check_the_pointer(self, before: Object, after: Object) -> None:
        if after == before:
            return
        judged = {found["metadata"]["uid"]: found.get("status", {}).get("verdict") for found in self.world.rounds()}
        assert judged[after["roundUid"]]["result"] == "Promote"
        assert after["version"] == before["version"] + 1


TestHistories = History.TestCase
TestHistories.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
