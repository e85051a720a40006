"""`fedround clinic rotate`: have a clinic's agent ask for its next certificate before it would by itself."""

import argparse

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.clinic_keys import ensure_next_key
from fedround_cli.connection import connect_cluster
from fedround_cli.enrolling import told


def run(options: argparse.Namespace) -> int:
    """Make the next key; the exit code."""
    connection = connect_cluster(options, "cluster of the clinic")
    if options.state is not None:
        from fedround_local.federation.layout import local_namespace  # noqa: PLC0415

        options.namespace = local_namespace(options.name)
    with told(connection.advice):
        made = ensure_next_key(connection.api, options)
    if made:
        print(f"made the next key of clinic {options.name}: its agent asks for the certificate within half a minute")
    else:
        print(f"clinic {options.name} has its next key already, and its agent asks for the certificate")
    print("next: the network's administrator calls `fedround clinic approve --renewals`")
    return CommandExit.DONE
