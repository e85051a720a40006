"""A clinic that does as it likes: its certificate, its token, the gateway, and no agent in between.

Tests play it to do what an honest agent would not: claim what is not so, upload anything, knock at other doors. It has
what the clinic has and nothing else; all that it does goes through the running gateway.
"""

import hashlib
import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from fedround_api import names
from fedround_api.kinds import ClinicRound
from fedround_local.federation import runtime
from fedround_operator.kit.instants import micro_text_of, text_of
from fedround_operator.kit.resources import CLINIC_ROUNDS, LEASES
from support.federation_fixture import Network, wait_for

MERGE_PATCH = "application/merge-patch+json"


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


class HostileClinic:
    """A clinic of the federation, by its credentials."""

    def __init__(self, network: Network, name: str) -> None:
        self.network, self.name, self.namespace = network, name, names.clinic_namespace(name)
        self._place = network.federation.place
        self._gateway = network.federation.parts(network.record).gateway.settings
        kubeconfig = json.loads(self._place.kubeconfig(f"{runtime.agent_name(name)}-hub").read_text())
        self.token: str = kubeconfig["users"][0]["user"]["token"]

    def context(self, *, with_certificate: bool = True) -> ssl.SSLContext:
        """TLS to the gateway as this clinic, or as nobody."""
        context = ssl.create_default_context(cafile=str(self._place.authority / "ca.crt"))
        if with_certificate:
            folder = self._place.clinic(self.name)
            context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
        return context

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        context: ssl.SSLContext | None = None,
    ) -> Reply:
        """One request on a connection of its own; the target is a path or a presigned URL."""
        url = urlsplit(target)
        path = f"{url.path}?{url.query}" if url.query else url.path
        door = http.client.HTTPSConnection(
            self._gateway.bind, self._gateway.port, context=context or self.context(), timeout=30
        )
        try:
            door.request(method, path, body=body, headers=dict(headers or {}))
            answer = door.getresponse()
            return Reply(answer.status, answer.read())
        finally:
            door.close()

    def ask_api(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> Reply:
        """The same with a token, the clinic's own unless another one is given."""
        headers = {"Authorization": f"Bearer {token or self.token}", "Content-Type": MERGE_PATCH}
        return self.ask(method, path, None if body is None else json.dumps(body).encode(), headers)

    # --- what an agent does

    def renew_lease(self) -> None:
        lease = {"spec": {"holderIdentity": self.name, "renewTime": micro_text_of(datetime.now(UTC))}}
        answer = self.ask_api("PATCH", LEASES.path(self.namespace, names.LEASE_NAME), lease)
        assert answer.status == 200, answer.body

    def part(self, round_name: str) -> ClinicRound:
        """The clinic's part in a round, once it is there."""

        def look() -> ClinicRound | None:
            answer = self.ask_api("GET", CLINIC_ROUNDS.path(self.namespace))
            found = map(ClinicRound.model_validate, answer.document["items"])
            return next((one for one in found if one.spec.round.name == round_name), None)

        return wait_for(look, f"{self.name} has a part in {round_name}", 60)

    def submit(
        self, round_name: str, content: bytes | None, *, digest: str | None = None, size_bytes: int | None = None
    ) -> None:
        """Upload the content, if any, and claim that training ended with it, or with another digest or size."""
        part = self.part(round_name)
        if content is not None:
            answer = self.ask("PUT", part.spec.urls.update, content)
            assert answer.status == 200, answer.body
        content = content or b""
        claimed = digest or hashlib.sha256(content).hexdigest()
        self.tell(part, update_digest=claimed, update_bytes=len(content) if size_bytes is None else size_bytes)

    def tell(self, part: ClinicRound, *, update_digest: str, update_bytes: int) -> None:
        """Say that the update is in the store."""
        ended = {
            "type": "Succeeded",
            "status": "True",
            "reason": "Submitted",
            "message": "",
            "observedGeneration": 1,
            "lastTransitionTime": text_of(datetime.now(UTC)),
        }
        result = {"updateDigest": update_digest, "updateBytes": update_bytes, "steps": 1}
        path = CLINIC_ROUNDS.path(self.namespace, part.metadata.name, "status")
        answer = self.ask_api("PATCH", path, {"status": {"conditions": [ended], "result": result}})
        assert answer.status == 200, answer.body
