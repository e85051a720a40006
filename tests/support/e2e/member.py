"""A clinic's credentials in the hands of somebody who does as he likes: what they open at the gateway."""

import base64
import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from support.e2e.network import Network
from support.e2e.places import CLINIC_NAMESPACE

_ANSWER_SECONDS = 15


@dataclass(frozen=True)
class Member:
    """One clinic's certificate, key and token, taken out of its cluster."""

    gateway: str
    folder: Path
    token: str

    @classmethod
    def of(cls, network: Network, name: str) -> "Member":
        """What the clinic has at this moment."""
        secret = network.ground.clinics[name].get("secret", "fedround-certificate", "-n", CLINIC_NAMESPACE)["data"]
        folder = network.folder / f"member-{name}"
        folder.mkdir(exist_ok=True)
        for file, content in secret.items():
            (folder / file).write_bytes(base64.b64decode(content))
        bundle = yaml.safe_load(network.bundles[name].read_text())
        return cls(network.ground.gateway, folder, bundle["hub"]["token"])

    def certificate(self) -> bytes:
        """The one that the clinic uses."""
        return (self.folder / "tls.crt").read_bytes()

    def get(self, path: str) -> int:
        """The status of the gateway's answer."""
        return self.ask("GET", path)[0]

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, Any]:
        """Status and document. Raises OSError where the gateway does not let the certificate in."""
        host, _, port = self.gateway.rpartition(":")
        context = ssl.create_default_context(cafile=str(self.folder / "ca.crt"))
        context.load_cert_chain(self.folder / "tls.crt", self.folder / "tls.key")
        door = http.client.HTTPSConnection(host, int(port), timeout=_ANSWER_SECONDS, context=context)
        try:
            door.request(method, path, body, {"Authorization": f"Bearer {self.token}"})
            answer = door.getresponse()
            content = answer.read()
        finally:
            door.close()
        try:
            return answer.status, json.loads(content)
        except ValueError:
            return answer.status, None
