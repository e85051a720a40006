"""`fedround clinic readmit`: members that stay what they are, on a hub that lost what it had of them."""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.enrolling import authorities, members_of, missed_data, missed_lines
from fedround_cli.failures import UsageProblem
from fedround_operator.enrolment.bundle import Bundle
from fedround_operator.enrolment.errors import EnrolmentError
from fedround_operator.enrolment.journal import Journal
from fedround_operator.enrolment.members import Members
from fedround_operator.enrolment.replay import Entry, expected
from fedround_operator.kit.privatefiles import write_private


@dataclass
class Answers:
    """By clinic: the file that was written, or why there is none."""

    written: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Common:
    """What all files share; `folder` is where they go."""

    gateway: str
    ca: str
    folder: Path


def run(options: argparse.Namespace) -> int:
    """Write the files; the exit code."""
    if options.state is not None:
        raise UsageProblem("a federation on this machine has given its clinics their files: name a hub by --kubeconfig")
    ca = authorities((options.ca / "ca.crt").read_bytes(), options.gateway_ca)
    common = Common(options.gateway, ca.decode(), options.output or Path())
    with members_of(options) as members:
        journal = Journal(options.ca)
        entries = journal.entries(options.namespace)
        missed = members.catch_up(entries)
        answers = readmit(members, options.names, common)
        unknown = sorted(expected(entries) - {member.name for member in members.all()})
    if options.json:
        told = {"written": answers.written, "refused": answers.refused, "unknown": unknown}
        print(json.dumps({**told, "journal": missed_data(missed) if journal.is_there else None}))
    else:
        for line in journal_lines(journal, missed, unknown):
            print(line)
        _tell(answers)
    return CommandExit.FAILED if answers.refused else CommandExit.DONE


def readmit(members: Members, names: Sequence[str], common: Common) -> Answers:
    """Each by itself, or all that are not revoked: one that is refused must not keep the others out."""
    answers = Answers()
    for name in names or _all(members):
        try:
            answers.written[name] = str(_write(members, name, common))
        except EnrolmentError as error:
            answers.refused[name] = str(error)
    return answers


def _all(members: Members) -> Sequence[str]:
    return [member.name for member in members.all() if member.clinic.spec.certificate is not None]


def _write(members: Members, name: str, common: Common) -> Path:
    certificate = members.reopen(name)
    bundle = Bundle(name, common.gateway, common.ca, certificate.decode(), members.token(name))
    path = common.folder / f"{name}-membership.yaml"
    write_private(path, bundle.text().encode())
    return path


def journal_lines(journal: Journal, missed: Sequence[Entry], unknown: Sequence[str]) -> Iterator[str]:
    """What became of members by the journal, and what is left to do by hand."""
    if not journal.is_there:
        yield f"there is no {journal.path}: on a hub that was restored, revoke again whom you revoked since its backup"
    if missed:
        yield "taken from the authority's journal, as the hub did not know it:"
        yield from missed_lines(missed)
    for name in unknown:
        yield f"the journal knows clinic {name}, this hub does not: if it is a member, approve its request again"


def _tell(answers: Answers) -> None:
    for name, path in answers.written.items():
        print(f"wrote {path}: send it to {name}, which gives it to its chart by `helm upgrade`")
    for name, why in answers.refused.items():
        print(f"refused {name}: {why}")
    if not answers.written and not answers.refused:
        print("there is no member with a certificate")
