"""What all kinds share: metadata, conditions, and how a kind presents itself to kubectl."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from fedround_api import names
from fedround_api.fields import Instant, Part


class Metadata(Part):
    """The part of ObjectMeta that fedround reads."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)

    @property
    def stored_uid(self) -> str:
        """The UID by which the object store knows it: its own, or the one that it had before it was restored."""
        return self.annotations.get(names.STORED_UID_ANNOTATION, self.uid)


class Condition(Part):
    """One condition (metav1.Condition)."""

    type: Annotated[str, Field(pattern="^[A-Z][A-Za-z]*$", max_length=64)]
    status: Literal["True", "False", "Unknown"]
    reason: Annotated[str, Field(pattern="^[A-Z][A-Za-z]*$", max_length=64)]
    message: Annotated[str, Field(max_length=1024)] = ""
    observed_generation: Annotated[int, Field(ge=0)] = 0
    last_transition_time: Instant


@dataclass(frozen=True)
class Column:
    """An additional printer column of `kubectl get`."""

    name: str
    json_path: str
    type: str = "string"
    priority: int = 0
    description: str = ""


@dataclass(frozen=True)
class Presentation:
    """The names under which the API server serves a kind, its columns, and CEL rules on the whole object."""

    plural: str
    short_names: tuple[str, ...]
    columns: tuple[Column, ...]
    name_limit: int
    selectable: tuple[str, ...] = ()

    @property
    def singular(self) -> str:
        return self.plural.removesuffix("s")


class Kind(Part):
    """An object of the group; subclasses add ``spec`` and ``status``."""

    presentation: ClassVar[Presentation]

    metadata: Metadata


def find_condition(conditions: Iterable[Condition], type_: str) -> Condition | None:
    """The condition of that type, if it is set."""
    return next((condition for condition in conditions if condition.type == type_), None)


def is_true(conditions: Iterable[Condition], type_: str) -> bool:
    """Whether the condition is set and True."""
    condition = find_condition(conditions, type_)
    return condition is not None and condition.status == "True"
