"""Watching one object through the door to Kubernetes: what is asked, and what the lines of the answer become."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fedround_operator.kit.api import KubeApi, connect
from fedround_operator.kit.errors import ApiUnreachable, Forbidden
from fedround_operator.kit.resources import CONFIG_MAPS, Object
from support.http_stub import Answer, HttpStub, answer

KUBECONFIG = {
    "current-context": "x",
    "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    "users": [{"name": "u", "user": {"token": "a-token"}}],
}


@pytest.fixture
def stub() -> Iterator[HttpStub]:
    made = HttpStub()
    yield made
    made.close()


@pytest.fixture
def api(stub: HttpStub, tmp_path: Path) -> KubeApi:
    clusters = [{"name": "c", "cluster": {"server": stub.address}}]
    (tmp_path / "kubeconfig").write_text(json.dumps({**KUBECONFIG, "clusters": clusters}))
    return connect(tmp_path / "kubeconfig", timeout_seconds=(1.0, 1.0))


def events(*found: tuple[str, Object]) -> Answer:
    return Answer(body=b"".join(json.dumps({"type": kind, "object": one}).encode() + b"\n" for kind, one in found))


def test_one_object_is_asked_for_by_its_name_and_for_a_time(api: KubeApi, stub: HttpStub) -> None:
    stub.reply = lambda asked: events(("ADDED", {"data": {"a": "1"}}), ("MODIFIED", {"data": {"a": "2"}}))

    assert list(api.watch(CONFIG_MAPS, "hub", "revoked", 30)) == [{"data": {"a": "1"}}, {"data": {"a": "2"}}]

    (asked,) = stub.asked
    assert asked.path == (
        "/api/v1/namespaces/hub/configmaps?watch=true&fieldSelector=metadata.name%3Drevoked&timeoutSeconds=30"
    )
    assert asked.headers["authorization"] == "Bearer a-token"


def test_a_deletion_is_nothing_and_no_object_no_event(api: KubeApi, stub: HttpStub) -> None:
    stub.reply = lambda asked: events(("DELETED", {"data": {}}))
    assert list(api.watch(CONFIG_MAPS, "hub", "revoked", 30)) == [None]

    stub.reply = lambda asked: events()
    assert list(api.watch(CONFIG_MAPS, "hub", "revoked", 30)) == []


def test_what_cannot_be_watched_is_an_error(api: KubeApi, stub: HttpStub) -> None:
    stub.reply = lambda asked: answer(403, message="no right")
    with pytest.raises(Forbidden, match="403 no right"):
        list(api.watch(CONFIG_MAPS, "hub", "revoked", 30))

    stub.reply = lambda asked: events(("ERROR", {"message": "too old"}))
    with pytest.raises(ApiUnreachable, match="too old"):
        list(api.watch(CONFIG_MAPS, "hub", "revoked", 30))


def test_a_server_that_goes_away_without_a_word_is_given_up(api: KubeApi, stub: HttpStub) -> None:
    stub.reply = lambda asked: Answer(hang=True)

    with pytest.raises(ApiUnreachable, match="no answer"):
        list(api.watch(CONFIG_MAPS, "hub", "revoked", 0))
