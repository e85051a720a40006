"""Clinic: a member of the network. Its namespace on the hub is ``clinic-<name>``."""

from typing import Annotated, ClassVar

from pydantic import Field

from fedround_api.fields import Instant, Part, list_map
from fedround_api.kinds.meta import Column, Condition, Kind, Metadata, Presentation

AVAILABLE = "Available"


class ClinicSpec(Part):
    """What the network decides about a member."""

    suspended: Annotated[bool, Field(description="not asked to take part in new rounds")] = False


class ClinicStatus(Part):
    """What the hub sees of a member."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    conditions: Annotated[list[Condition], Field(max_length=16, json_schema_extra=list_map("type"))] = Field(
        default_factory=list
    )
    last_seen: Instant | None = None
    agent_version: Annotated[str | None, Field(max_length=64)] = None
    case_volume: Annotated[int | None, Field(ge=0, description="as declared in the clinic's policy")] = None


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
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        name_limit=30,
    )

    metadata: Metadata
    spec: ClinicSpec = Field(default_factory=ClinicSpec)
    status: ClinicStatus = Field(default_factory=ClinicStatus)
