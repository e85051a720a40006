"""What the process node keeps on disk: volumes, sandboxes with real processes, logs."""

import base64
import signal
import stat
from pathlib import Path
from typing import Any

import pytest

from fedround_local.node.launch import Launch
from fedround_local.node.logs import common_name, log_chunks, tail_start
from fedround_local.node.memory import bound_log
from fedround_local.node.pod import Json, Unmet
from fedround_local.node.sandbox import Sandbox, kill_all, sandboxes
from fedround_local.node.volumes import Volumes
from support.pods import make_pod

_OBJECTS: dict[tuple[str, str], Json] = {
    ("secrets", "keys"): {"kind": "Secret", "data": {"a": base64.b64encode(b"\x00A").decode(), "b": "Qg=="}},
    ("configmaps", "settings"): {"kind": "ConfigMap", "data": {"x.yaml": "x: 1"}, "binaryData": {"y": "WQ=="}},
    ("persistentvolumeclaims", "workspace"): {"kind": "PersistentVolumeClaim"},
}


def _read(resource: str, namespace: str, name: str) -> Json | None:
    assert namespace == "clinic-north"
    return _OBJECTS.get((resource, name))


def _mount(state: Path, source: dict[str, Any], **mount: str) -> Path:
    pod = make_pod(
        volumes=[{"name": "one", **source}],
        container={"volumeMounts": [{"name": "one", "mountPath": "/one", **mount}]},
    )
    return Volumes(state, _read).mount(pod, state / "pods" / pod.uid)["/one"]


def test_a_secret_is_a_folder_of_files_for_its_owner_only(tmp_path: Path) -> None:
    folder = _mount(tmp_path, {"secret": {"secretName": "keys"}})
    assert (folder / "a").read_bytes() == b"\x00A"
    assert (folder / "b").read_bytes() == b"B"
    assert stat.S_IMODE((folder / "a").stat().st_mode) == 0o600


def test_items_choose_and_rename_keys(tmp_path: Path) -> None:
    source = {"secret": {"secretName": "keys", "items": [{"key": "b", "path": "tls/b.key"}]}}
    folder = _mount(tmp_path, source)
    assert [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()] == ["tls/b.key"]


def test_a_config_map_has_text_and_bytes(tmp_path: Path) -> None:
    folder = _mount(tmp_path, {"configMap": {"name": "settings"}})
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"x.yaml": b"x: 1", "y": b"Y"}


def test_a_claim_is_one_folder_for_all_pods_of_a_namespace(tmp_path: Path) -> None:
    source = {"persistentVolumeClaim": {"claimName": "workspace"}}
    assert _mount(tmp_path, source) == tmp_path / "volumes/clinic-north/workspace"
    inner = _mount(tmp_path, source, subPath="a/b")
    assert inner == tmp_path / "volumes/clinic-north/workspace/a/b"
    assert inner.is_dir()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"secret": {"secretName": "none"}}, 'secret "none" not found'),
        ({"configMap": {"name": "none"}}, 'configmap "none" not found'),
        ({"persistentVolumeClaim": {"claimName": "none"}}, 'persistentvolumeclaim "none" not found'),
        (
            {"secret": {"secretName": "keys", "items": [{"key": "c", "path": "c"}]}},
            "couldn't find key c in secret keys",
        ),
    ],
)
def test_what_a_volume_lacks_is_said(tmp_path: Path, source: dict[str, Any], message: str) -> None:
    with pytest.raises(Unmet) as caught:
        _mount(tmp_path, source)
    assert (caught.value.reason, caught.value.message) == ("CreateContainerConfigError", message)


def test_an_optional_secret_that_is_missing_is_an_empty_folder(tmp_path: Path) -> None:
    folder = _mount(tmp_path, {"secret": {"secretName": "none", "optional": True}})
    assert list(folder.iterdir()) == []


def test_a_process_leaves_log_exit_code_and_last_words(tmp_path: Path) -> None:
    sandbox = _prepared(tmp_path)
    sandbox.wait(sandbox.start(_shell(f"echo out; echo err >&2; echo word >{sandbox.termination_log}; exit 42")))
    outcome = sandbox.outcome()
    assert (outcome.exit_code, outcome.reason) == (42, "Error")
    assert sandbox.log.read_bytes() == b"out\nerr\n"
    assert sandbox.last_words() == b"word\n"


def test_a_process_ended_by_sigterm_has_code_143(tmp_path: Path) -> None:
    sandbox = _prepared(tmp_path)
    child = sandbox.start(_shell("echo up; exec sleep 100"))
    _until_up(sandbox)
    sandbox.signal(signal.SIGTERM)
    sandbox.wait(child)
    assert sandbox.outcome().exit_code == 143


def test_a_process_killed_for_its_memory_says_so(tmp_path: Path) -> None:
    sandbox = _prepared(tmp_path)
    child = sandbox.start(_shell("echo up; exec sleep 100"))
    _until_up(sandbox)
    sandbox.kill_for_memory()
    sandbox.wait(child)
    assert (sandbox.outcome().exit_code, sandbox.outcome().reason) == (137, "OOMKilled")


def test_another_process_with_its_id_is_not_taken_for_it(tmp_path: Path) -> None:
    sandbox = _prepared(tmp_path)
    (sandbox.folder / "pid").write_text("1\n")
    assert sandbox.process() is None
    assert (sandbox.outcome().exit_code, sandbox.outcome().reason) == (137, "ContainerStatusUnknown")


def test_nothing_of_a_dead_node_runs_after_kill_all(tmp_path: Path) -> None:
    sandbox = _prepared(tmp_path)
    child = sandbox.start(_shell("echo up; sleep 100 & exec sleep 100"))
    _until_up(sandbox)
    kill_all(tmp_path)
    child.wait()
    assert sandboxes(tmp_path)["uid-1"].process() is None


def test_a_log_that_grew_too_long_keeps_its_end(tmp_path: Path) -> None:
    sandbox = _prepared(tmp_path)
    sandbox.log.write_bytes(b"0123456789")
    bound_log(sandbox, limit_bytes=10)
    assert sandbox.log.read_bytes() == b"0123456789"
    bound_log(sandbox, limit_bytes=8)
    assert sandbox.log.read_bytes() == b"6789"


@pytest.mark.parametrize(
    ("content", "lines", "tail"),
    [
        (b"a\nb\nc\n", 1, b"c\n"),
        (b"a\nb\nc\n", 2, b"b\nc\n"),
        (b"a\nb\nc", 1, b"c"),
        (b"a\nb\n", 9, b"a\nb\n"),
        (b"a\n", 0, b""),
        (b"", 3, b""),
    ],
)
def test_the_tail_of_a_log_is_its_last_lines(tmp_path: Path, content: bytes, lines: int, tail: bytes) -> None:
    (tmp_path / "log").write_bytes(content)
    assert content[tail_start(tmp_path / "log", lines) :] == tail


def test_following_a_log_ends_with_the_process(tmp_path: Path) -> None:
    sandbox = _prepared(tmp_path)
    child = sandbox.start(_shell("echo one; echo two"))
    assert b"".join(log_chunks(sandbox, 0, follow=True)) == b"one\ntwo\n"
    sandbox.wait(child)
    assert b"".join(log_chunks(sandbox, 4, follow=True)) == b"two\n"


@pytest.mark.parametrize(
    ("certificate", "name"),
    [
        (
            {"subject": ((("organizationName", "x"),), (("commonName", "kube-apiserver-kubelet-client"),))},
            "kube-apiserver-kubelet-client",
        ),
        ({"subject": ((("organizationName", "kube-apiserver-kubelet-client"),),)}, None),
        (None, None),
    ],
)
def test_the_peer_is_known_by_its_common_name_only(certificate: Any, name: str | None) -> None:
    assert common_name(certificate) == name


def _prepared(state: Path) -> Sandbox:
    sandbox = Sandbox(state / "pods" / "uid-1")
    sandbox.prepare("clinic-north", "train")
    return sandbox


def _shell(script: str) -> Launch:
    return Launch(("/bin/sh", "-c", script), {"PATH": "/usr/bin:/bin"}, Path("/"))


def _until_up(sandbox: Sandbox) -> None:
    for chunk in log_chunks(sandbox, 0, follow=True):
        if chunk:
            return
