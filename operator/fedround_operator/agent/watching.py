"""Which events make which keys: the agent watches the parts in its namespace on the hub. Pure."""

from collections.abc import Iterable, Mapping

from fedround_operator.agent.reconcilers import PART
from fedround_operator.kit.controller import EventKeys, Key
from fedround_operator.kit.resources import CLINIC_ROUNDS, Object, Resource


def _part(found: Object, _: bool) -> Iterable[Key]:
    yield Key(PART, found["metadata"]["namespace"], found["metadata"]["name"])


WATCHED: Mapping[Resource, EventKeys] = {CLINIC_ROUNDS: _part}
