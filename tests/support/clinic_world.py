"""A clinic in memory: its agent, the hub that it sees, its own cluster and a clock that only tests move."""

from datetime import UTC, datetime, timedelta
from typing import Any

from fedround_api.kinds.policy import ClinicPolicy
from fedround_api.policyfile import read_policy
from fedround_operator.agent.reconcilers import Agent
from fedround_operator.agent.settings import AgentSettings
from fedround_operator.kit.controller import Key, Outcome
from fedround_operator.kit.errors import ApiError
from fedround_operator.kit.resources import CLINIC_ROUNDS, LEASES, SERVICE_ACCOUNTS, Object
from support.builders import make_clinic_round, make_lease, make_policy
from support.fake_api import Call, FakeApi
from support.job_player import JobPlayer

SETTINGS = AgentSettings(clinic="north", namespace="north", image="registry/fedround-training@sha256:0123")
ACCOUNT_UID = "acc0c0de-0000-4000-8000-000000000001"
PART = "skin-2026-w48-5a6b7c8d"


class Crash(Exception):
    """The agent's process ends here."""


class ClinicWorld:
    """The clinic `north`, its part in one round, and an agent that can be restarted."""

    def __init__(self, policy: dict[str, Any] | None = None) -> None:
        self.now = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
        self.hub, self.local = FakeApi(lambda: self.now), FakeApi(lambda: self.now)
        self.jobs = JobPlayer(self.local, SETTINGS.namespace)
        self.policy: ClinicPolicy | None = read_policy(policy or make_policy())
        self.hub.put(LEASES, "clinic-north", make_lease())
        account = {"metadata": {"name": SETTINGS.account, "uid": ACCOUNT_UID}}
        self.local.put(SERVICE_ACCOUNTS, SETTINGS.namespace, account)
        self.agent = self._started()

    def restart(self) -> None:
        """A new process: nothing of the old one's memory is left."""
        self.agent = self._started()

    def assign(self, name: str = PART, uid: str = "c1d2e3f4-0000-4000-8000-000000000001", **spec: Any) -> None:
        """The hub gives the clinic a part in a round."""
        self.hub.put(CLINIC_ROUNDS, "clinic-north", make_clinic_round(name, uid=uid, spec=spec))

    def change(self, name: str = PART, **spec: Any) -> None:
        """The hub changes a part's spec."""
        self.hub.patch(CLINIC_ROUNDS, "clinic-north", name, {"spec": spec})

    def reconcile(self, name: str = PART) -> Outcome:
        """One reconcile of a part."""
        return self.agent.part(Key("ClinicRound", "clinic-north", name))

    def settle(self, name: str = PART) -> None:
        """Reconcile until nothing is left to do at once."""
        for _ in range(10):
            if self.reconcile(name).again_seconds != 0.0:
                return
        raise AssertionError("the agent never comes to rest")

    def finish(self, name: str = PART) -> Object:
        """Let Jobs end well and the agent come back, in a new process after a crash, until the part has ended."""
        for _ in range(60):
            try:
                self.settle(name)
            except Crash:
                self.restart()
            except ApiError:
                pass
            if self.succeeded(name) != "Unknown":
                return self.status(name)
            self.jobs.end_all()
            self.now += timedelta(seconds=1)
        raise AssertionError(f"the part never ends: {self.status(name)}")

    def status(self, name: str = PART) -> Object:
        """A part's status as the hub holds it."""
        parts = self.hub.peek(CLINIC_ROUNDS, "clinic-north")
        found: Object = next(part for part in parts if part["metadata"]["name"] == name).get("status", {})
        return found

    def succeeded(self, name: str = PART) -> str:
        """The value of the condition Succeeded."""
        conditions = self.status(name).get("conditions", [])
        return next((str(one["status"]) for one in conditions if one["type"] == "Succeeded"), "Unknown")

    def _started(self) -> Agent:
        return Agent(self.hub, self.local, lambda: self.policy, SETTINGS, lambda: self.now)


class Fault:
    """Raises once, at the n-th call from now on, before it is carried out or after."""

    def __init__(self, number: int, error: type[Exception], *apis: FakeApi, carried_out: bool) -> None:
        self.struck, self._left, self._error = False, number, error
        for api in apis:
            if carried_out:
                api.after = self._strike
            else:
                api.before = self._strike

    def _strike(self, call: Call) -> None:
        self._left -= 1
        if self._left < 0 and not self.struck:
            self.struck = True
            raise self._error(str(call))
