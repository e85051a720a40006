"""Clinic: a member of the network. Its namespace on the hub is ``clinic-<name>``."""

from typing import Annotated, ClassVar

from pydantic import Field

from fedround_api.fields import Digest, Instant, Part, list_map
from fedround_api.kinds.meta import Column, Condition, Kind, Metadata, Presentation

AVAILABLE = "Available"
CERTIFICATE_VALID = "CertificateValid"
RENEWAL_REQUESTED = "RenewalRequested"


class ClinicCertificate(Part):
    """A certificate that the network's administrator has issued to the member; nothing in it is secret."""

    sha256: Annotated[Digest, Field(description="fingerprint, as in the gateway's list of revoked certificates")]
    key_sha256: Annotated[Digest, Field(description="of the public key: tells whether another one asks for its name")]
    issued_at: Instant
    expires_at: Instant
    revoked: bool = False
    pem: Annotated[str, Field(max_length=4096)]


class ClinicSpec(Part):
    """What the network decides about a member."""

    suspended: Annotated[bool, Field(description="not asked to take part in new rounds")] = False
    certificates: Annotated[
        list[ClinicCertificate],
        Field(
            max_length=16,
            description="written by `fedround clinic approve` and `revoke`: all that can be used, the newest last, "
            "and without their text those that are over and had a key that was revoked",
            json_schema_extra=list_map("sha256"),
        ),
    ] = Field(default_factory=list)

    @property
    def certificate(self) -> ClinicCertificate | None:
        """The newest one that is not revoked."""
        return next((one for one in reversed(self.certificates) if not one.revoked), None)

    @property
    def revoked(self) -> bool:
        """Whether the member was one, and no longer is."""
        return bool(self.certificates) and self.certificate is None


class ClinicStatus(Part):
    """What the hub sees of a member."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    conditions: Annotated[list[Condition], Field(max_length=16, json_schema_extra=list_map("type"))] = Field(
        default_factory=list
    )
    last_seen: Instant | None = None
    agent_version: Annotated[str | None, Field(max_length=64)] = None
    case_volume: Annotated[int | None, Field(ge=0, description="as declared in the clinic's policy")] = None
    certificate_expires_at: Instant | None = None


class Clinic(Kind):
    """A member of the network."""

    presentation: ClassVar[Presentation] = Presentation(
        plural="clinics",
        short_names=("clinic",),
        columns=(
            Column("Available", ".status.conditions[?(@.type=='Available')].status"),
            Column("Suspended", ".spec.suspended", "boolean"),
            Column("Cases", ".status.caseVolume", "integer"),
            Column("Last seen", ".status.lastSeen", "date"),
            Column("Agent", ".status.agentVersion", priority=1),
            Column("Certificate until", ".status.certificateExpiresAt", priority=1),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        name_limit=30,
    )

    metadata: Metadata
    spec: ClinicSpec = Field(default_factory=ClinicSpec)
    status: ClinicStatus = Field(default_factory=ClinicStatus)
