"""`fedround clinic revoke`: end a membership."""

import argparse
import json
import sys
from collections.abc import Sequence

from fedround_api.kinds import ClinicCertificate
from fedround_cli.arguments.exits import CommandExit
from fedround_cli.enrolling import journal_of, members_of, now
from fedround_operator.enrolment.errors import EnrolmentError
from fedround_operator.enrolment.replay import Entry, What
from fedround_operator.kit.instants import text_of


def run(options: argparse.Namespace) -> int:
    """Revoke; the exit code. What is urgent comes first: the journal is written when the clinic is out."""
    missing: str | None = None

    def out(ended: Sequence[ClinicCertificate]) -> None:
        nonlocal missing
        missing = note(options, ended)

    try:
        with members_of(options) as members:
            ended = members.revoke(options.name, out=out)
    except Exception:
        if missing is not None and options.ca is not None:
            print(f"clinic {options.name} is out, and not in the journal: {missing}", file=sys.stderr)
        raise
    if options.json:
        told = {"clinic": options.name, "revoked": [one.sha256 for one in ended], "noted": missing is None}
        print(json.dumps(told))
    else:
        tell(options.name, ended, missing)
    return CommandExit.DONE if missing is None or options.ca is None else CommandExit.FAILED


def note(options: argparse.Namespace, ended: Sequence[ClinicCertificate]) -> str | None:
    """Have the authority's journal know it; why it does not."""
    if options.state is not None:
        return None
    journal = journal_of(options)
    if journal is None:
        return "no --ca DIR was given"
    entry = Entry(
        at=text_of(now()),
        network=options.namespace,
        clinic=options.name,
        what=What.REVOKED,
        certificates=list(ended),
    )
    try:
        journal.add(entry)
    except (OSError, EnrolmentError) as error:
        return str(error)
    return None


def tell(name: str, ended: Sequence[ClinicCertificate], missing: str | None) -> None:
    """Say what was done; `missing` is why the journal has none of it."""
    print(f"clinic {name} is no member any more: {len(ended)} certificates refused, token and tasks removed")
    if not ended:
        print("no certificate of it was on record: one that it has still passes the gateway; the API refuses it")
    if missing is not None:
        print(
            f"not in the authority's journal: {missing}. A hub that is restored from a backup of before would take "
            f"{name} in again: call again with --ca DIR when the folder is at hand, unless you have approved {name} "
            "again since"
        )
