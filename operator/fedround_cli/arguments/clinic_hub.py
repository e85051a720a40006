"""`fedround clinic ca|approve|readmit|list|revoke`: what the network's administrator calls, at the hub."""

import argparse
import re
from ipaddress import ip_address
from pathlib import Path

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.arguments.hub import add_gateway_namespace, add_hub, host_and_port
from fedround_cli.arguments.parsers import Commands, add_command
from fedround_cli.arguments.types import clinic_name, whole_number


def add_ca(actions: Commands) -> None:
    """Add `ca`."""
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
        "--gateway",
        action="append",
        type=_host,
        metavar="HOST",
        help="name or address of the gateway, without a port; may be given again",
    )
    _add_days(ca, "of the gateway's certificate")
    _add_passphrase(ca)


def add_approve(actions: Commands) -> None:
    """Add `approve`."""
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


def add_readmit(actions: Commands) -> None:
    """Add `readmit`."""
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
    readmit.add_argument("names", type=clinic_name, nargs="*", metavar="NAME", help="of a clinic (default: all)")
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


def add_list(actions: Commands) -> None:
    """Add `list`."""
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


def add_revoke(actions: Commands) -> None:
    """Add `revoke`."""
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
    revoke.add_argument("name", type=clinic_name, metavar="NAME", help="of the clinic")
    revoke.add_argument("--ca", type=Path, metavar="DIR", help="folder of the authority, for its journal")
    add_hub(revoke)
    add_gateway_namespace(revoke)


def _add_days(parser: argparse.ArgumentParser, whose: str) -> None:
    parser.add_argument("--days", type=whole_number(1, 3650), default=365, metavar="N", help=f"lifetime {whose}")


def _add_passphrase(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--passphrase-file", type=Path, metavar="FILE", help="its first line opens the authority's key")


def _host(text: str) -> str:
    """What a certificate can be for: a client compares it with the host of the address, not with its port."""
    try:
        return str(ip_address(text))
    except ValueError:
        label = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
        if len(text) > 253 or not re.fullmatch(rf"{label}([.]{label})*", text):
            raise argparse.ArgumentTypeError(
                f"{text!r} is no name or address of a host: leave out scheme, port and path"
            ) from None
        return text


def _label(text: str) -> tuple[str, str]:
    key, found, value = text.partition("=")
    if not found or not re.fullmatch(r"([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", key):
        raise argparse.ArgumentTypeError(f"{text!r} is no KEY=VALUE")
    if not re.fullmatch(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?", value):
        raise argparse.ArgumentTypeError(f"{value!r} is no value of a label")
    return key, value
