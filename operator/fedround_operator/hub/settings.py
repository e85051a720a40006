"""What the hub's operator is told when it starts."""

import argparse
from dataclasses import dataclass

from fedround_api.jobs import StoreAddress
from fedround_operator.kit.jobmanifests import NOBODY, RunAs

# In the namespace of the hub's chart: held by the one operator that works.
OPERATOR_LEASE = "fedround-operator"


@dataclass(frozen=True)
class HubSettings:
    """The network, images and store; the same for all rounds."""

    network: str
    image: str
    store: StoreAddress
    store_secret: str
    run_as: RunAs = NOBODY


def store_address(options: argparse.Namespace) -> StoreAddress:
    """Where the store is, as options of the hub's programs say it.

    Raises:
        ValueError: `store-https` is neither true nor false.
    """
    return StoreAddress(
        endpoint=options.store_endpoint,
        bucket=options.store_bucket,
        region=options.store_region,
        https=options.store_https,
    )
