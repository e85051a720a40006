"""The door to Kubernetes: what is asked over the wire, and which error each answer becomes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.config import incluster_config

from fedround_operator.kit.api import KubeApi, connect
from fedround_operator.kit.errors import (
    AlreadyExists,
    ApiError,
    ApiRefused,
    ApiUnreachable,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
)
from fedround_operator.kit.resources import JOBS, ROUNDS
from support.http_stub import Answer, Asked, HttpStub, answer

TOKEN = "eyJhbGciOi-very-secret"
STATUS = {"kind": "Status", "message": "because of this"}


@pytest.fixture
def stub() -> Iterator[HttpStub]:
    made = HttpStub()
    yield made
    made.close()


def kubeconfig(folder: Path, server: str) -> Path:
    path = folder / "kubeconfig"
    named = {"cluster": "c", "user": "u"}
    path.write_text(
        yaml.safe_dump(
            {
                "current-context": "x",
                "contexts": [{"name": "x", "context": named}],
                "clusters": [{"name": "c", "cluster": {"server": server}}],
                "users": [{"name": "u", "user": {"token": TOKEN}}],
            }
        )
    )
    return path


@pytest.fixture
def api(stub: HttpStub, tmp_path: Path) -> KubeApi:
    return connect(kubeconfig(tmp_path, stub.address))


def test_an_object_is_read_from_its_path_with_the_token(api: KubeApi, stub: HttpStub) -> None:
    stub.reply = lambda asked: answer(metadata={"name": "w48"}, unknownField=1)

    assert api.get(ROUNDS, "skin", "w48") == {"metadata": {"name": "w48"}, "unknownField": 1}

    (asked,) = stub.asked
    assert (asked.method, asked.path) == ("GET", "/apis/fedround.dev/v1alpha1/namespaces/skin/federatedrounds/w48")
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"


def test_a_list_follows_the_pages(api: KubeApi, stub: HttpStub) -> None:
    def pages(asked: Asked) -> Answer:
        if "continue=" in asked.path:
            return answer(items=[{"metadata": {"name": "b", "uid": "2"}}], metadata={"continue": ""})
        return answer(items=[{"metadata": {"name": "a", "uid": "1"}}], metadata={"continue": "to/ken"})

    stub.reply = pages

    listed = api.list(JOBS, "skin", {"b": "2", "a": "1"}, "metadata.name=x")

    assert [one["metadata"]["name"] for one in listed] == ["a", "b"]
    assert stub.asked[0].path == (
        "/apis/batch/v1/namespaces/skin/jobs?limit=500&labelSelector=a%3D1%2Cb%3D2&fieldSelector=metadata.name%3Dx"
    )
    assert stub.asked[1].path.endswith("&continue=to%2Fken")


def test_a_list_that_never_ends_is_given_up(api: KubeApi, stub: HttpStub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fedround_operator.kit.api.MOST_PAGES", 3)
    stub.reply = lambda asked: answer(items=[], metadata={"continue": "more"})

    with pytest.raises(ApiUnreachable, match="more than 3 pages of 500 objects"):
        api.list(JOBS, "skin")

    assert len(stub.asked) == 3


@pytest.mark.parametrize(
    "body", [b"[]", b"null", b"7", b'"text"', b'{"metadata": []}', b"not JSON", b"\xff", b"[" * 100_000]
)
def test_what_is_no_object_is_no_answer_of_an_api_server(api: KubeApi, stub: HttpStub, body: bytes) -> None:
    stub.reply = lambda asked: Answer(200, body)

    with pytest.raises(ApiUnreachable, match="what answered is no API server"):
        api.get(ROUNDS, "skin", "w48")


@pytest.mark.parametrize(
    "items",
    [
        *(7, "text", {"metadata": {}}, [7], [None], [[]], [{}], [{"metadata": "x"}], [{"metadata": {"name": "a"}}]),
        *([{"metadata": {"name": "a", "uid": ["u"]}}], [{"metadata": {"name": {}, "uid": "u"}}]),
    ],
)
def test_a_list_of_something_else_than_objects_is_no_answer_either(api: KubeApi, stub: HttpStub, items: Any) -> None:
    stub.reply = lambda asked: answer(items=items)

    with pytest.raises(ApiUnreachable, match="what answered is no API server"):
        api.list(ROUNDS, "skin")


@pytest.mark.parametrize("groups", [7, [7], [{}], None])
def test_a_discovery_of_something_else_serves_nothing(api: KubeApi, stub: HttpStub, groups: Any) -> None:
    stub.reply = lambda asked: answer(groups=groups)

    assert api.serves(ROUNDS) is False


def test_a_list_of_all_namespaces_that_is_empty(api: KubeApi, stub: HttpStub) -> None:
    stub.reply = lambda asked: answer(items=[], metadata={})

    assert api.list(JOBS) == []
    assert stub.asked[0].path == "/apis/batch/v1/jobs?limit=500"


def test_an_object_is_created_as_it_is_given(api: KubeApi, stub: HttpStub) -> None:
    stub.reply = lambda asked: answer(201, metadata={"uid": "x"})

    assert api.create(JOBS, "skin", {"metadata": {"name": "a"}}) == {"metadata": {"uid": "x"}}
    assert (stub.asked[0].method, stub.asked[0].path) == ("POST", "/apis/batch/v1/namespaces/skin/jobs")
    assert stub.asked[0].body == {"metadata": {"name": "a"}}


def test_a_patch_is_a_merge_patch_of_the_subresource(api: KubeApi, stub: HttpStub) -> None:
    api.patch(ROUNDS, "skin", "w48", {"status": {"phase": None}}, "status")

    (asked,) = stub.asked
    assert (asked.method, asked.path.rsplit("/", 1)[1]) == ("PATCH", "status")
    assert asked.headers["content-type"] == "application/merge-patch+json"
    assert asked.body == {"status": {"phase": None}}


def test_a_deletion_removes_dependents_in_the_background_and_may_be_repeated(api: KubeApi, stub: HttpStub) -> None:
    api.delete(JOBS, "skin", "a")
    assert stub.asked[0].body == {"propagationPolicy": "Background"}

    stub.reply = lambda asked: answer(404, **STATUS)
    api.delete(JOBS, "skin", "a")


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ApiRefused),
        (401, Forbidden),
        (403, Forbidden),
        (404, NotFound),
        (409, Conflict),
        (410, ApiRefused),
        (413, ApiRefused),
        (415, ApiRefused),
        (422, Invalid),
        (429, ApiUnreachable),
        (500, ApiUnreachable),
        (502, ApiUnreachable),
        (503, ApiUnreachable),
        (504, ApiUnreachable),
    ],
)
def test_a_status_becomes_the_error_that_says_what_to_do(
    api: KubeApi, stub: HttpStub, status: int, error: type[ApiError]
) -> None:
    stub.reply = lambda asked: answer(status, **STATUS)

    with pytest.raises(error) as caught:
        api.patch(ROUNDS, "skin", "w48", {})

    assert caught.type is error
    assert str(caught.value) == (
        f"PATCH /apis/fedround.dev/v1alpha1/namespaces/skin/federatedrounds/w48: {status} because of this"
    )


def test_a_conflict_on_creating_means_that_the_object_is_there(api: KubeApi, stub: HttpStub) -> None:
    stub.reply = lambda asked: answer(409, **STATUS)

    with pytest.raises(AlreadyExists):
        api.create(JOBS, "skin", {})


@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b"[]", b'"text"', b"\xff\xfe"])
def test_an_error_without_a_status_object_is_an_error_all_the_same(api: KubeApi, stub: HttpStub, body: bytes) -> None:
    stub.reply = lambda asked: Answer(502, body)

    with pytest.raises(ApiUnreachable, match="502"):
        api.get(JOBS, "skin", "a")


@pytest.mark.parametrize("body", [b"", b"<html>Welcome</html>", b"\xff\xfe", b'{"kind": "Jo'])
def test_a_success_that_is_not_json_did_not_come_from_an_api_server(api: KubeApi, stub: HttpStub, body: bytes) -> None:
    """A gateway that has no route answers 200 with nothing: the process must outlive that."""
    stub.reply = lambda asked: Answer(200, body)

    with pytest.raises(ApiUnreachable):
        api.get(JOBS, "skin", "a")


def test_a_dropped_connection_is_no_answer(api: KubeApi, stub: HttpStub) -> None:
    stub.reply = lambda asked: Answer(drop=True)

    with pytest.raises(ApiUnreachable, match="no answer from http://127"):
        api.get(JOBS, "skin", "a")
    assert len(stub.asked) == 1  # trying again is the queue's work


def test_a_server_that_is_not_there_is_no_answer(tmp_path: Path) -> None:
    gone = HttpStub()
    gone.close()

    with pytest.raises(ApiUnreachable):
        connect(kubeconfig(tmp_path, gone.address)).get(JOBS, "skin", "a")


def test_a_server_that_hangs_is_no_answer(stub: HttpStub, tmp_path: Path) -> None:
    stub.reply = lambda asked: Answer(hang=True)
    api = connect(kubeconfig(tmp_path, stub.address), timeout_seconds=(0.2, 0.2))

    with pytest.raises(ApiUnreachable):
        api.get(JOBS, "skin", "a")


@pytest.mark.parametrize("given", [answer(403, **STATUS), answer(500, **STATUS), Answer(drop=True)])
def test_no_error_tells_the_token(api: KubeApi, stub: HttpStub, given: Answer) -> None:
    stub.reply = lambda asked: given

    with pytest.raises(ApiError) as caught:
        api.get(JOBS, "skin", "a")

    assert TOKEN not in repr(caught.value)
    assert TOKEN not in repr(caught.value.__cause__)


def test_another_client_of_the_same_server_gets_address_and_token(api: KubeApi, stub: HttpStub) -> None:
    assert (api.credentials.server, api.credentials.token) == (stub.address, TOKEN)


def test_in_a_pod_another_client_gets_the_token_of_its_service_account_and_asks_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in (("token", TOKEN), ("ca.crt", "-----BEGIN CERTIFICATE-----")):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")

    found = connect(None).credentials

    assert (found.server, found.token, found.valid_seconds) == ("https://10.96.0.1:443", TOKEN, 300.0)


@pytest.mark.parametrize("text", [None, "", "contexts: []"])
def test_a_kubeconfig_that_cannot_be_used_is_told(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "kubeconfig"
    if text is not None:
        path.write_text(text)

    with pytest.raises(ApiUnreachable, match="kubeconfig"):
        connect(path)
