"""`fedround clinic ca`: the federation's authority, and the gateway's certificate."""

import argparse
from datetime import timedelta
from pathlib import Path

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.enrolling import passphrase_of, told
from fedround_operator.kit.pki import Authority

_COMMON_NAME = "fedround-federation"


def run(options: argparse.Namespace) -> int:
    """Make what is missing; the exit code."""
    folder: Path = options.folder
    is_new = not (folder / "ca.key").exists()
    with told():
        authority = Authority.ensure(folder, "ca", _COMMON_NAME, passphrase_of(options))
    print(
        f"{'made' if is_new else 'kept'} the authority in {folder}: ca.crt for the gateway, ca.key for nobody but you"
    )
    if is_new and options.passphrase_file is None:
        print("its key is not encrypted: keep the folder on a medium that only you can reach")
    if options.gateway:
        hosts = tuple(dict.fromkeys(options.gateway))
        pair = authority.issue_server(hosts[0], hosts, lifetime=timedelta(days=options.days))
        certificate, key = pair.write(folder, "gateway")
        print(f"wrote {certificate} and {key} for {', '.join(hosts)}, for {options.days} days")
    return CommandExit.DONE
