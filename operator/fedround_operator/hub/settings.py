"""What the hub's operator is told when it starts."""

from dataclasses import dataclass

from fedround_api.jobs import StoreAddress


@dataclass(frozen=True)
class HubSettings:
    """Images, store and limits; the same for all rounds."""

    image: str
    store: StoreAddress
    store_secret: str
