"""How a container becomes a process: image, arguments, environment, and paths on this machine."""

from pathlib import Path
from typing import Any

import pytest

from fedround_local.node.launch import Launch, on_this_machine, plan_launch, prefix_of
from fedround_local.node.pod import Json, Unmet
from support.pods import make_pod

_IMAGES = {"fedround-training": ("/venv/bin/python", "-m", "fedround_training"), "registry:5000/shell": ("/bin/sh",)}
_PREFIX = _IMAGES["fedround-training"]
_FOLDERS = {
    "/work": Path("/state/claim"),
    "/work/in": Path("/state/pods/u/volumes/in"),
    "/dev/termination-log": Path("/state/pods/u/termination-log"),
}
_SCRATCH = Path("/state/pods/u/tmp")


def _no_key(kind: str, reference: Json) -> str | None:
    raise AssertionError(f"nothing asks for {kind} {reference}")


def _plan(folders: dict[str, Path] | None = None, **container: Any) -> Launch:
    return plan_launch(make_pod(container=container), _PREFIX, folders or _FOLDERS, _SCRATCH, _no_key)


@pytest.mark.parametrize(
    ("image", "prefix"),
    [
        ("fedround-training", ("/venv/bin/python", "-m", "fedround_training")),
        ("fedround-training:0.1.0", ("/venv/bin/python", "-m", "fedround_training")),
        ("fedround-training@sha256:abc", ("/venv/bin/python", "-m", "fedround_training")),
        ("fedround-training:0.1.0@sha256:abc", ("/venv/bin/python", "-m", "fedround_training")),
        ("registry:5000/shell", ("/bin/sh",)),
        ("registry:5000/shell:2", ("/bin/sh",)),
    ],
)
def test_an_image_stands_for_its_prefix_whatever_its_tag(image: str, prefix: tuple[str, ...]) -> None:
    assert prefix_of(image, _IMAGES) == prefix


def test_an_image_of_another_name_is_refused() -> None:
    with pytest.raises(Unmet, match='ErrImageNeverPull: image "evil/fedround-training:1" is none of this node'):
        prefix_of("evil/fedround-training:1", _IMAGES)


def test_arguments_follow_the_images_prefix() -> None:
    assert _plan(args=["train", "--out", "/work/out"]).argv == (
        *("/venv/bin/python", "-m", "fedround_training"),
        *("train", "--out", "/state/claim/out"),
    )


def test_a_command_takes_the_place_of_the_prefix_and_is_found_beside_it() -> None:
    launch = _plan(command=["python", "-c"], args=["print(1)"])
    assert launch.argv == ("python", "-c", "print(1)")
    assert launch.env["PATH"].split(":")[0] == "/venv/bin"


def test_the_environment_is_the_declared_one_on_a_small_base() -> None:
    launch = _plan(env=[{"name": "ROUND", "value": "7"}])
    assert launch.env == {
        "PATH": "/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "HOME": "/state/pods/u/tmp",
        "TMPDIR": "/state/pods/u/tmp",
        "ROUND": "7",
    }
    assert launch.cwd == Path("/state/pods/u/tmp")


def test_a_volume_at_tmp_is_home_and_temporary_folder() -> None:
    launch = _plan(folders={"/tmp": Path("/state/pods/u/volumes/scratch")})  # noqa: S108
    assert launch.env["TMPDIR"] == launch.env["HOME"] == "/state/pods/u/volumes/scratch"


def test_references_are_expanded_before_paths_are_rewritten() -> None:
    env = [{"name": "BASE", "value": "/work"}, {"name": "OUT", "value": "$(BASE)/out"}]
    launch = _plan(env=env, args=["$(OUT)/x", "$$(OUT)", "$(UNKNOWN)"])
    assert launch.env["OUT"] == "/state/claim/out"
    assert launch.argv[-3:] == ("/state/claim/out/x", "$(OUT)", "$(UNKNOWN)")


@pytest.mark.parametrize(
    ("text", "here"),
    [
        ("/work", "/state/claim"),
        ("/work/", "/state/claim"),
        ("/work/a/b", "/state/claim/a/b"),
        ("/work/in/x", "/state/pods/u/volumes/in/x"),
        ("/dev/termination-log", "/state/pods/u/termination-log"),
        ("/workshop", "/workshop"),
        ("--out=/work", "--out=/work"),
        ("work", "work"),
    ],
)
def test_only_paths_below_a_mount_are_rewritten_the_longest_mount_first(text: str, here: str) -> None:
    assert on_this_machine(text, _FOLDERS) == here


def test_values_come_from_secrets_config_maps_and_the_pod_itself() -> None:
    keys = {"secretKeyRef": "s3cret", "configMapKeyRef": None}
    env = [
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "token"}}},
        {"name": "ABSENT", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "b", "optional": True}}},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": "PLACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
    ]
    pod = make_pod("train", container={"env": env})
    launch = plan_launch(pod, _PREFIX, _FOLDERS, _SCRATCH, lambda kind, _reference: keys[kind])
    assert {name: launch.env.get(name) for name in ("TOKEN", "ABSENT", "NAME", "PLACE")} == {
        "TOKEN": "s3cret",
        "ABSENT": None,
        "NAME": "train",
        "PLACE": "clinic-north",
    }


def test_a_field_it_does_not_know_is_said() -> None:
    env = [{"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}]
    with pytest.raises(Unmet, match=r"does not know the field status\.hostIP"):
        _plan(env=env)
