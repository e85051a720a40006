"""The embedded control plane and its process node: real API server, real Job controller, pods as local processes."""

import base64
import json
import os
import signal
import socket
import ssl
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil
import pytest

from fedround_local.cluster import Cluster
from fedround_local.cluster_flags import Ports
from fedround_local.errors import PortOccupied
from support.running_cluster import NODE, RunningCluster, make_job

pytest_plugins = ("support.cluster_fixture",)

_FAIL_ON_42 = {
    "backoffLimit": 3,
    "podFailurePolicy": {
        "rules": [{"action": "FailJob", "onExitCodes": {"containerName": "main", "operator": "In", "values": [42]}}]
    },
}


def _terminated(pod: dict[str, Any]) -> dict[str, Any]:
    terminated: dict[str, Any] = pod["status"]["containerStatuses"][0]["state"]["terminated"]
    return terminated


def test_a_job_runs_to_complete_and_leaves_its_termination_message(cluster: RunningCluster) -> None:
    cluster.apply(make_job("says-done", 'echo \'{"ok":1}\' >"$MESSAGE"', env=_env(MESSAGE="/dev/termination-log")))

    assert cluster.finished("says-done")["type"] == "Complete"
    pod = cluster.ended_pod("says-done")
    assert pod["status"]["phase"] == "Succeeded"
    assert _terminated(pod)["exitCode"] == 0
    assert _terminated(pod)["reason"] == "Completed"
    assert _terminated(pod)["message"] == '{"ok":1}\n'


def test_exit_42_fails_the_job_by_its_policy_without_a_retry(cluster: RunningCluster) -> None:
    cluster.apply(make_job("exits-42", "echo the reason; exit 42", spec=_FAIL_ON_42, container=_FALLBACK))

    condition = cluster.finished("exits-42")
    assert (condition["type"], condition["reason"]) == ("Failed", "PodFailurePolicy")
    assert len(cluster.get("pods", "-l", "job-name=exits-42")["items"]) == 1
    assert _terminated(cluster.ended_pod("exits-42"))["message"] == "the reason"


def test_another_exit_code_is_retried_by_the_job_controller(cluster: RunningCluster, tmp_path: Path) -> None:
    script = f"test -e {tmp_path}/again || {{ touch {tmp_path}/again; exit 7; }}"
    cluster.apply(make_job("second-time", script, spec={"backoffLimit": 1}))

    cluster.wait_for(lambda: len(cluster.get("pods", "-l", "job-name=second-time")["items"]) == 2, 30)
    assert cluster.finished("second-time")["type"] == "Complete"


def test_a_process_over_its_memory_limit_is_killed_and_called_oom_killed(cluster: RunningCluster) -> None:
    script = f"{sys.executable} -c 'x = bytearray(300 << 20); import time; time.sleep(60)'; exit 0"
    cluster.apply(make_job("too-big", script, resources={"limits": {"memory": "128Mi"}}))

    terminated = _terminated(cluster.ended_pod("too-big"))
    assert (terminated["exitCode"], terminated["reason"]) == (137, "OOMKilled")


def test_secrets_config_maps_and_claims_reach_the_process_as_env_and_folders(cluster: RunningCluster) -> None:
    cluster.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "stringData": {"token": "s3cret"}},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a.yaml": "x: 1"}},
        _claim("workspace"),
    )
    env = [
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "token"}}},
        {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        *_env(KEYS="/keys", SETTINGS="/etc/settings/a.yaml", WORK="/work/out", OUT="$(WORK)/result"),
    ]
    mounts = [
        {"name": "keys", "mountPath": "/keys", "readOnly": True},
        {"name": "settings", "mountPath": "/etc/settings"},
        {"name": "workspace", "mountPath": "/work", "subPath": "north"},
        {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108,
    ]
    volumes = [
        {"name": "keys", "secret": {"secretName": "keys"}},
        {"name": "settings", "configMap": {"name": "settings"}},
        {"name": "workspace", "persistentVolumeClaim": {"claimName": "workspace"}},
        {"name": "scratch", "emptyDir": {}},
    ]
    script = 'mkdir -p "$WORK" && echo "$TOKEN $(cat "$KEYS/token") $(cat "$SETTINGS") $TMPDIR" >"$OUT"'
    cluster.apply(make_job("reads-all", script, env=env, mounts=mounts, volumes=volumes))

    assert cluster.finished("reads-all")["type"] == "Complete"
    uid = cluster.pod_of("reads-all")["metadata"]["uid"]
    written = (cluster.cluster.state / "node/volumes/default/workspace/north/out/result").read_text()
    assert written == f"s3cret s3cret x: 1 {cluster.cluster.state}/node/pods/{uid}/volumes/scratch\n"
    assert cluster.get("pvc", "workspace")["status"]["phase"] == "Bound"
    cluster.kubectl("delete", "job/reads-all", "pvc/workspace", "--timeout=20s")
    assert (cluster.cluster.state / "node/volumes/default/workspace/north/out/result").exists()


def test_a_pod_waits_for_a_missing_secret_and_starts_when_it_comes(cluster: RunningCluster) -> None:
    env = [{"name": "LATE", "valueFrom": {"secretKeyRef": {"name": "late", "key": "value"}}}]
    cluster.apply(make_job("waits-for-secret", 'test "$LATE" = here', env=env))
    waiting = cluster.wait_for(lambda: _waiting(cluster.pod_of("waits-for-secret")))
    assert waiting == {"reason": "CreateContainerConfigError", "message": 'secret "late" not found'}

    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "late"}, "stringData": {"value": "here"}}
    cluster.apply(secret)

    assert cluster.finished("waits-for-secret")["type"] == "Complete"


def test_an_unknown_image_and_an_unsupported_volume_are_said(cluster: RunningCluster) -> None:
    volumes = [{"name": "host", "hostPath": {"path": "/"}}]
    cluster.apply(
        make_job("unknown-image", "true", container={"image": "docker.io/library/busybox:1"}),
        make_job("host-path", "true", volumes=volumes),
    )

    waiting = cluster.wait_for(lambda: _waiting(cluster.pod_of("unknown-image")))
    assert waiting["reason"] == "ErrImageNeverPull"
    assert waiting["message"] == 'image "docker.io/library/busybox:1" is none of this node\'s: shell'
    waiting = cluster.wait_for(lambda: _waiting(cluster.pod_of("host-path")))
    assert waiting["message"] == "the process node does not support the kind of volume host"
    cluster.kubectl("delete", "job", "unknown-image", "host-path")


def test_deleting_a_job_ends_its_process_and_the_children_of_it(cluster: RunningCluster, tmp_path: Path) -> None:
    stubborn = f"trap '' TERM; sleep 1000 & echo $! $$$$ >{tmp_path}/pids; wait; wait"
    cluster.apply(make_job("endless", stubborn))
    cluster.running_pod("endless")
    pids = [int(one) for one in cluster.wait_for(lambda: _text(tmp_path / "pids")).split()]
    folder = cluster.cluster.state / "node/pods" / cluster.pod_of("endless")["metadata"]["uid"]

    cluster.kubectl("delete", "job", "endless", "--timeout=20s")

    cluster.wait_for(lambda: not any(_alive(pid) for pid in pids))
    cluster.wait_for(lambda: cluster.pod_of("endless") is None)
    cluster.wait_for(lambda: not folder.exists())


def test_pods_beyond_the_cpus_wait_their_turn_and_small_ones_pass(cluster: RunningCluster, tmp_path: Path) -> None:
    script = f"until test -e {tmp_path}/go; do sleep 0.05; done"
    whole = {"requests": {"cpu": "1"}}
    cluster.apply(*(make_job(f"trainer-{number}", script, resources=whole) for number in (1, 2)))
    cluster.running_pod("trainer-1")
    cluster.running_pod("trainer-2")
    cluster.apply(make_job("trainer-3", script, resources=whole), make_job("small", "true"))

    assert cluster.finished("small")["type"] == "Complete"
    scheduled = cluster.wait_for(lambda: _condition(cluster.pod_of("trainer-3"), "PodScheduled"))
    assert (scheduled["reason"], scheduled["message"]) == (
        "Unschedulable",
        "0/1 nodes are available: 1 Insufficient cpu.",
    )
    (tmp_path / "go").touch()
    assert cluster.finished("trainer-3")["type"] == "Complete"


def test_kubectl_logs_shows_follows_and_tails(cluster: RunningCluster, tmp_path: Path) -> None:
    script = f"echo one; echo two >&2; until test -e {tmp_path}/go; do sleep 0.05; done; echo three"
    cluster.apply(make_job("talks", script))
    name = cluster.running_pod("talks")["metadata"]["name"]
    assert cluster.wait_for(lambda: cluster.kubectl("logs", name)) == "one\ntwo\n"
    (tmp_path / "go").touch()

    assert cluster.kubectl("logs", "--follow", name) == "one\ntwo\nthree\n"
    assert cluster.kubectl("logs", "--tail=1", name) == "three\n"


def test_the_log_endpoint_answers_only_the_api_server(cluster: RunningCluster) -> None:
    port = cluster.get("nodes", "local")["status"]["daemonEndpoints"]["kubeletEndpoint"]["Port"]
    pki = cluster.cluster.state / "pki"
    nobody = ssl.create_default_context(cafile=str(pki / "ca.crt"))
    with pytest.raises(OSError, match=r"certificate required|closed|reset|EOF"):
        urllib.request.urlopen(f"https://127.0.0.1:{port}/containerLogs/a/b/c", context=nobody, timeout=5).read()
    nobody.load_cert_chain(pki / "admin.crt", pki / "admin.key")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"https://127.0.0.1:{port}/containerLogs/a/b/c", context=nobody, timeout=5)


def test_without_a_certificate_the_api_server_says_nothing(cluster: RunningCluster) -> None:
    anybody = ssl.create_default_context(cafile=str(cluster.cluster.state / "pki/ca.crt"))
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(f"{cluster.cluster.server}/version", context=anybody, timeout=5)  # noqa: S310


def test_a_killed_node_finds_its_running_pod_again(cluster: RunningCluster, tmp_path: Path) -> None:
    cluster.apply(make_job("outlives", f"echo $$$$ >{tmp_path}/pid; until test -e {tmp_path}/go; do sleep 0.05; done"))
    cluster.running_pod("outlives")
    pid = int(cluster.wait_for(lambda: _text(tmp_path / "pid")))

    _kill(cluster, NODE)
    assert _alive(pid)
    cluster.start_node()
    (tmp_path / "go").touch()

    assert cluster.finished("outlives")["type"] == "Complete"
    assert len(cluster.get("pods", "-l", "job-name=outlives")["items"]) == 1


def test_an_exit_while_the_node_is_away_is_reported_when_it_is_back(cluster: RunningCluster, tmp_path: Path) -> None:
    cluster.apply(make_job("ends-unseen", f"until test -e {tmp_path}/go; do sleep 0.05; done; exit 9"))
    uid = cluster.running_pod("ends-unseen")["metadata"]["uid"]

    _kill(cluster, NODE)
    (tmp_path / "go").touch()
    cluster.wait_for((cluster.cluster.state / "node/pods" / uid / "exit-code").exists)
    cluster.start_node()

    terminated = _terminated(cluster.ended_pod("ends-unseen"))
    assert (terminated["exitCode"], terminated["reason"]) == (9, "Error")


def test_a_pod_whose_process_is_lost_with_the_node_fails_as_unknown(cluster: RunningCluster, tmp_path: Path) -> None:
    cluster.apply(make_job("lost", f"echo $PPID >{tmp_path}/shell; sleep 1000"))
    cluster.running_pod("lost")
    shell = int(cluster.wait_for(lambda: _text(tmp_path / "shell")))

    _kill(cluster, NODE)
    os.killpg(shell, signal.SIGKILL)
    cluster.start_node()

    terminated = _terminated(cluster.ended_pod("lost"))
    assert (terminated["exitCode"], terminated["reason"]) == (137, "ContainerStatusUnknown")


def test_a_pod_outlives_a_killed_api_server_and_its_end_is_reported_later(
    cluster: RunningCluster, tmp_path: Path
) -> None:
    cluster.apply(make_job("api-away", f"until test -e {tmp_path}/go; do sleep 0.05; done; exit 3"))
    uid = cluster.running_pod("api-away")["metadata"]["uid"]

    for name in ("kube-apiserver", "kube-controller-manager"):
        _kill(cluster, name)
    (tmp_path / "go").touch()
    cluster.wait_for((cluster.cluster.state / "node/pods" / uid / "exit-code").exists)
    cluster.cluster.start()

    assert _terminated(cluster.ended_pod("api-away"))["exitCode"] == 3
    assert cluster.finished("api-away")["type"] == "Failed"


def test_an_interrupted_start_leaves_nothing_running(tmp_path: Path) -> None:
    never_ready = tmp_path / "controlplane"
    never_ready.write_text("#!/bin/sh\nexec sleep 100\n")
    never_ready.chmod(0o755)
    cluster = Cluster(tmp_path / "state", lambda: never_ready)

    def interrupt(line: str) -> None:
        assert line == "waiting for the Kubernetes API server"
        assert cluster.status()["etcd"]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cluster.start(interrupt)
    assert not any(cluster.status().values())


def test_a_restart_of_everything_keeps_objects_and_tokens(cluster: RunningCluster) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/service-account-token",
        "metadata": {"name": "kept-token", "annotations": {"kubernetes.io/service-account.name": "default"}},
    }
    cluster.apply(secret, make_job("kept", "exit 0"))
    assert cluster.finished("kept")["type"] == "Complete"
    before = cluster.wait_for(lambda: cluster.get("secret", "kept-token").get("data", {}).get("token"))

    cluster.stop()
    assert cluster.cluster.status() == {
        "etcd": False,
        "kube-apiserver": False,
        "kube-controller-manager": False,
        "ready": False,
    }
    cluster.start()

    assert cluster.finished("kept")["type"] == "Complete"
    assert cluster.get("secret", "kept-token")["data"]["token"] == before
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": {"token": _decoded(before)}}
    answer = json.loads(cluster.kubectl("create", "-f", "-", "-o", "json", stdin=json.dumps(review)))
    assert answer["status"]["user"]["username"] == "system:serviceaccount:default:default"
    cluster.apply(make_job("after-restart", "exit 0"))
    assert cluster.finished("after-restart")["type"] == "Complete"


def test_a_restricted_namespace_takes_our_jobs_and_refuses_others(cluster: RunningCluster) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    cluster.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tight", "labels": labels}})
    cluster.wait_for(lambda: cluster.kubectl("get", "-n", "tight", "sa", "--no-headers"))
    spec = make_job("fine", "true")["spec"]["template"]["spec"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "fine", "namespace": "tight"}, "spec": spec}
    cluster.apply(pod)
    cluster.wait_for(lambda: cluster.get("-n", "tight", "pod", "fine")["status"]["phase"] == "Succeeded")

    container = {**spec["containers"][0], "securityContext": {}}
    loose = {**pod, "metadata": {"name": "loose", "namespace": "tight"}, "spec": {**spec, "containers": [container]}}
    with pytest.raises(AssertionError, match='violates PodSecurity "restricted'):
        cluster.apply(loose)
    cluster.kubectl("delete", "namespace", "tight", "--timeout=30s")


def test_a_start_on_an_occupied_port_says_whose_it_was(cluster: RunningCluster, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        other = Cluster(tmp_path, lambda: cluster.binary, Ports(etcd=1, etcd_peer=2, api=port))
        with pytest.raises(PortOccupied, match=rf"port {port} on 127\.0\.0\.1.*for kube-apiserver"):
            other.start()
    assert other.status()["etcd"] is False


_FALLBACK = {"terminationMessagePolicy": "FallbackToLogsOnError"}


def _env(**values: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def _claim(name: str) -> dict[str, Any]:
    resources = {"requests": {"storage": "1Gi"}}
    spec = {"accessModes": ["ReadWriteOnce"], "resources": resources}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name}, "spec": spec}


def _waiting(pod: dict[str, Any] | None) -> dict[str, Any] | None:
    statuses = (pod or {}).get("status", {}).get("containerStatuses", [])
    return statuses[0]["state"].get("waiting") if statuses else None


def _condition(pod: dict[str, Any] | None, kind: str) -> dict[str, Any] | None:
    conditions = (pod or {}).get("status", {}).get("conditions", [])
    return next((one for one in conditions if one["type"] == kind), None)


def _alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _text(path: Path) -> str | None:
    return path.read_text().strip() or None if path.exists() else None


def _decoded(value: str) -> str:
    return base64.b64decode(value).decode()


def _kill(cluster: RunningCluster, name: str) -> None:
    pid = cluster.cluster.processes.pid(name)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    cluster.wait_for(lambda: not cluster.cluster.processes.alive(name))
