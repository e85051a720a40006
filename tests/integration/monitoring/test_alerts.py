"""Each alert by itself: what makes it due and what does not, decided by Prometheus' own tester of rules."""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from fedround_monitoring.alerts import BOTH, CLINIC, HUB, Alert, groups
from support.prometheus_server import program

DAY = 86_400
ALL = (*HUB, *CLINIC, *BOTH)
MODEL = '{network="skin-network", model="skin-lesion"}'
ROUND = '{network="skin-network", model="skin-lesion", round="w48"}'
WITH_MODEL = {"network": "skin-network", "model": "skin-lesion"}
HUB_RELEASE, CLINIC_RELEASE = {"namespace": "fedround-system"}, {"namespace": "fedround"}
INSTANCE = {"instance": "a"}


@dataclass(frozen=True)
class Case:
    """Series that begin at 0 with a value a minute (promtool's notation), and what is due after some time.

    ``due`` has the labels of the alert but for its severity; None is that nothing is due.
    """

    alert: str
    says: str
    series: Mapping[str, str]
    after: str
    due: Mapping[str, str] | None
    severity: str = field(default="warning")


def ending(alert: str, metric: str, labels: str, due: Mapping[str, str]) -> list[Case]:
    """At minute 30 a certificate has this many days left."""

    def at(days: float) -> Mapping[str, str]:
        return {f"{metric}{labels}": f"{int(days * DAY) + 1800}x40"}

    return [
        Case(alert, "with 22 days left nothing is due", at(22), "30m", None),
        Case(alert, "with 20 days left a warning is due", at(20), "30m", due),
        Case(alert, "with 8 days left nothing critical is due", at(8), "30m", None, "critical"),
        Case(alert, "with 6 days left it is critical", at(6), "30m", due, "critical"),
        Case(alert, "one that has ended 20 minutes ago is critical", at(-1 / 72), "30m", due, "critical"),
        Case(alert, "one that was not seen yet is none", {f"{metric}{labels}": "0x40"}, "30m", None, "critical"),
    ]


WATCH = 'fedround_watch_last_answer_timestamp_seconds{resource="clinics", instance="a"}'
ERRORS = 'fedround_reconciles_total{kind="Clinic", result="error", instance="a"}'
REFUSED = 'fedround_status_write_errors_total{resource="clinics", code="%s", instance="a"}'
FAILED_JOBS = 'fedround_job_duration_seconds_count{role="train", outcome="Failed", instance="a"}'
ENDED = 'fedround_rounds_total{network="skin-network", model="skin-lesion", outcome="%s"}'
STATE = 'fedround_clinic_state{clinic="north", state="%s"}'
AVAILABLE = 'fedround_model_round_clinics{network="skin-network", model="skin-lesion", state="Available"}'
IN_A_ROW = f"fedround_model_rollbacks_in_a_row{MODEL}"
MINIMUM = f"fedround_model_round_clinics_minimum{MODEL}"
HEARTBEAT = 'fedround_agent_last_heartbeat_timestamp_seconds{namespace="fedround", instance="a"}'
OTHER_AGENT = 'fedround_agent_last_heartbeat_timestamp_seconds{namespace="other", instance="b"}'
LEADER = 'fedround_leader{namespace="fedround-system", instance="a"}'
SECOND_LEADER = 'fedround_leader{namespace="fedround-system", instance="b"}'
OTHER_HUB = 'fedround_leader{namespace="trial", instance="c"}'
SET_ASIDE = 'fedround_clinic_images_quarantined{cause="%s", instance="a"}'


def waits(short: int, long: int) -> Mapping[str, str]:
    """Keys a minute that found a worker at once, and that waited for half a minute."""
    return {
        'fedround_queue_wait_seconds_bucket{le="0.01", instance="a"}': f"0+{short}x60",
        'fedround_queue_wait_seconds_bucket{le="30", instance="a"}': f"0+{short + long}x60",
        'fedround_queue_wait_seconds_bucket{le="+Inf", instance="a"}': f"0+{short + long}x60",
    }


def phase(begins: int, ends: int) -> Mapping[str, str]:
    """A phase of a round between two seconds."""
    return {
        f"fedround_round_phase_start_timestamp_seconds{ROUND}": f"{begins}x600",
        f"fedround_round_deadline_timestamp_seconds{ROUND}": f"{ends}x600",
    }


CASES = [
    Case("FedroundWatchStale", "a watch that is answered each minute is well", {WATCH: "0+60x30"}, "20m", None),
    Case("FedroundWatchStale", "one that was answered at 0 only is stale after 7 minutes", {WATCH: "0x30"}, "8m",
         {"resource": "clinics", **INSTANCE}),
    Case("FedroundReconcileErrors", "an error now and then is nothing", {ERRORS: "0+1x60"}, "50m", None),
    Case("FedroundReconcileErrors", "two a minute are a key that keeps failing", {ERRORS: "0+2x60"}, "50m",
         {"kind": "Clinic", **INSTANCE}),
    Case("FedroundStatusWritesRefused", "conflicts are harmless", {REFUSED % "409": "0+3x60"}, "50m", None),
    Case("FedroundStatusWritesRefused", "what the schema refuses is a defect", {REFUSED % "422": "0+1x60"}, "50m",
         {"resource": "clinics", "code": "422", **INSTANCE}),
    Case("FedroundStatusWritesRefused", "the first one is told too", {REFUSED % "422": "0x40 1x20"}, "50m",
         {"resource": "clinics", "code": "422", **INSTANCE}),
    Case("FedroundQueueWaitLong", "one long wait among twenty keys is nothing", waits(19, 1), "50m", None),
    Case("FedroundQueueWaitLong", "one long wait among five keys is", waits(4, 1), "50m", INSTANCE),
    Case("FedroundJobsFailing", "two failures in an hour are repeated by themselves", {FAILED_JOBS: "0 1 2x57"}, "59m",
         None),
    Case("FedroundJobsFailing", "nor are two after five on another day", {FAILED_JOBS: "5x102 6 7x58"}, "160m30s",
         None),
    Case("FedroundJobsFailing", "the third within an hour is told", {FAILED_JOBS: "0 1 2 3x56"}, "59m",
         {"role": "train", **INSTANCE}),
    Case("FedroundJobsFailing", "three after five on another day are told", {FAILED_JOBS: "5x102 6 7 8x57"}, "160m30s",
         {"role": "train", **INSTANCE}),
    Case("FedroundOperatorDown", "one that waits for the Lease is not down", {LEADER: "0x60"}, "10m", None, "critical"),
    Case("FedroundOperatorDown", "no answer for 5 minutes is", {LEADER: "1x3 stale"}, "10m", HUB_RELEASE, "critical"),
    Case("FedroundOperatorDown", "that another hub's operator answers does not hide it",
         {LEADER: "1x3 stale", OTHER_HUB: "1x60"}, "10m", HUB_RELEASE, "critical"),
    Case("FedroundOperatorDown", "another hub's is not told here", {LEADER: "1x60", OTHER_HUB: "1x3 stale"}, "10m",
         None, "critical"),
    Case("FedroundOperatorNotLeader", "one of two that leads is enough", {LEADER: "0x60", SECOND_LEADER: "1x60"}, "10m",
         None, "critical"),
    Case("FedroundOperatorNotLeader", "none that leads is told", {LEADER: "0x60"}, "10m", HUB_RELEASE, "critical"),
    Case("FedroundOperatorNotLeader", "that another hub's leads does not hide it", {LEADER: "0x60", OTHER_HUB: "1x60"},
         "10m", HUB_RELEASE, "critical"),
    Case("FedroundOperatorNotLeader", "another hub's is not told here", {LEADER: "1x60", OTHER_HUB: "0x60"}, "10m",
         None, "critical"),
    Case("FedroundRoundFailed", "a promotion is no failure", {ENDED % "Promoted": "0 0 1x60"}, "20m", None),
    Case("FedroundRoundFailed", "a failure is told", {ENDED % "Failed": "0 0 1x60"}, "20m", WITH_MODEL),
    Case("FedroundRoundFailed", "and not for more than an hour", {ENDED % "Failed": "0 0 1x120"}, "90m", None),
    Case("FedroundRoundNearDeadline", "with a fifth of its time left a phase is well", phase(0, 28_800), "384m", None),
    Case("FedroundRoundNearDeadline", "with a twentieth it is told", phase(0, 28_800), "456m",
         {"round": "w48", **WITH_MODEL}),
    Case("FedroundRollback", "a promotion is no rollback", {ENDED % "Promoted": "0 0 1x60"}, "20m", None, "info"),
    Case("FedroundRollback", "a rollback is told", {ENDED % "RolledBack": "0 0 1x60"}, "20m", WITH_MODEL, "info"),
    Case("FedroundRollbacksInARow", "two may happen", {IN_A_ROW: "2x60"}, "9m", None),
    Case("FedroundRollbacksInARow", "three are told", {IN_A_ROW: "3x60"}, "9m", WITH_MODEL),
    Case("FedroundClinicUnavailable", "a clinic that is back after 10 minutes is nothing",
         {STATE % "Unavailable": "1x10 0x50"}, "18m", None),
    Case("FedroundClinicUnavailable", "one that was suspended is none", {STATE % "Suspended": "1x60"}, "50m", None),
    Case("FedroundClinicUnavailable", "one that stays away is told", {STATE % "Unavailable": "1x60"}, "18m",
         {"clinic": "north", "state": "Unavailable"}),
    Case("FedroundTooFewClinics", "as many as it needs is enough",
         {AVAILABLE: "3x60", MINIMUM: "3x60"}, "10m", None),
    Case("FedroundTooFewClinics", "fewer are told", {AVAILABLE: "2x60", MINIMUM: "3x60"}, "10m",
         WITH_MODEL),
    Case("FedroundAgentDown", "an agent that answers is not down", {HEARTBEAT: "0x60"}, "10m", None, "critical"),
    Case("FedroundAgentDown", "no answer for 5 minutes is", {HEARTBEAT: "0x3 stale"}, "10m", CLINIC_RELEASE,
         "critical"),
    Case("FedroundAgentDown", "that another clinic's agent answers does not hide it",
         {HEARTBEAT: "0x3 stale", OTHER_AGENT: "0x60"}, "10m", CLINIC_RELEASE, "critical"),
    Case("FedroundAgentDown", "another clinic's is not told here", {HEARTBEAT: "0x60", OTHER_AGENT: "0x3 stale"}, "10m",
         None, "critical"),
    Case("FedroundAgentCannotReachHub", "a renewal a minute ago is well",
         {HEARTBEAT: "0+60x60"}, "30m", None),
    Case("FedroundAgentCannotReachHub", "none for 5 minutes is told when it lasts",
         {HEARTBEAT: "0x60"}, "12m", {**CLINIC_RELEASE, **INSTANCE}),
    Case("FedroundImagesSetAside", "one in a hundred is usual",
         {SET_ASIDE % "Damaged": "1x60", 'fedround_clinic_training_cases{instance="a"}': "99x60"}, "9m", None),
    Case("FedroundImagesSetAside", "all causes count together",
         {SET_ASIDE % "Damaged": "3x60", SET_ASIDE % "TooSmall": "3x60",
          'fedround_clinic_training_cases{instance="a"}': "94x60"}, "9m", INSTANCE),
    *ending("FedroundClinicCertificateEnding", "fedround_clinic_certificate_expiry_timestamp_seconds",
            '{clinic="north"}', {"clinic": "north"}),
    *ending("FedroundAgentCertificateEnding", "fedround_agent_certificate_expiry_timestamp_seconds",
            '{instance="a"}', INSTANCE),
    *ending("FedroundGatewayCertificateEnding", "fedround_agent_gateway_certificate_expiry_timestamp_seconds",
            '{instance="a"}', INSTANCE),
    *ending("FedroundHubGatewayCertificateEnding", "fedround_gateway_certificate_expiry_timestamp_seconds",
            '{instance="a"}', INSTANCE),
]  # fmt: skip


def alert_of(case: Case) -> Alert:
    (found,) = [one for one in ALL if (one.name, one.severity) == (case.alert, case.severity)]
    return found


def test_every_alert_has_a_case_where_it_is_due_and_one_where_it_is_not() -> None:
    wanted = {(one.name, one.severity.value, due) for one in ALL for due in (True, False)}

    assert {(case.alert, case.severity, case.due is not None) for case in CASES} == wanted


@pytest.mark.parametrize("case", [case for case in CASES if case.due is not None], ids=lambda case: case.alert)
def test_a_summary_names_only_labels_that_the_alert_has(case: Case) -> None:
    assert set(re.findall(r"\$labels\.(\w+)", alert_of(case).summary)) <= set(case.due or {})


def files_of(case: Case, folder: Path) -> Path:
    """The case and its rule as the tester reads them; without annotations, which it would compare too."""
    rules = groups("tested", (alert_of(case),))
    for rule in rules["groups"][0]["rules"]:
        del rule["annotations"]
    (folder / "rules.yaml").write_text(yaml.safe_dump(rules))
    labels = {"severity": case.severity, **(case.due or {})}
    expected = [] if case.due is None else [{"exp_labels": labels}]
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in case.series.items()],
        "alert_rule_test": [{"eval_time": case.after, "alertname": case.alert, "exp_alerts": expected}],
    }
    path = folder / "case.yaml"
    path.write_text(yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": "30s", "tests": [test]}))
    return path


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the tester says of each case; it is started once, since its start costs more than a case."""
    folder = tmp_path_factory.mktemp("alerts")
    paths = []
    for number, case in enumerate(CASES):
        (folder / str(number)).mkdir()
        paths.append(files_of(case, folder / str(number)))
    done = subprocess.run(
        [program("promtool"), "test", "rules", *paths], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False
    )
    _, *found = done.stdout.decode().split("Unit Testing:")
    return found


@pytest.mark.parametrize("number", range(len(CASES)), ids=[f"{one.alert} {one.severity}: {one.says}" for one in CASES])
def test_an_alert_is_due_when_it_should_be_and_not_else(number: int, said: list[str]) -> None:
    assert said[number].split()[1:] == ["SUCCESS"], said[number]
