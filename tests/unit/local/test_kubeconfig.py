"""Kubeconfig files: who an actor is, and that nobody else can read it."""

import base64
import json
import stat
from pathlib import Path

from fedround_local.kubeconfig import kubeconfig, write_kubeconfig
from fedround_operator.kit.pki import Credential

_CREDENTIAL = Credential(key_pem=b"KEY", certificate_pem=b"CERTIFICATE")


def test_an_agents_kubeconfig_has_certificate_and_token_for_its_namespace() -> None:
    document = kubeconfig(
        "https://127.0.0.1:8443", b"CA", credential=_CREDENTIAL, token="TOKEN", namespace="clinic-north"
    )
    assert document["users"] == [
        {
            "name": "fedround",
            "user": {
                "client-certificate-data": base64.b64encode(b"CERTIFICATE").decode(),
                "client-key-data": base64.b64encode(b"KEY").decode(),
                "token": "TOKEN",
            },
        }
    ]
    assert document["clusters"][0]["cluster"] == {
        "server": "https://127.0.0.1:8443",
        "certificate-authority-data": base64.b64encode(b"CA").decode(),
    }
    assert document["contexts"][0]["context"]["namespace"] == "clinic-north"


def test_without_a_token_there_is_none() -> None:
    document = kubeconfig("https://127.0.0.1:8443", b"CA", credential=_CREDENTIAL)
    assert "token" not in document["users"][0]["user"]


def test_the_file_is_its_owners_only(tmp_path: Path) -> None:
    path = write_kubeconfig(tmp_path / "new" / "agent.conf", "https://127.0.0.1:1", b"CA", token="TOKEN")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["users"][0]["user"] == {"token": "TOKEN"}
