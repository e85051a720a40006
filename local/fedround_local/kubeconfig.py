"""Kubeconfig files, one per actor. Called by the cluster and by the federation's set-up; pure but for the one write.

Everything is embedded (no file names inside), so that a kubeconfig can be handed on as one file.
"""

import base64
import json
from pathlib import Path
from typing import Any

from fedround_operator.kit.pki import Credential
from fedround_operator.kit.privatefiles import write_private


def kubeconfig(
    server: str,
    certificate_authority_pem: bytes,
    *,
    credential: Credential | None = None,
    token: str | None = None,
    namespace: str = "default",
) -> dict[str, Any]:
    """One cluster, one user, one context.

    An agent's has both a client certificate, for the gateway, and a token, for the API behind it.
    """
    user: dict[str, str] = {}
    if credential is not None:
        user["client-certificate-data"] = _encoded(credential.certificate_pem)
        user["client-key-data"] = _encoded(credential.key_pem)
    if token is not None:
        user["token"] = token
    cluster = {"server": server, "certificate-authority-data": _encoded(certificate_authority_pem)}
    context = {"cluster": "fedround", "user": "fedround", "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "fedround", "cluster": cluster}],
        "users": [{"name": "fedround", "user": user}],
        "contexts": [{"name": "fedround", "context": context}],
        "current-context": "fedround",
    }


def write_kubeconfig(
    path: Path,
    server: str,
    certificate_authority_pem: bytes,
    *,
    credential: Credential | None = None,
    token: str | None = None,
    namespace: str = "default",
) -> Path:
    """Writes it readable by its owner only. JSON is YAML, and needs no library here."""
    document = kubeconfig(server, certificate_authority_pem, credential=credential, token=token, namespace=namespace)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(path, json.dumps(document, indent=1).encode())
    return path


def _encoded(pem: bytes) -> str:
    return base64.b64encode(pem).decode()
