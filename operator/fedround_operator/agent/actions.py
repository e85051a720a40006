"""What a decision can ask for. Each action is repeatable: done twice, it leaves the same world."""

from dataclasses import dataclass

from fedround_operator.kit.resources import Object


@dataclass(frozen=True)
class MakeJob:
    """Make a Job; one of that name is fine."""

    manifest: Object


@dataclass(frozen=True)
class RemoveJob:
    """Remove a Job that still runs; none of that name is fine."""

    name: str


Action = MakeJob | RemoveJob
