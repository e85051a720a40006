"""The agent as a process against a real API server, with no more rights than it asks for, and Jobs as processes.

The Jobs' image is a script that reports what a Job owes: what is tried here is the agent, not the training.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from fedround_api.names import CLINIC_ROUND_UID_LABEL
from fedround_local.cluster import Cluster
from fedround_local.controlplane import ensure_controlplane
from fedround_local.processes import ProcessSpec
from fedround_operator.agent.rights import hub_rules, local_rules
from fedround_operator.agent.settings import ACCOUNT
from support.builders import BASE_DIGEST, UPDATE_DIGEST, make_clinic_round, make_lease, make_policy
from support.identities import make_secret
from support.running_cluster import RunningCluster

CRDS = Path(__file__).parents[2] / "crds"
AGENT = "agent"
HUB, LOCAL = "clinic-north", "north"
ACCOUNT_OBJECT = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ACCOUNT, "namespace": LOCAL}}

# Waits for a file named after its role, so that a test can act while the Job runs.
JOB = """
import json, os, pathlib, sys, time
role, given = sys.argv[1], json.loads(os.environ["FEDROUND_INPUT"])
gate = pathlib.Path({gates!r}) / role
while not gate.exists():
    time.sleep(0.02)
report = {{"role": role, "exitCode": 0, "message": "patient Jane Roe"}}
if role == "train":
    report |= {{"digest": {update!r}, "bytes": 770100, "steps": 24, "cases": 384}}
    report["locked"] = ["Files", "Network"]
else:
    report |= {{"digest": given["digest"], "bytes": given["bytes"]}}
pathlib.Path(os.environ["FEDROUND_REPORT"]).write_text(json.dumps(report))
"""


@dataclass
class Clinic:
    """The clinic, its agent's process, and the gates before its Jobs."""

    running: RunningCluster
    folder: Path

    def start_agent(self) -> None:
        options = {
            "clinic": "north",
            "hub-kubeconfig": self.folder / "hub.conf",
            "kubeconfig": self.folder / "local.conf",
            "namespace": LOCAL,
            "policy": self.folder / "policy.yaml",
            "image": "clinic",
        }
        argv = tuple(f"--{name}={value}" for name, value in options.items())
        spec = ProcessSpec(AGENT, (sys.executable, "-m", "fedround_operator.agent", *argv))
        self.running.cluster.processes.ensure_running(spec)

    def log(self) -> str:
        return (self.folder / "cluster" / "logs" / f"{AGENT}.log").read_text()

    def kill_agent(self) -> None:
        pid = self.running.cluster.processes.pid(AGENT)
        assert pid is not None
        os.kill(pid, 9)
        self.running.wait_for(lambda: not self.running.cluster.processes.alive(AGENT))

    def assign(self, name: str, **spec: Any) -> str:
        """Give the clinic a part; its UID."""
        deadline = datetime.now(UTC) + timedelta(minutes=10)
        part = make_clinic_round(name, spec={"deadlineAt": deadline.strftime("%Y-%m-%dT%H:%M:%SZ"), **spec})
        part["metadata"] = {"name": name, "namespace": HUB}
        self.running.apply(part)
        return str(self.part(name)["metadata"]["uid"])

    def part(self, name: str) -> Any:
        return self.running.get("clinicrounds", name, "-n", HUB)

    def outcome(self, name: str) -> str:
        conditions = self.part(name).get("status", {}).get("conditions", [])
        return next((f"{one['status']} {one['reason']}" for one in conditions if one["type"] == "Succeeded"), "")

    def jobs(self, uid: str) -> list[str]:
        """`role-attempt` of the part's Jobs."""
        found = self.running.get("jobs", "-n", LOCAL, "-l", f"{CLINIC_ROUND_UID_LABEL}={uid}")["items"]
        return sorted("-".join(job["metadata"]["name"].split("-")[-3::2]) for job in found)

    def let(self, *roles: str) -> None:
        for role in roles:
            (self.folder / "gates" / role).touch()

    def hold(self) -> None:
        for gate in (self.folder / "gates").iterdir():
            gate.unlink()


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    folder = tmp_path_factory.mktemp("clinic")
    (folder / "gates").mkdir()
    job = JOB.format(gates=str(folder / "gates"), update=UPDATE_DIGEST)
    (folder / "policy.yaml").write_text(yaml.safe_dump(make_policy()))
    binary = ensure_controlplane(print)
    cluster = Cluster(folder / "cluster", lambda: binary, unsafe_no_fsync=True)
    running = RunningCluster(cluster, binary, images={"clinic": [sys.executable, "-c", job]})
    try:
        running.start()
        _prepare(running, folder)
        clinic = Clinic(running, folder)
        # Before the kinds are served: an agent that does not wait for them never watches them.
        clinic.start_agent()
        running.wait_for(lambda: "resource=clinicrounds.fedround.dev reason=NotServed" in clinic.log())
        running.kubectl("apply", "-f", str(CRDS))
        running.kubectl("wait", "--for=condition=Established", "crd", "clinicrounds.fedround.dev", "--timeout=20s")
        yield clinic
    finally:
        cluster.processes.stop(AGENT)
        running.stop()


def _prepare(running: RunningCluster, folder: Path) -> None:
    for namespace in (HUB, LOCAL):
        running.kubectl("create", "namespace", namespace)
    running.apply(
        *_bound(HUB, "agent-on-the-hub", hub_rules()),
        *_bound(LOCAL, "agent-at-home", local_rules(ACCOUNT)),
        ACCOUNT_OBJECT,
        make_lease(),
        *(_claim(name) for name in ("workspace", "images")),
        # A Job's pod waits until key and certificate are there; what is in them is the gateway's business.
        make_secret(namespace=LOCAL, tls_key=b"key", tls_crt=b"certificate", ca_crt=b"authority"),
    )
    running.cluster.write_user(folder / "hub.conf", "agent-on-the-hub")
    running.cluster.write_user(folder / "local.conf", "agent-at-home")


def _bound(namespace: str, user: str, rules: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    group = "rbac.authorization.k8s.io"
    meta = {"name": "agent", "namespace": namespace}
    role = {"apiVersion": f"{group}/v1", "kind": "Role", "metadata": meta, "rules": rules}
    reference = {"apiGroup": group, "kind": "Role", "name": "agent"}
    subjects = [{"apiGroup": group, "kind": "User", "name": user}]
    binding = {
        "apiVersion": f"{group}/v1",
        "kind": "RoleBinding",
        "metadata": meta,
        "roleRef": reference,
        "subjects": subjects,
    }
    return role, binding


def _claim(name: str) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": "", "resources": {"requests": {"storage": "1Gi"}}}
    meta = {"name": name, "namespace": LOCAL}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": meta, "spec": spec}


def test_a_part_is_done_within_seconds_and_tells_an_allow_list_only(clinic: Clinic) -> None:
    clinic.let("fetch", "train", "submit")
    begun = time.monotonic()

    uid = clinic.assign("undisturbed")
    clinic.running.wait_for(lambda: clinic.outcome("undisturbed") == "True Submitted", 30)

    print(f"a part with empty Jobs took {time.monotonic() - begun:.1f} s")
    assert clinic.jobs(uid) == ["fetch-a1", "submit-a1", "train-a1"]
    status = clinic.part("undisturbed")["status"]
    trained = {"updateDigest": UPDATE_DIGEST, "updateBytes": 770100}
    assert status["result"] == {**trained, "locked": ["Files", "Network"]}
    assert "Jane" not in json.dumps(status)


def test_the_lease_is_renewed_by_the_running_agent(clinic: Clinic) -> None:
    clinic.start_agent()

    def annotations() -> Any:
        return clinic.running.get("lease", "agent", "-n", HUB)["metadata"].get("annotations", {})

    clinic.running.wait_for(lambda: annotations().get("fedround.dev/case-volume") == "1200")


@pytest.mark.parametrize("role", ["fetch", "train", "submit"])
def test_an_agent_that_is_killed_while_a_job_runs_goes_on_where_it_was(clinic: Clinic, role: str) -> None:
    clinic.start_agent()
    clinic.hold()
    clinic.let(*({"fetch", "train", "submit"} - {role}))
    name = f"killed-in-{role}"
    uid = clinic.assign(name)
    clinic.running.wait_for(lambda: f"{role}-a1" in clinic.jobs(uid), 30)

    clinic.kill_agent()
    clinic.let(role)
    clinic.start_agent()

    clinic.running.wait_for(lambda: clinic.outcome(name) == "True Submitted", 30)
    assert clinic.jobs(uid) == ["fetch-a1", "submit-a1", "train-a1"]


def test_a_closed_round_removes_the_running_job(clinic: Clinic) -> None:
    clinic.start_agent()
    clinic.hold()
    uid = clinic.assign("closed")
    clinic.running.wait_for(lambda: clinic.jobs(uid) == ["fetch-a1"])

    clinic.running.kubectl("patch", "cr", "closed", "-n", HUB, "--type=merge", '-p={"spec":{"closed":true}}')

    clinic.running.wait_for(lambda: clinic.outcome("closed") == "False RoundClosed")
    clinic.running.wait_for(lambda: clinic.jobs(uid) == [])


def test_jobs_and_their_pods_end_with_the_account_of_the_agent_and_new_ones_belong_to_the_new_account(
    clinic: Clinic,
) -> None:
    clinic.start_agent()
    clinic.hold()
    uid = clinic.assign("uninstalled")
    clinic.running.wait_for(lambda: clinic.jobs(uid) == ["fetch-a1"])
    pods = ("pods", "-n", LOCAL, "-l", f"{CLINIC_ROUND_UID_LABEL}={uid}")
    clinic.running.wait_for(lambda: clinic.running.get(*pods)["items"])

    clinic.running.kubectl("delete", "serviceaccount", ACCOUNT, "-n", LOCAL)
    clinic.running.wait_for(lambda: clinic.jobs(uid) == [] and clinic.running.get(*pods)["items"] == [], 30)
    clinic.running.apply(ACCOUNT_OBJECT)
    clinic.let("fetch", "train", "submit")

    clinic.running.wait_for(lambda: clinic.outcome("uninstalled") == "True Submitted", 90)


def test_a_hub_that_was_away_is_found_again(clinic: Clinic) -> None:
    clinic.start_agent()
    clinic.hold()
    uid = clinic.assign("away")
    clinic.running.wait_for(lambda: clinic.jobs(uid) == ["fetch-a1"])

    clinic.running.cluster.stop()
    clinic.let("fetch", "train", "submit")
    time.sleep(2)
    clinic.running.cluster.start()

    clinic.running.wait_for(lambda: clinic.outcome("away") == "True Submitted", 60)
    assert clinic.running.cluster.processes.alive(AGENT)
    assert BASE_DIGEST in json.dumps(clinic.part("away")["spec"])
