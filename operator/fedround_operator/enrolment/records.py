"""What the hub has of the members of a network, read and written over its API. Called by `members` alone.

Every write may be repeated: what an interrupted call has left is completed by the next one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from fedround_api import names
from fedround_api.kinds import Clinic, ClinicCertificate, ClinicSpec
from fedround_operator.enrolment.errors import EnrolmentError
from fedround_operator.enrolment.manifests import AGENT, AGENT_TOKEN, clinic_object, door_objects
from fedround_operator.kit import pki
from fedround_operator.kit.conflicts import retried
from fedround_operator.kit.errors import AlreadyExists, Conflict, Forbidden, NotFound
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


class AdminApi(Protocol):
    """The hub's API server, as far as this uses it."""

    def get(self, resource: Resource, namespace: str, name: str) -> Object: ...

    def list(
        self, resource: Resource, namespace: str | None = None, labels: dict[str, str] | None = None
    ) -> list[Object]: ...

    def create(self, resource: Resource, namespace: str, body: Object) -> Object: ...

    def patch(self, resource: Resource, namespace: str, name: str, body: Object) -> Object: ...

    def delete(self, resource: Resource, namespace: str, name: str) -> None: ...


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

    def request(self) -> pki.Request:
        """What it asks for.

        Raises:
            RequestRefused: it is no request.
        """
        return pki.read_request(self.annotations.get(names.RENEWAL_REQUEST_ANNOTATION, "").encode())

    @property
    def signature(self) -> str:
        """That of the request, by the key that the clinic has."""
        return self.annotations.get(names.RENEWAL_SIGNATURE_ANNOTATION, "")

    @property
    def is_answered(self) -> bool:
        """Whether the answer stands in the Lease, not taken yet by its agent; what else stands there is none."""
        answer = self.annotations.get(names.RENEWED_CERTIFICATE_ANNOTATION)
        return any(one.pem == answer and not one.revoked for one in self.clinic.spec.certificates)


class Records:
    """Clinics, and each clinic's door: its namespace on the hub with what is in it."""

    def __init__(self, api: AdminApi, network: str) -> None:
        self._api, self.network = api, network

    def require_network(self) -> None:
        """Nothing, where the network's namespace is there, or the caller has no right to see it.

        Raises:
            EnrolmentError: it is not.
        """
        try:
            self._api.get(NAMESPACES, "", self.network)
        except NotFound as error:
            raise EnrolmentError(
                f"there is no namespace {self.network} on the hub: name the network's with --namespace"
            ) from error
        except Forbidden:
            return

    def all(self) -> list[Member]:
        """Every member by name. What it says in its Lease counts only in the Lease of its own namespace."""
        leases = {
            lease["metadata"]["namespace"]: lease
            for lease in self._api.list(LEASES, labels={names.PART_OF: names.PART_OF_VALUE})
            if lease["metadata"]["name"] == names.LEASE_NAME
        }
        clinics = (read_kind(Clinic, found) for found in self._clinics())
        return [
            Member(
                clinic,
                leases.get(names.clinic_namespace(clinic.metadata.name), {}).get("metadata", {}).get("annotations")
                or {},
            )
            for clinic in sorted(clinics, key=lambda clinic: clinic.metadata.name)
        ]

    def known(self, name: str) -> Clinic:
        """A clinic.

        Raises:
            EnrolmentError: there is none of that name.
        """
        clinic = self.find(name)
        if clinic is None:
            known = ", ".join(sorted(one["metadata"]["name"] for one in self._clinics())) or "none"
            raise EnrolmentError(f"there is no clinic {name} in namespace {self.network}: there are {known}")
        return clinic

    def find(self, name: str) -> Clinic | None:
        """A clinic, if there is one of that name."""
        try:
            return read_kind(Clinic, self._api.get(CLINICS, self.network, name))
        except NotFound:
            return None

    def revoked(self) -> frozenset[str]:
        """All certificates that were revoked, of whichever clinic; one that cannot be read hides no other one's."""
        known = (one for clinic in self._clinics() for one in clinic.get("spec", {}).get("certificates", []))
        return frozenset(one["sha256"] for one in known if one.get("revoked"))

    def write(
        self, name: str, before: Clinic | None, spec: ClinicSpec, labels: Mapping[str, str] | None = None
    ) -> None:
        """Have the clinic be so; one that is there keeps its other labels.

        Raises:
            Conflict: somebody else has decided on it since it was read, or goes on writing it.
        """
        if before is None:
            self._api.create(CLINICS, self.network, clinic_object(name, self.network, spec.certificates, labels))
            return
        changed: Object = {"certificates": [one.dump() for one in spec.certificates]}
        if spec.suspended != before.spec.suspended:
            changed["suspended"] = spec.suspended

        def patch() -> None:
            found = self.known(name)
            # What the operator sees of a clinic, at least once a minute, stands in the same object and is in no way.
            if found.spec != before.spec:
                raise Conflict(f"clinic {name} was changed meanwhile")
            meta = {"resourceVersion": found.metadata.resource_version, "labels": dict(labels or {})}
            self._api.patch(CLINICS, self.network, name, {"metadata": meta, "spec": changed})

        retried(patch)

    def answer(self, name: str, certificate: ClinicCertificate) -> None:
        """Put the certificate that the clinic's agent has asked for into its Lease."""
        body = {"metadata": {"annotations": {names.RENEWED_CERTIFICATE_ANNOTATION: certificate.pem}}}
        self._api.patch(LEASES, names.clinic_namespace(name), names.LEASE_NAME, body)

    def open_door(self, name: str) -> None:
        """Make what is missing of the clinic's namespace on the hub."""
        for manifest in door_objects(name, self.network):
            self._apply(_RESOURCES[manifest["kind"]], manifest)

    def close_door(self, name: str) -> None:
        """Take rights, token and tasks from the clinic."""
        door = names.clinic_namespace(name)
        self._api.delete(ROLE_BINDINGS, door, AGENT)
        self.end_token(name)
        for part in self._api.list(CLINIC_ROUNDS, door):
            self._api.delete(CLINIC_ROUNDS, door, part["metadata"]["name"])

    def end_token(self, name: str) -> None:
        """The token that is out opens nothing any more; `open_door` has another one made."""
        self._api.delete(SECRETS, names.clinic_namespace(name), AGENT_TOKEN)

    def token_secret(self, name: str) -> Object:
        """The Secret into which the control plane puts the token."""
        return self._api.get(SECRETS, names.clinic_namespace(name), AGENT_TOKEN)

    def _clinics(self) -> list[Object]:
        return self._api.list(CLINICS, self.network)

    def _apply(self, resource: Resource, manifest: Object) -> None:
        meta = manifest["metadata"]
        try:
            self._api.create(resource, meta.get("namespace", ""), manifest)
        except AlreadyExists:
            self._api.patch(resource, meta.get("namespace", ""), meta["name"], manifest)
