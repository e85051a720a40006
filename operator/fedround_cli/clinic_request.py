"""`fedround clinic request`: the clinic's private key, made where it stays, and the request for its certificate."""

import argparse
import json
import os
from pathlib import Path

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.clinic_keys import ensure_key
from fedround_cli.connection import connect_cluster
from fedround_cli.enrolling import told
from fedround_operator.enrolment.certificates import short
from fedround_operator.kit import pki


def run(options: argparse.Namespace) -> int:
    """Write the request; the exit code."""
    output: Path = options.output or Path(f"{options.name}.csr")
    with told():
        key, where = (_from_file(options), str(options.key_file)) if options.key_file else _from_cluster(options)
        request, digest = pki.request_for(options.name, key), pki.key_digest(key)
    output.write_bytes(request)
    if options.json:
        print(json.dumps({"clinic": options.name, "keySha256": digest, "request": str(output), "key": where}))
        return CommandExit.DONE
    print(f"wrote {output}; the private key is in {where}, and stays there")
    print(f"digest of the key, to be read to the administrator on the telephone:\n  {short(digest)}")
    print(f"next: send {output} to the network's administrator; the answer is one file, {options.name}-membership.yaml")
    if options.key_file:
        print(
            "      and before the chart is installed, bring the key into the cluster:\n"
            f"      kubectl create secret generic {options.secret} -n {options.namespace} "
            f"--from-file=tls.key={options.key_file}"
        )
    return CommandExit.DONE


def _from_cluster(options: argparse.Namespace) -> tuple[bytes, str]:
    connection = connect_cluster(options, "cluster of the clinic")
    with told(connection.advice):
        key = ensure_key(connection.api, options)
    return key, f"Secret {options.secret} of namespace {options.namespace}"


def _from_file(options: argparse.Namespace) -> bytes:
    """The key in the file; made there if it is new, or anew with `--new-key`."""
    path: Path = options.key_file
    if path.exists() and not options.new_key:
        return path.read_bytes()
    key = pki.new_key()
    path.unlink(missing_ok=True)
    # Nobody else may have opened it before.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
    return key
