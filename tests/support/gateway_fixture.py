"""A running object store behind a running gateway, in a temporary folder, and people with certificates to try it.

`from support.gateway_fixture import door` in a test module brings the fixture: one for the module.
"""

import http.client
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from minio import Minio

from fedround_local.gateway import Gateway, GatewaySettings
from fedround_local.objectstore import BUCKET, REGION, ObjectStore
from fedround_local.ports import free_ports
from fedround_local.processes import Processes
from fedround_operator.kit.pki import Authority, Credential, request_certificate
from support.api_stub import ApiStub

LARGEST_UPLOAD_BYTES = 24 * 2**20


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes


@dataclass
class Door:
    """The gateway, what is behind it, and how to knock."""

    folder: Path
    gateway: Gateway
    store: ObjectStore
    api: ApiStub
    authority: Authority
    stranger: Authority
    _contexts: dict[str, ssl.SSLContext] = field(default_factory=dict)

    @property
    def hub(self) -> Minio:
        """The hub's own access, past the gateway."""
        key = self.store.keys.hub
        return Minio(self.store.address, key.access_key, key.secret_key, secure=False, region=REGION)

    def presigned(self, method: str, key: str, seconds: int = 300, **query: str) -> str:
        """Path and query of a URL that the hub signs for the gateway's address."""
        hub = self.store.keys.hub
        signer = Minio(self.gateway.settings.address, hub.access_key, hub.secret_key, secure=True, region=REGION)
        url = signer.get_presigned_url(
            method, BUCKET, key, expires=timedelta(seconds=seconds), extra_query_params={**query}
        )
        return url.removeprefix(f"https://{self.gateway.settings.address}")

    def context(self, clinic: str) -> ssl.SSLContext:
        """TLS as this clinic; its certificate is made at the first call."""
        if clinic not in self._contexts:
            key, request = request_certificate(clinic)
            self.install(clinic, Credential(key, self.authority.sign_clinic(request)))
        return self._contexts[clinic]

    def install(self, name: str, credential: Credential) -> Credential:
        certificate, key = credential.write(self.folder, name)
        context = ssl.create_default_context(cafile=str(self.gateway.settings.federation_ca))
        context.load_cert_chain(certificate, key)
        self._contexts[name] = context
        return credential

    def connect(self, context: ssl.SSLContext) -> http.client.HTTPSConnection:
        settings = self.gateway.settings
        return http.client.HTTPSConnection(settings.bind, settings.port, context=context, timeout=30)

    def ask(
        self, clinic: str, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request on a connection of its own; the target goes out byte for byte as given."""
        connection = self.connect(self.context(clinic))
        try:
            connection.request(method, target, body=body, headers=dict(headers or {}))
            answer = connection.getresponse()
            return Reply(answer.status, answer.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder = tmp_path_factory.mktemp("door")
    processes = Processes(folder)
    authority = Authority.ensure(folder / "pki", "federation", "fedround-federation")
    cluster_authority = Authority.ensure(folder / "pki", "cluster", "fedround-cluster")
    gateway_pair = authority.issue_server("gateway", ("127.0.0.1",)).write(folder / "pki", "gateway")
    api_pair = cluster_authority.issue_server("api", ("127.0.0.1",)).write(folder / "pki", "api")
    api = ApiStub(*api_pair, client_ca=folder / "pki" / "cluster.crt")
    store = ObjectStore(folder / "objects", processes)
    settings = GatewaySettings(
        folder=folder / "gateway",
        port=free_ports(1)[0],
        certificate=gateway_pair[0],
        key=gateway_pair[1],
        federation_ca=folder / "pki" / "federation.crt",
        store=f"http://{store.address}",
        api=api.address,
        api_ca=folder / "pki" / "cluster.crt",
        largest_upload_bytes=LARGEST_UPLOAD_BYTES,
    )
    gateway = Gateway(settings, processes)
    try:
        store.start()
        gateway.start()
        yield Door(folder, gateway, store, api, authority, Authority.create("somebody-else"))
    finally:
        gateway.stop()
        store.stop()
        api.close()
