"""The control-plane build: what names it, what is stamped into it, and what a failed one advises."""

from pathlib import Path

import pytest

from fedround_local.controlplane import advice, build_key, cache_folder, kubernetes_version, link_flags, source_folder
from fedround_local.errors import ControlPlaneBuildFailed
from fedround_local.toolchain import version_in, wanted_version

_GO_MOD = "module x\n\ngo 1.24.0\n\nrequire (\n\tk8s.io/kubectl v0.0.0\n\tk8s.io/kubernetes v1.34.4\n)\n"


def _source(folder: Path, main: str = "package main\n") -> Path:
    folder.mkdir()
    for name, content in {"go.mod": _GO_MOD, "go.sum": "sums\n", "main.go": main}.items():
        (folder / name).write_text(content)
    return folder


def test_the_versions_come_from_go_mod() -> None:
    assert kubernetes_version(_GO_MOD) == "v1.34.4"
    assert wanted_version(_GO_MOD) == (1, 24)


def test_a_go_mod_without_kubernetes_is_refused() -> None:
    with pytest.raises(ControlPlaneBuildFailed, match=r"does not require k8s\.io/kubernetes"):
        kubernetes_version("module x\n")


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26)),
        ("go version go1.9 darwin/arm64", (1, 9)),
        ("no such thing", (0, 0)),
    ],
)
def test_the_version_of_a_go_program_is_read_from_what_it_says(output: str, version: tuple[int, int]) -> None:
    assert version_in(output) == version


def test_a_changed_source_is_another_build(tmp_path: Path) -> None:
    first = build_key(_source(tmp_path / "a"))
    assert first == build_key(_source(tmp_path / "b"))
    assert first != build_key(_source(tmp_path / "c", "package main // changed\n"))
    assert first.startswith("v1.34.4-")


def test_the_version_is_stamped_for_server_and_client() -> None:
    assert link_flags("v1.34.4") == (
        "-s -w"
        " -X k8s.io/component-base/version.gitVersion=v1.34.4"
        " -X k8s.io/component-base/version.gitMajor=1"
        " -X k8s.io/component-base/version.gitMinor=34"
        " -X k8s.io/component-base/version.gitTreeState=clean"
        " -X k8s.io/component-base/version.buildDate=1970-01-01T00:00:00Z"
        " -X k8s.io/client-go/pkg/version.gitVersion=v1.34.4"
        " -X k8s.io/client-go/pkg/version.gitMajor=1"
        " -X k8s.io/client-go/pkg/version.gitMinor=34"
        " -X k8s.io/client-go/pkg/version.gitTreeState=clean"
        " -X k8s.io/client-go/pkg/version.buildDate=1970-01-01T00:00:00Z"
    )


@pytest.mark.parametrize(
    ("env", "folder"),
    [
        ({"FEDROUND_CACHE_DIR": "/big/cache", "XDG_CACHE_HOME": "/xdg"}, Path("/big/cache")),
        ({"FEDROUND_CACHE_DIR": "", "XDG_CACHE_HOME": "/xdg"}, Path("/xdg/fedround")),
        ({}, Path.home() / ".cache/fedround"),
    ],
)
def test_the_cache_is_where_the_user_wants_it(env: dict[str, str], folder: Path) -> None:
    assert cache_folder(env) == folder


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("write /root/.cache/x: no space left on device", "disk is full"),
        ("dial tcp: lookup proxy.example on 127.0.0.1:53: no such host", "check the network"),
        ("compile: signal: killed", "was killed"),
        ("main.go:3: syntax error", "Try again"),
    ],
)
def test_a_failed_build_says_what_to_do(output: str, said: str) -> None:
    assert said in advice(output)


def test_a_checkout_builds_from_its_own_module() -> None:
    assert (source_folder() / "main.go").exists()
