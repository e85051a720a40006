"""`fedround clinic readmit`: members that stay what they are, on a hub that lost what it had of them."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.enrolling import authorities, members_of
from fedround_cli.failures import UsageProblem
from fedround_operator.enrolment.bundle import Bundle
from fedround_operator.enrolment.members import Members
from fedround_operator.kit.privatefiles import write_private


def run(options: argparse.Namespace) -> int:
    """Write the files; the exit code."""
    if options.state is not None:
        raise UsageProblem("a federation on this machine has given its clinics their files: name a hub by --kubeconfig")
    ca = authorities((options.ca / "ca.crt").read_bytes(), options.gateway_ca)
    folder: Path = options.output or Path()
    with members_of(options) as members:
        written = {name: _write(members, name, folder, options.gateway, ca) for name in options.names or _all(members)}
    if options.json:
        print(json.dumps({"written": written}))
        return CommandExit.DONE
    for name, path in written.items():
        print(f"wrote {path}: send it to {name}, which gives it to its chart by `helm upgrade`")
    if not written:
        print("there is no member with a certificate")
    return CommandExit.DONE


def _all(members: Members) -> Sequence[str]:
    return [member.name for member in members.all() if member.clinic.spec.certificate is not None]


def _write(members: Members, name: str, folder: Path, gateway: str, ca: bytes) -> str:
    certificate = members.reopen(name)
    bundle = Bundle(name, gateway, ca.decode(), certificate.decode(), members.token(name))
    path = folder / f"{name}-membership.yaml"
    write_private(path, bundle.text().encode())
    return str(path)
