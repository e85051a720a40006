"""How `fedround clinic preflight` waits for its Jobs, gives up on them and removes them, on a cluster in memory."""

import dataclasses
from typing import Any

import pytest

from fedround_api.checks import CheckResult, report_text, told
from fedround_cli.clinic_preflight import lines
from fedround_cli.enrolling import ClinicError
from fedround_cli.main import main
from fedround_cli.preflighting import Ways, checks_made
from fedround_operator.agent.preflight import Installed, Trying, policy_check
from fedround_operator.agent.settings import AgentSettings
from fedround_operator.kit.resources import EVENTS, JOBS, PODS, Object
from support.fake_api import FakeApi

HOME = "fedround"
SETTINGS = AgentSettings("north", HOME, "training")
INSTALLED = Installed(SETTINGS, "hub:443", "operator", "fedround-membership", allow_unlocked=False, allow_none=True)
POLICY = ("policy", "ok", "takes part in rounds whose updates are not noised: meant for public or drawn images")
TRYING = Trying("a1b2c3", image_size=64, batch_size=32, deadline_seconds=600)
GOOD = told("hub", CheckResult.OK, "lets north in")


class Cluster:
    """A cluster whose pods are what a test says, and a clock that goes on by sleeping."""

    def __init__(self) -> None:
        self.api, self.now, self.said = FakeApi(), 0.0, list[str]()
        self.states: dict[str, Object] = {}

    def settle(self, job: str, **state: Any) -> None:
        """The state of the Job's container, from its creation on."""
        self.states[job] = state

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        for made in self.api.list(JOBS, HOME):
            name = made["metadata"]["name"]
            if name in self.states and not self.api.list(PODS, HOME, {"batch.kubernetes.io/job-name": name}):
                self.api.put(PODS, HOME, pod(name, self.states[name]))

    def preflight(self, *, keep: bool = False) -> list[tuple[str, str, str]]:
        ways = Ways(clock=lambda: self.now, sleep=self.sleep, say=self.said.append)
        found = checks_made(self.api, INSTALLED, TRYING, ways, keep=keep)
        return [(job, one.result.value, one.message) for job, one in found]

    def jobs(self) -> set[str]:
        return {made["metadata"]["name"] for made in self.api.list(JOBS, HOME)}


def pod(job: str, state: Object) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{job}-x", "namespace": HOME, "labels": {"batch.kubernetes.io/job-name": job}},
        "status": {"containerStatuses": [{"name": "job", "state": state}]},
    }


def ended(*checks: Any) -> Object:
    return {"exitCode": 0, "reason": "Completed", "message": report_text(checks)}


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster()
    made.settle("preflight-gateway-a1b2c3", terminated=ended(GOOD))
    made.settle("preflight-train-a1b2c3", terminated=ended(told("lock", CheckResult.OK, "locked in")))
    return made


def test_both_jobs_tell_their_checks_and_are_removed(cluster: Cluster) -> None:
    assert cluster.preflight() == [POLICY, ("gateway", "ok", "lets north in"), ("train", "ok", "locked in")]
    assert cluster.jobs() == set()


def test_jobs_are_kept_for_whoever_wants_their_logs(cluster: Cluster) -> None:
    cluster.preflight(keep=True)

    assert cluster.jobs() == {"preflight-gateway-a1b2c3", "preflight-train-a1b2c3"}


def test_an_image_that_cannot_be_pulled_is_given_up_after_a_second_try(cluster: Cluster) -> None:
    waiting = {"reason": "ErrImagePull", "message": "no such image"}
    cluster.settle("preflight-train-a1b2c3", waiting=waiting)

    assert cluster.preflight()[-1] == ("train", "failed", "the Job cannot start: ErrImagePull: no such image")
    assert 15 <= cluster.now < 20
    assert cluster.said == ["Job preflight-train-a1b2c3 waits: ErrImagePull: no such image"]
    assert cluster.jobs() == set()


def test_a_quota_is_told_after_the_cluster_had_time_for_another_node(cluster: Cluster) -> None:
    del cluster.states["preflight-train-a1b2c3"]
    about = {"kind": "Job", "name": "preflight-train-a1b2c3"}
    cluster.api.create(
        EVENTS,
        HOME,
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "one", "namespace": HOME},
            "involvedObject": about,
            "reason": "FailedCreate",
            "message": "exceeded quota: memory",
        },
    )

    assert cluster.preflight()[-1] == ("train", "failed", "the Job cannot start: exceeded quota: memory")
    assert 180 <= cluster.now < 185


def test_a_job_that_does_not_end_is_given_up_at_its_deadline(cluster: Cluster) -> None:
    cluster.settle("preflight-train-a1b2c3", running={})

    assert cluster.preflight()[-1] == ("train", "failed", "the Job was not done in time: give more --minutes")
    assert 600 <= cluster.now < 605


def test_beside_a_training_nothing_is_started(cluster: Cluster) -> None:
    labels = {"app.kubernetes.io/part-of": "fedround", "fedround.dev/role": "train"}
    meta = {"name": "w48-train-a1", "namespace": HOME, "labels": labels}
    cluster.api.create(JOBS, HOME, {"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {}})

    with pytest.raises(ClinicError, match=r"a round trains here now \(Job w48-train-a1\)"):
        cluster.preflight()
    assert cluster.jobs() == {"w48-train-a1"}


def test_an_interrupt_leaves_no_job(cluster: Cluster) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    ways = Ways(clock=lambda: 0.0, sleep=interrupted)
    with pytest.raises(KeyboardInterrupt):
        checks_made(cluster.api, INSTALLED, TRYING, ways, keep=False)
    assert cluster.jobs() == set()


def test_a_federation_on_this_machine_has_several_clinics(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clinic", "preflight", "--state", "somewhere"]) == 2

    assert "--state holds several clinics: name one" in capsys.readouterr().err


@pytest.mark.parametrize("size", ["16", "65", "528", "x"])
def test_a_size_that_no_model_has_is_refused(size: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["clinic", "preflight", "--image-size", size]) == 2


@pytest.mark.parametrize(
    ("allow_none", "result", "last"),
    [
        (True, CheckResult.OK, "clinic north is ready for a round"),
        (False, CheckResult.NOTE, "clinic north is ready, but its policy keeps it out of every round of this version"),
    ],
)
def test_a_policy_that_keeps_the_clinic_out_is_noted_and_is_no_failure(
    allow_none: bool, result: CheckResult, last: str
) -> None:
    installed = dataclasses.replace(INSTALLED, allow_none=allow_none)

    found = policy_check(installed)

    assert (found.name, found.result) == ("policy", result)
    assert ("takes part in no round of this version" in found.message) is not allow_none
    assert list(lines(installed, [("policy", found)]))[-1] == last
