"""What the end-to-end test stands on: a hub's cluster and some clinics', made for it or given by the environment."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from support.clusters.access import Access

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Ground:
    """The clusters. `*_values` are what the charts have to be told of them, beside what the guide's files say."""

    hub: Access
    clinics: Mapping[str, Access]
    #: host:port of the gateway as clinics reach it.
    gateway: str
    hub_values: Values
    clinic_values: Mapping[str, Values]
    cables: "Cables"
    #: Another tag of the programs' images, for an upgrade.
    next_tag: str
    #: Whether the clusters stay when the test is over, and what the test has made must go.
    stays: bool

    def all(self) -> Sequence[Access]:
        """The hub's, then the clinics'."""
        return [self.hub, *self.clinics.values()]


class Cables(Protocol):
    """How a clinic goes away."""

    def cut(self, clinic: str) -> AbstractContextManager[None]:
        """Without the hub for as long as the block lasts."""
