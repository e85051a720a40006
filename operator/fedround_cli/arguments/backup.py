"""`fedround hub backup|restore`, parsed."""

import argparse
from pathlib import Path

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.arguments.hub import add_gateway_namespace, add_hub, add_store
from fedround_cli.arguments.parsers import Commands, add_command, add_group


def add(commands: Commands) -> None:
    """Add the command."""
    actions = add_group(
        commands,
        "hub",
        "what a hub cannot make again: backup, restore",
        description="A backup of a hub in one file, and a new hub that goes on where the lost one was.",
        examples=[("hub backup FILE", "of the cluster that kubectl uses"), ("hub restore FILE", "into a new one")],
    )
    backup = add_command(
        actions,
        "backup",
        "write what of a hub cannot be made again into one file",
        description="Writes models with their pointers, rounds that have ended, clinics, the list of revoked "
        "certificates, and what these name of the object store: checkpoints and reports, each checked by its digest. "
        "Rounds go on meanwhile.",
        examples=[
            ("hub backup hub.tar", "of the cluster that kubectl uses"),
            ("hub backup hub.tar --store 127.0.0.1:8333", "the store by a forwarded port"),
        ],
        notes="No key, token, test set or update of a clinic is in it. It is for its owner only, as checkpoints and "
        "reports are not for all eyes.",
        exit_codes={
            CommandExit.DONE: "written",
            CommandExit.FAILED: "written without an old object that is damaged, or failed with the file as it was",
        },
        json="counts, rounds that had not ended, objects that the store has no more or that are damaged",
        runner="fedround_cli.backup",
    )
    backup.add_argument("file", type=Path, metavar="FILE", help="where to write it")
    _add_where(backup)
    restore = add_command(
        actions,
        "restore",
        "bring a backup into a hub that was installed anew",
        description="Brings a backup into a hub that has no models, rounds and clinics yet and whose operator is "
        "stopped. Everything is looked at first: where it does not fit, nothing is written. After an interruption, "
        "call it again.",
        examples=[
            ("hub restore hub.tar --ca DIR", "into the cluster that kubectl uses"),
            ("hub restore hub.tar --ca DIR --store 127.0.0.1:8333", "the store by a forwarded port"),
        ],
        notes="With --ca, who was revoked since the backup stays out, and certificates that were issued since are on "
        "record; without, both are to be done by hand. Tokens of clinics cannot be restored: `fedround clinic readmit` "
        "makes new ones. Rounds that had not ended are to be applied again.",
        exit_codes={CommandExit.DONE: "all is back", CommandExit.FAILED: "refused, or failed"},
        json="the moment of the backup, what was taken from the journal and when that begins, each model's version, "
        "rounds and clinics",
        runner="fedround_cli.restore",
    )
    restore.add_argument("file", type=Path, metavar="FILE", help="the backup")
    restore.add_argument(
        "--ca", type=Path, metavar="DIR", help="folder of the authority: what its journal has since the backup counts"
    )
    _add_where(restore)


def _add_where(parser: argparse.ArgumentParser) -> None:
    add_hub(parser)
    add_store(parser)
    add_gateway_namespace(parser)
