"""Admits, renews, revokes and lists the members of a network, over the hub's API, as its administrator.

Every step may be repeated: what an interrupted call has left is completed by the next one.
"""

import base64
import binascii
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from fedround_api import names
from fedround_api.kinds import Clinic, ClinicCertificate, ClinicSpec
from fedround_operator.enrolment import certificates as rules
from fedround_operator.enrolment.errors import EnrolmentError
from fedround_operator.enrolment.manifests import AGENT, AGENT_TOKEN, clinic_object, door_objects
from fedround_operator.kit import pki
from fedround_operator.kit.errors import AlreadyExists, NotFound
from fedround_operator.kit.instants import parse
from fedround_operator.kit.reading import read_kind
from fedround_operator.kit.resources import (
    CLINIC_ROUNDS,
    CLINICS,
    LEASES,
    NAMESPACES,
    ROLE_BINDINGS,
    ROLES,
    SECRETS,
    SERVICE_ACCOUNTS,
    Object,
    Resource,
)

_RESOURCES = {
    "Namespace": NAMESPACES,
    "ServiceAccount": SERVICE_ACCOUNTS,
    "Secret": SECRETS,
    "Role": ROLES,
    "RoleBinding": ROLE_BINDINGS,
    "Lease": LEASES,
}
# The hub's control plane fills a token in within a second; a hub whose controller does not run never does.
TOKEN_SECONDS = 30.0
_LOOK_SECONDS = 0.2


class AdminApi(Protocol):
    """The hub's API server, as far as this uses it."""

    def get(self, resource: Resource, namespace: str, name: str) -> Object: ...

    def list(
        self, resource: Resource, namespace: str | None = None, labels: dict[str, str] | None = None
    ) -> list[Object]: ...

    def create(self, resource: Resource, namespace: str, body: Object) -> Object: ...

    def patch(self, resource: Resource, namespace: str, name: str, body: Object) -> Object: ...

    def delete(self, resource: Resource, namespace: str, name: str) -> None: ...


class Revocations(Protocol):
    """The gateway's list."""

    def add(self, fingerprints: Iterable[str]) -> None: ...


@dataclass(frozen=True)
class Terms:
    """On what terms a request is admitted; ``labels`` are those of the Clinic, by which rounds choose."""

    lifetime: timedelta
    labels: Mapping[str, str] = field(default_factory=dict)
    replace_key: bool = False


@dataclass(frozen=True)
class Member:
    """A clinic with what its Lease says."""

    clinic: Clinic
    annotations: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.clinic.metadata.name

    @property
    def asks_for_renewal(self) -> bool:
        """Whether its agent waits for a certificate."""
        return self.annotations.get(names.RENEWAL_REQUEST_ANNOTATION) is not None and not self.is_answered

    @property
    def is_answered(self) -> bool:
        """Whether the answer stands in the Lease, not taken yet by its agent; what else stands there is none."""
        answer = self.annotations.get(names.RENEWED_CERTIFICATE_ANNOTATION)
        return any(one.pem == answer and not one.revoked for one in self.clinic.spec.certificates)


class Members:
    """The members of one network."""

    def __init__(self, api: AdminApi, network: str, *, revocations: Revocations, clock: Callable[[], datetime]) -> None:
        self._api, self._network, self._revocations, self._clock = api, network, revocations, clock

    def all(self) -> list[Member]:
        """Every member by name. What it says in its Lease counts only in the Lease of its own namespace."""
        leases = {
            lease["metadata"]["namespace"]: lease
            for lease in self._api.list(LEASES, labels={names.PART_OF: names.PART_OF_VALUE})
            if lease["metadata"]["name"] == names.LEASE_NAME
        }
        clinics = (read_kind(Clinic, found) for found in self._api.list(CLINICS, self._network))
        return [
            Member(
                clinic,
                leases.get(names.clinic_namespace(clinic.metadata.name), {}).get("metadata", {}).get("annotations")
                or {},
            )
            for clinic in sorted(clinics, key=lambda clinic: clinic.metadata.name)
        ]

    def admit(self, request: pki.Request, authority: pki.Authority, terms: Terms) -> bytes:
        """The certificate (PEM) of a clinic that is a member from now on, or was one with the same key already.

        Raises:
            EnrolmentError: the name is another key's, or the key was revoked.
            Conflict: somebody else changed the Clinic in between.
        """
        clinic, now = self._find(request.clinic), self._clock()
        spec = clinic.spec if clinic else ClinicSpec()
        rules.require_admissible(request, spec, replace_key=terms.replace_key)
        kept = spec
        if spec.certificates and spec.certificates[-1].key_sha256 != request.key_sha256:
            self._refuse(spec.certificates)
            kept = spec.model_copy(update={"certificates": rules.revoked(spec.certificates)})
        issued = rules.usable(request, kept, authority, now)
        if issued is None:
            issued = rules.record_of(authority.sign_clinic(request.pem, terms.lifetime))
        # First: a certificate that is on record can be revoked, whatever happens next.
        self._record(request.clinic, clinic, rules.with_certificate(kept, issued, now), terms.labels)
        self._make_door(request.clinic)
        return issued.pem.encode()

    def reopen(self, name: str) -> bytes:
        """Make what a member has on the hub where it is missing, as on one that was restored; its certificate (PEM).

        Raises:
            EnrolmentError: there is no such clinic, or it has no certificate that holds.
        """
        clinic = self._known(name)
        certificate = clinic.spec.certificate
        if certificate is None:
            raise EnrolmentError(f"clinic {name} was revoked, or never admitted: it needs a request of its own")
        if parse(certificate.expires_at) <= self._clock():
            ended = certificate.expires_at[:10]
            raise EnrolmentError(f"the certificate of clinic {name} ended on {ended}: it needs a request of its own")
        self._make_door(name)
        return certificate.pem.encode()

    def token(self, clinic: str) -> str:
        """The token of the clinic's agent, once the control plane has made it.

        Raises:
            EnrolmentError: it does not.
        """
        until = time.monotonic() + TOKEN_SECONDS
        while True:
            data = self._api.get(SECRETS, names.clinic_namespace(clinic), AGENT_TOKEN).get("data") or {}
            if data.get("token"):
                return _decoded(data["token"])
            if time.monotonic() > until:
                raise EnrolmentError(
                    f"the hub's control plane has made no token for clinic {clinic} in {TOKEN_SECONDS:.0f} s: look "
                    "whether its controller manager runs, then call again"
                )
            time.sleep(_LOOK_SECONDS)

    def renew(self, member: Member, authority: pki.Authority, lifetime: timedelta) -> ClinicCertificate:
        """Answer the request in a member's Lease; the certificate.

        Raises:
            EnrolmentError, RequestRefused: the request is not the clinic's own.
            Conflict: somebody else changed the Clinic in between.
        """
        text = member.annotations.get(names.RENEWAL_REQUEST_ANNOTATION, "")
        signature = member.annotations.get(names.RENEWAL_SIGNATURE_ANNOTATION, "")
        request, now, spec = pki.read_request(text.encode()), self._clock(), member.clinic.spec
        rules.require_renewal(request, signature, clinic=member.name, spec=spec, authority=authority, now=now)
        issued = rules.usable(request, spec, authority, now)
        if issued is None:
            issued = rules.record_of(authority.sign_clinic(request.pem, lifetime))
        self._record(member.name, member.clinic, rules.with_certificate(spec, issued, now))
        body = {"metadata": {"annotations": {names.RENEWED_CERTIFICATE_ANNOTATION: issued.pem}}}
        self._api.patch(LEASES, names.clinic_namespace(member.name), names.LEASE_NAME, body)
        return issued

    def revoke(self, name: str) -> list[ClinicCertificate]:
        """End a membership: what was revoked. The gateway refuses its certificates, the API its token.

        Raises:
            EnrolmentError: there is no such clinic.
        """
        clinic = self._known(name)
        ended = rules.revoked(clinic.spec.certificates)
        # The gateway first: it is what the clinic has to pass for everything else.
        self._refuse(ended)
        spec = {"suspended": True, "certificates": [one.dump() for one in ended]}
        version = clinic.metadata.resource_version
        self._api.patch(CLINICS, self._network, name, {"metadata": {"resourceVersion": version}, "spec": spec})
        door = names.clinic_namespace(name)
        self._api.delete(ROLE_BINDINGS, door, AGENT)
        self._api.delete(SECRETS, door, AGENT_TOKEN)
        for part in self._api.list(CLINIC_ROUNDS, door):
            self._api.delete(CLINIC_ROUNDS, door, part["metadata"]["name"])
        return ended

    def _refuse(self, certificates: Iterable[ClinicCertificate]) -> None:
        """Have the gateway refuse these, and all that were revoked before: a list that was lost comes back whole."""
        before = (one for member in self.all() for one in member.clinic.spec.certificates if one.revoked)
        self._revocations.add({one.sha256 for one in (*certificates, *before)})

    def _known(self, name: str) -> Clinic:
        clinic = self._find(name)
        if clinic is None:
            known = ", ".join(member.name for member in self.all()) or "none"
            raise EnrolmentError(f"there is no clinic {name} in namespace {self._network}: there are {known}")
        return clinic

    def _find(self, name: str) -> Clinic | None:
        try:
            return read_kind(Clinic, self._api.get(CLINICS, self._network, name))
        except NotFound:
            return None

    def _record(
        self,
        name: str,
        before: Clinic | None,
        certificates: list[ClinicCertificate],
        labels: Mapping[str, str] | None = None,
    ) -> None:
        if before is None:
            self._api.create(CLINICS, self._network, clinic_object(name, self._network, certificates, labels))
            return
        spec: Object = {"certificates": [one.dump() for one in certificates]}
        if before.spec.revoked:
            spec["suspended"] = False
        meta = {"resourceVersion": before.metadata.resource_version, "labels": dict(labels or {})}
        self._api.patch(CLINICS, self._network, name, {"metadata": meta, "spec": spec})

    def _make_door(self, name: str) -> None:
        for manifest in door_objects(name, self._network):
            self._apply(_RESOURCES[manifest["kind"]], manifest)

    def _apply(self, resource: Resource, manifest: Object) -> None:
        meta = manifest["metadata"]
        try:
            self._api.create(resource, meta.get("namespace", ""), manifest)
        except AlreadyExists:
            self._api.patch(resource, meta.get("namespace", ""), meta["name"], manifest)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise EnrolmentError("the hub's Secret with the clinic's token cannot be read") from error
