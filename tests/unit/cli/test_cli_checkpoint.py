"""`fedround checkpoint`: which version is fetched, and that only its own bytes are written."""

import base64
from pathlib import Path
from typing import Any

import pytest

from fedround_api.jobs import StoreAddress
from fedround_api.kinds import FederatedModel
from fedround_cli.checkpoint import fetch, wanted
from fedround_cli.connection import HubError
from fedround_cli.hub import Hub
from fedround_cli.main import main
from fedround_operator.kit.resources import CONFIG_MAPS, MODELS, SECRETS
from support.fake_api import FakeApi
from support.hub_builders import NETWORK, model_object, released
from support.job_inputs import digest_of
from support.memory_store import MemoryStore

OLD, NEW = b"version 2", b"version 3"


def version(number: int, content: bytes) -> dict[str, Any]:
    return {
        "version": number,
        "digest": digest_of(content),
        "bytes": len(content),
        "promotedAt": "2026-11-20T08:00:00Z",
    }


def make_model(**status: Any) -> FederatedModel:
    model = model_object()
    model["status"] = {"current": version(3, NEW), "history": [version(2, OLD), version(3, NEW)], **status}
    return FederatedModel.model_validate(model)


@pytest.mark.parametrize(
    ("number", "is_released", "content"), [(None, False, NEW), (3, False, NEW), (2, False, OLD), (None, True, OLD)]
)
def test_the_current_version_is_fetched_unless_another_is_asked_for(
    number: int | None, is_released: bool, content: bytes
) -> None:
    assert wanted(make_model(released=released()), number, released=is_released).digest == digest_of(content)


def test_the_number_of_a_version_is_not_the_programs_own_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`fedround --version` is a flag of the program: the two must not meet in one option."""
    assert main(["checkpoint", "skin-lesion", "--version", "3", "--kubeconfig", "nowhere"]) == 1
    assert "no hub can be found" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("status", "number", "is_released", "sentence"),
    [
        ({}, 7, False, "model skin-lesion has no version 7 in its history: there are 2, 3"),
        ({}, None, True, "no version of model skin-lesion is released yet: none has met the floors of its gate"),
        (
            {"current": None, "history": []},
            None,
            False,
            "model skin-lesion has no version yet: `kubectl describe fm skin-lesion` says why",
        ),
    ],
)
def test_a_version_that_is_not_there_is_told(
    status: dict[str, Any], number: int | None, is_released: bool, sentence: str
) -> None:
    with pytest.raises(HubError) as caught:
        wanted(make_model(**status), number, released=is_released)
    assert str(caught.value) == sentence


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def hub(store: MemoryStore) -> Hub:
    """A hub with a model and the Secret of its store."""
    api = FakeApi()
    api.create(MODELS, NETWORK, model_object())
    secret = {name: base64.b64encode(b"x").decode() for name in ("access-key", "secret-key")}
    api.put(SECRETS, NETWORK, {"metadata": {"name": "fedround-store"}, "data": secret})
    said = {
        "endpoint": "minio.fedround-system.svc:9000",
        "bucket": "fedround",
        "https": "false",
        "secret": "fedround-store",
    }
    api.put(CONFIG_MAPS, NETWORK, {"metadata": {"name": "fedround-store"}, "data": said})

    def opened(address: StoreAddress, folder: Path) -> MemoryStore:
        assert address.endpoint == "store:8333"
        return store

    return Hub(api, NETWORK, "start it", "store:8333", opened)


def test_the_bytes_are_those_that_the_model_names(hub: Hub, store: MemoryStore, tmp_path: Path) -> None:
    model = make_model()
    store.objects[f"published/skin-lesion/{digest_of(OLD)}.safetensors"] = OLD

    fetch(hub, model, wanted(model, 2, released=False), tmp_path / "own.safetensors")

    assert (tmp_path / "own.safetensors").read_bytes() == OLD


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"version X", "is not what the hub's status names"),
        (b"version 2, and more", "is not what the hub's status names"),
        (None, "the object store at store:8333 does not give it"),
    ],
)
def test_other_bytes_are_not_written(
    hub: Hub, store: MemoryStore, tmp_path: Path, content: bytes | None, sentence: str
) -> None:
    model = make_model()
    if content is not None:
        store.objects[f"published/skin-lesion/{digest_of(OLD)}.safetensors"] = content

    with pytest.raises(HubError, match=sentence):
        fetch(hub, model, wanted(model, 2, released=False), tmp_path / "own.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_who_reads_an_older_file_at_the_place_still_has_all_of_it(hub: Hub, store: MemoryStore, tmp_path: Path) -> None:
    """The new one takes its place at once, so a write that is broken off costs nothing."""
    model = make_model()
    store.objects[f"published/skin-lesion/{digest_of(OLD)}.safetensors"] = OLD
    path = tmp_path / "own.safetensors"
    path.write_bytes(NEW)

    with path.open("rb") as held:
        fetch(hub, model, wanted(model, 2, released=False), path)
        assert held.read() == NEW

    assert path.read_bytes() == OLD


def test_a_model_is_found_by_its_name_and_the_others_are_told_where_it_is_not(hub: Hub) -> None:
    assert hub.model("skin-lesion").metadata.name == "skin-lesion"
    with pytest.raises(HubError, match="there is no model skin in namespace skin-network: there are skin-lesion"):
        hub.model("skin")
