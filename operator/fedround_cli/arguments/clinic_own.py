"""`fedround clinic request|preflight|rotate`: what a clinic calls, in its own cluster."""

import argparse
from pathlib import Path

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.arguments.parsers import Commands, add_command
from fedround_cli.arguments.types import clinic_name, whole_number

#: Where the charts put things unless told otherwise.
CLINIC_NAMESPACE, SECRET = "fedround", "fedround-certificate"


def add_request(actions: Commands) -> None:
    """Add `request`."""
    request = add_command(
        actions,
        "request",
        "in the clinic: make a key, and the request to become a member",
        description="Makes the clinic's private key in a Secret of the clinic's own cluster, and writes the request "
        "for its certificate. Only the request goes to the administrator. Called again, it asks for the same key.",
        examples=[
            ("clinic request north", "key into the cluster, request into north.csr"),
            ("clinic request north --key-file north.key", "without access to the cluster"),
            ("clinic request north --new-key", "the key is lost, or was revoked"),
        ],
        notes="It prints the digest of the key: read it to the administrator on the telephone, who sees the same one.",
        exit_codes={CommandExit.DONE: "written"},
        json="name, digest of the key, file",
        runner="fedround_cli.clinic_request",
    )
    request.add_argument("name", type=clinic_name, metavar="NAME", help="of the clinic, as the network will know it")
    request.add_argument("--output", type=Path, metavar="FILE", help="the request (default: NAME.csr)")
    request.add_argument("--key-file", type=Path, metavar="FILE", help="the key goes into this file, not the cluster")
    request.add_argument(
        "--new-key", action="store_true", help="make another key; the clinic is out until it is approved"
    )
    _add_cluster(request)
    request.add_argument("--create-namespace", action="store_true", help="make the namespace if it is not there")


def add_preflight(actions: Commands) -> None:
    """Add `preflight`."""
    preflight = add_command(
        actions,
        "preflight",
        "in the clinic: is it ready for a round, and what is to be mended?",
        description="Runs two Jobs as the agent would: one with the volumes and the lock of training looks at images, "
        "workspace, CPU and memory; one with the network of the other Jobs at certificate, clock, gateway and hub. "
        "Nothing is trained and nothing sent; the Jobs are removed at the end.",
        examples=[
            ("clinic preflight", "in the cluster that kubectl uses"),
            ("clinic preflight --image-size 224 --keep", "as the network's model needs it"),
            ("clinic preflight north --state DIR", "a clinic of the federation on this machine"),
        ],
        notes="Call it while no round trains here. With the rights of the namespace's administrator. --keep leaves the "
        "Jobs for a day: `kubectl logs` of the one for training names each image that was set aside.",
        exit_codes={CommandExit.DONE: "ready", CommandExit.FAILED: "something is to be mended"},
        json="the checks, each with its result and a sentence",
        runner="fedround_cli.clinic_preflight",
    )
    preflight.add_argument(
        "name", type=clinic_name, nargs="?", metavar="NAME", help="of the clinic; without --state not needed"
    )
    preflight.add_argument(
        "--image-size", type=_image_size, default=64, metavar="PX", help="of the network's model: what is tried"
    )
    preflight.add_argument(
        "--batch-size", type=whole_number(1, 4096), default=32, metavar="N", help="of its rounds: what is tried"
    )
    preflight.add_argument("--keep", action="store_true", help="leave the Jobs and their logs")
    preflight.add_argument(
        "--minutes", type=whole_number(1, 1440), default=30, metavar="N", help="longest time for reading all images"
    )
    _add_cluster(preflight, state=True, secret=False)


def add_rotate(actions: Commands) -> None:
    """Add `rotate`."""
    rotate = add_command(
        actions,
        "rotate",
        "in the clinic: have the agent ask for its next certificate now",
        description="Makes the clinic's next private key. Its agent asks for a certificate within half a minute, and "
        "takes both over, without a restart, once the administrator has approved it. By itself it does so 30 days "
        "before the end.",
        examples=[
            ("clinic rotate north", "in the cluster that kubectl uses"),
            ("clinic rotate north --state DIR", "a clinic of the federation on this machine"),
        ],
        notes="The certificate before holds until its end. If the key may be known to others, have the clinic revoked.",
        exit_codes={CommandExit.DONE: "the next key is there"},
        runner="fedround_cli.clinic_rotate",
    )
    rotate.add_argument("name", type=clinic_name, metavar="NAME", help="of the clinic")
    _add_cluster(rotate, state=True)


def _add_cluster(parser: argparse.ArgumentParser, *, state: bool = False, secret: bool = True) -> None:
    """The clinic's own cluster."""
    group = parser.add_argument_group("which cluster: the clinic's own")
    one = group.add_mutually_exclusive_group()
    if state:
        one.add_argument("--state", type=Path, metavar="DIR", help="the federation on this machine in this folder")
    else:
        parser.set_defaults(state=None)
    one.add_argument(
        "--kubeconfig", type=Path, metavar="FILE", help="(default: the environment's KUBECONFIG, else ~/.kube/config)"
    )
    group.add_argument("--context", metavar="NAME", help="context of the kubeconfig (default: its current one)")
    group.add_argument("-n", "--namespace", default=CLINIC_NAMESPACE, metavar="NAME", help="of the clinic's chart")
    if secret:
        group.add_argument("--secret", default=SECRET, metavar="NAME", help="Secret of the key")


def _image_size(text: str) -> int:
    size = whole_number(32, 512)(text)
    if size % 16:
        raise argparse.ArgumentTypeError(f"{text!r} is no multiple of 16")
    return size
