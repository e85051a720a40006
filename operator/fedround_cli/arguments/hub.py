"""The options that say which hub a command asks."""

import argparse
import re
from pathlib import Path

from fedround_api.addresses import HOST_AND_PORT_PATTERN

#: What a hub's namespace is called where nobody says otherwise.
NAMESPACE = "skin-network"
#: And that of its chart.
GATEWAY_NAMESPACE = "fedround-system"


def add_hub(parser: argparse.ArgumentParser) -> None:
    """`--state DIR` for a federation on this machine, or what kubectl takes."""
    group = parser.add_argument_group("which hub")
    one = group.add_mutually_exclusive_group()
    one.add_argument("--state", type=Path, metavar="DIR", help="the federation on this machine in this folder")
    one.add_argument(
        "--kubeconfig",
        type=Path,
        metavar="FILE",
        help="leads to the hub (default: the environment's KUBECONFIG, else ~/.kube/config)",
    )
    group.add_argument("--context", metavar="NAME", help="context of the kubeconfig (default: its current one)")
    group.add_argument("-n", "--namespace", default=NAMESPACE, metavar="NAME", help="namespace of the network")


def add_store(parser: argparse.ArgumentParser) -> None:
    """Where the caller reaches the hub's object store, if not where the hub does."""
    parser.add_argument(
        "--store",
        type=host_and_port,
        metavar="HOST:PORT",
        help="object store, as it is reached from here (default: as the hub reaches it)",
    )


def add_gateway_namespace(parser: argparse.ArgumentParser) -> None:
    """Where the hub's chart was installed."""
    parser.add_argument(
        "--gateway-namespace",
        default=GATEWAY_NAMESPACE,
        metavar="NAME",
        help="of the hub's chart, for its list of revoked certificates",
    )


def host_and_port(text: str) -> str:
    """Reads HOST:PORT."""
    if not re.fullmatch(HOST_AND_PORT_PATTERN, text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no HOST:PORT: a name or an IPv4 address, a colon and a port up to 65535"
        )
    return text
