"""What a decision can ask for. Each action is repeatable: done twice, it leaves the same world."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fedround_api.kinds import FederatedModel, FederatedModelStatus
from fedround_operator.kit.resources import Object


@dataclass(frozen=True)
class MakeJob:
    """Make a Job; one of that name is fine."""

    manifest: Object


@dataclass(frozen=True)
class RemoveJob:
    """Remove a Job that still runs; none of that name is fine."""

    namespace: str
    name: str


@dataclass(frozen=True)
class MakePart:
    """Make a clinic's part in the round, with fresh URLs; one of that name is fine."""

    clinic: str


@dataclass(frozen=True)
class ChangePart:
    """Change what may change in a part's spec, as a merge patch; ``fresh_urls`` signs its URLs anew."""

    clinic: str
    spec: Mapping[str, Any]
    fresh_urls: bool = False


@dataclass(frozen=True)
class WriteModel:
    """Write the model's status if nobody has written it since it was seen: the compare-and-swap."""

    seen: FederatedModel
    status: FederatedModelStatus


Action = MakeJob | RemoveJob | MakePart | ChangePart | WriteModel
