"""`fedround clinic revoke`: end a membership."""

import argparse
import json

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.enrolling import members_of


def run(options: argparse.Namespace) -> int:
    """Revoke; the exit code."""
    with members_of(options) as members:
        ended = members.revoke(options.name)
    if options.json:
        print(json.dumps({"clinic": options.name, "revoked": [one.sha256 for one in ended]}))
        return CommandExit.DONE
    print(f"clinic {options.name} is no member any more: {len(ended)} certificates refused, token and tasks removed")
    if not ended:
        print("no certificate of it was on record: one that it has still passes the gateway; the API refuses it")
    return CommandExit.DONE
