"""`fedround clinic ca|request|approve|readmit|list|preflight|rotate|revoke`, parsed."""

import argparse
import re
from pathlib import Path

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.arguments.hub import add_gateway_namespace, add_hub, host_and_port
from fedround_cli.arguments.parsers import Commands, add_command, add_group
from fedround_cli.arguments.types import whole_number

#: Where the charts put things unless told otherwise.
CLINIC_NAMESPACE, SECRET = "fedround", "fedround-certificate"


def add(commands: Commands) -> None:
    """Add the command."""
    actions = add_group(
        commands,
        "clinic",
        "members: ca, request, approve, list, preflight, ...",
        description="How a clinic becomes a member of the network and stays one. Its private key is made in the clinic "
        "and never leaves it; the key of the federation's authority stays with the administrator.",
        examples=[
            ("clinic request north", "in the clinic: make a key and a request"),
            ("clinic approve north.csr --ca DIR --gateway HOST:443", "the administrator's answer"),
            ("clinic list", "who is a member, and until when"),
            ("clinic preflight", "in the clinic: is it ready for a round?"),
        ],
    )
    _add_ca(actions)
    _add_request(actions)
    _add_approve(actions)
    _add_readmit(actions)
    _add_list(actions)
    _add_preflight(actions)
    _add_rotate(actions)
    _add_revoke(actions)


def _add_ca(actions: Commands) -> None:
    ca = add_command(
        actions,
        "ca",
        "make the federation's certificate authority",
        description="Makes the authority that admits clinics: ca.crt, which the gateway gets, and ca.key, which stays "
        "with the administrator and out of every cluster. One that is there already is kept.",
        examples=[
            ("clinic ca DIR --passphrase-file FILE", "make it"),
            ("clinic ca DIR --gateway fedround.example.org", "and a certificate for the gateway"),
        ],
        notes="--gateway writes gateway.crt and gateway.key, for the gateway's Secret; call it again before they end. "
        "A gateway may have a certificate of any other authority as well.",
        exit_codes={CommandExit.DONE: "it is there"},
        runner="fedround_cli.clinic_ca",
    )
    ca.add_argument("folder", type=Path, metavar="DIR", help="folder of the authority")
    ca.add_argument(
        "--gateway", action="append", metavar="HOST", help="name or address of the gateway; may be given again"
    )
    _add_days(ca, "of the gateway's certificate")
    _add_passphrase(ca)


def _add_request(actions: Commands) -> None:
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
    request.add_argument("name", type=_clinic_name, metavar="NAME", help="of the clinic, as the network will know it")
    request.add_argument("--output", type=Path, metavar="FILE", help="the request (default: NAME.csr)")
    request.add_argument("--key-file", type=Path, metavar="FILE", help="the key goes into this file, not the cluster")
    request.add_argument(
        "--new-key", action="store_true", help="make another key; the clinic is out until it is approved"
    )
    _add_cluster(request)
    request.add_argument("--create-namespace", action="store_true", help="make the namespace if it is not there")


def _add_approve(actions: Commands) -> None:
    approve = add_command(
        actions,
        "approve",
        "admit a clinic by its request; renew certificates; see what waits",
        description="With FILE it makes the clinic a member on the hub and writes the one file that the clinic needs: "
        "values for its chart. With --renewals it answers agents that ask for their next certificate. With neither it "
        "lists those.",
        examples=[
            ("clinic approve north.csr --ca DIR --gateway fedround.example.org:443", "admit"),
            ("clinic approve --renewals --ca DIR", "certificates that end soon"),
            ("clinic approve", "what waits?"),
        ],
        notes="Needs the rights of the hub's administrator. Called again with the same file it writes the same answer. "
        "What is issued is noted in journal.jsonl beside ca.crt: back it up with the authority.",
        exit_codes={CommandExit.DONE: "done, or nothing waits", CommandExit.FAILED: "refused, or failed"},
        json="who was admitted or renewed, or who waits",
        runner="fedround_cli.clinic_approve",
    )
    approve.add_argument("file", type=Path, nargs="?", metavar="FILE", help="request of a clinic")
    approve.add_argument("--renewals", action="store_true", help="answer all agents that ask for a certificate")
    approve.add_argument("--ca", type=Path, metavar="DIR", help="folder of the authority (`fedround clinic ca`)")
    approve.add_argument("--gateway", type=host_and_port, metavar="HOST:PORT", help="as the clinic reaches it")
    approve.add_argument(
        "--gateway-ca", type=Path, metavar="FILE", help="authority of the gateway's certificate, if another one"
    )
    approve.add_argument("--output", type=Path, metavar="FILE", help="the answer (default: NAME-membership.yaml)")
    approve.add_argument(
        "--label", action="append", type=_label, metavar="KEY=VALUE", help="label of the Clinic; may be given again"
    )
    approve.add_argument(
        "--replace-key", action="store_true", help="a member that has made a new key; the one before is revoked"
    )
    _add_days(approve, "of the clinic's certificate")
    _add_passphrase(approve)
    add_hub(approve)
    add_gateway_namespace(approve)


def _add_readmit(actions: Commands) -> None:
    readmit = add_command(
        actions,
        "readmit",
        "let members in again on a hub that was restored",
        description="Brings members up to the authority's journal, which knows who was revoked and what was issued "
        "since a backup; makes what a member has on the hub where it is missing, and writes the file that its chart "
        "needs, with the certificate that it has. Also for one that lost its token or file. The authority's key is not "
        "needed.",
        examples=[
            ("clinic readmit --ca DIR --gateway fedround.example.org:443", "of all members"),
            ("clinic readmit north --ca DIR --gateway fedround.example.org:443", "of one"),
        ],
        notes="The file holds a token: send it as you would send a password.",
        exit_codes={CommandExit.DONE: "written", CommandExit.FAILED: "a clinic was refused, or failed"},
        json="the files by clinic, who was refused, and what was taken from the journal",
        runner="fedround_cli.clinic_readmit",
    )
    readmit.add_argument("names", type=_clinic_name, nargs="*", metavar="NAME", help="of a clinic (default: all)")
    readmit.add_argument(
        "--ca", type=Path, required=True, metavar="DIR", help="folder of the authority, for ca.crt and the journal"
    )
    readmit.add_argument(
        "--gateway", type=host_and_port, required=True, metavar="HOST:PORT", help="as the clinics reach it"
    )
    readmit.add_argument(
        "--gateway-ca", type=Path, metavar="FILE", help="authority of the gateway's certificate, if another one"
    )
    readmit.add_argument("--output", type=Path, metavar="DIR", help="folder for the files (default: this one)")
    add_hub(readmit)
    add_gateway_namespace(readmit)


def _add_list(actions: Commands) -> None:
    listing = add_command(
        actions,
        "list",
        "members: available or not, certificates, what waits",
        description="Each member with whether its agent is there, until when its certificate holds, its agent's "
        "version, and whether it asks for its next certificate.",
        examples=[
            ("clinic list", "of the cluster that kubectl uses"),
            ("clinic list --state DIR --json", "of a federation on this machine, for programs"),
        ],
        exit_codes={CommandExit.DONE: "listed, be there members or not"},
        json="the members with their certificates",
        runner="fedround_cli.clinic_list",
    )
    add_hub(listing)


def _add_preflight(actions: Commands) -> None:
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
        "name", type=_clinic_name, nargs="?", metavar="NAME", help="of the clinic; without --state not needed"
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


def _add_rotate(actions: Commands) -> None:
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
    rotate.add_argument("name", type=_clinic_name, metavar="NAME", help="of the clinic")
    _add_cluster(rotate, state=True)


def _add_revoke(actions: Commands) -> None:
    revoke = add_command(
        actions,
        "revoke",
        "end a membership at once",
        description="The gateway refuses the clinic's certificates within a second, the hub its token; what it was "
        "asked to do is withdrawn, and it is asked no more. Rounds that run go on without it.",
        examples=[
            ("clinic revoke north --ca DIR", "in the cluster that kubectl uses"),
            ("clinic revoke north --state DIR", "in a federation on this machine"),
        ],
        notes="--ca notes it in the authority's journal, so that no backup of before takes the clinic in again. Where "
        "the folder is locked away, revoke without it, and call again with it later. To take it in again it needs a "
        "new key: `fedround clinic request NAME --new-key`, then `fedround clinic approve FILE --replace-key`.",
        exit_codes={CommandExit.DONE: "revoked", CommandExit.FAILED: "refused, or revoked and not noted"},
        json="the fingerprints that were revoked, and whether the journal has it",
        runner="fedround_cli.clinic_revoke",
    )
    revoke.add_argument("name", type=_clinic_name, metavar="NAME", help="of the clinic")
    revoke.add_argument("--ca", type=Path, metavar="DIR", help="folder of the authority, for its journal")
    add_hub(revoke)
    add_gateway_namespace(revoke)


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


def _add_days(parser: argparse.ArgumentParser, whose: str) -> None:
    parser.add_argument("--days", type=whole_number(1, 3650), default=365, metavar="N", help=f"lifetime {whose}")


def _add_passphrase(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help="its first line opens the authority's key")


def _clinic_name(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,28}[a-z0-9])?", text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no name of a clinic: 1 to 30 of a-z, 0-9 and '-', with '-' neither first nor last"
        )
    return text


def _image_size(text: str) -> int:
    size = whole_number(32, 512)(text)
    if size % 16:
        raise argparse.ArgumentTypeError(f"{text!r} is no multiple of 16")
    return size


def _label(text: str) -> tuple[str, str]:
    key, found, value = text.partition("=")
    if not found or not re.fullmatch(r"([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", key):
        raise argparse.ArgumentTypeError(f"{text!r} is no KEY=VALUE")
    if not re.fullmatch(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?", value):
        raise argparse.ArgumentTypeError(f"{value!r} is no value of a label")
    return key, value
