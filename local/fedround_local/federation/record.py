"""What was set up in a state folder, kept as federation.json: written once, read by every later command."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fedround_local.errors import StateUnusable

# One more whenever `up` applies other objects than before: what a federation has been given, it keeps.
OBJECTS: Final = 2


class FederationRecord(BaseModel):
    """The set-up of one federation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    objects: Literal[2]
    data: str
    split_by: str | None
    seed: int
    image_size: int
    initial: Annotated[str | None, Field(description="digest of the checkpoint that the model started from")] = None
    clinics: Annotated[Mapping[str, int], Field(min_length=1, description="cases of each clinic")]
    test_cases: int
    gateway_port: int
    metrics_ports: Mapping[str, int]


def read_record(path: Path) -> FederationRecord | None:
    """The record, or nothing where no federation was set up.

    Raises:
        StateUnusable: the file is not what this version writes.
    """
    try:
        return FederationRecord.model_validate_json(path.read_text())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise StateUnusable(
            f"{path} was not written by this version of fedround; use another --state folder, or remove this one"
        ) from error


def save_record(path: Path, record: FederationRecord) -> None:
    """Write it in one step."""
    part = path.with_suffix(".part")
    part.write_text(record.model_dump_json(indent=2) + "\n")
    part.replace(path)
