"""`fedround clinic preflight`: whether a clinic is ready for a round, as two Jobs in its own cluster find it."""

import argparse
import json
import secrets
import shlex
import sys
import textwrap
from collections.abc import Iterator, Sequence

from fedround_api.checks import CheckReport, CheckResult
from fedround_api.policyfile import PolicyInvalid
from fedround_cli.arguments.exits import CommandExit
from fedround_cli.connection import HubError, connect_cluster
from fedround_cli.enrolling import ClinicError, told
from fedround_cli.failures import UsageProblem
from fedround_cli.plain import printable
from fedround_cli.preflighting import Ways, checks_made
from fedround_operator.agent.installed import LABELS, InstallationUnusable, installed_by, policy_of
from fedround_operator.agent.preflight import TRAIN, Installed, Trying, job_name
from fedround_operator.kit.api import KubeApi
from fedround_operator.kit.resources import CONFIG_MAPS, DEPLOYMENTS

_WIDTH = 79
_WORDS = {
    CheckResult.OK: "ok",
    CheckResult.NOTE: "note",
    CheckResult.FAILED: "FAILED",
    CheckResult.SKIPPED: "-",
}

Found = Sequence[tuple[str, CheckReport]]


def run(options: argparse.Namespace) -> int:
    """Make the checks and print them; the exit code."""
    if options.state is not None and options.name is None:
        raise UsageProblem(
            "--state holds several clinics: name one, as in `fedround clinic preflight NAME --state DIR`"
        )
    connection = connect_cluster(options, "cluster of the clinic")
    with told(connection.advice):
        installed = _of_federation(options) if options.state is not None else _of_cluster(options, connection.api)
        trying = Trying(secrets.token_hex(3), options.image_size, options.batch_size, options.minutes * 60)
        found = checks_made(connection.api, installed, trying, Ways(say=_say), keep=options.keep)
    failed = [one for _, one in found if one.result is CheckResult.FAILED]
    clinic = installed.settings.clinic
    print(json.dumps(_document(clinic, found)) if options.json else "\n".join(lines(installed, found)))
    if options.keep and not options.json:
        job = f"-n {installed.settings.namespace} job/{job_name(TRAIN, trying.mark)}"
        print(f"kept for a day: {_kubectl(options)} logs {job}")
    return CommandExit.FAILED if failed else CommandExit.DONE


def _of_cluster(options: argparse.Namespace, api: KubeApi) -> Installed:
    """What the agent's Deployment in the namespace says.

    Raises:
        HubError: there is none, or several.
        ClinicError: it is another clinic's, or cannot be understood.
    """
    deployments = api.list(DEPLOYMENTS, options.namespace, LABELS)
    if len(deployments) != 1:
        raise HubError(
            f"namespace {options.namespace} has {len(deployments)} agents: install the clinic's chart first, or name "
            "its namespace by -n"
        )
    try:
        policy = api.get(CONFIG_MAPS, options.namespace, policy_of(deployments[0]))
        installed = installed_by(deployments[0], policy)
    except InstallationUnusable as error:
        raise ClinicError(str(error)) from error
    if options.name not in (None, installed.settings.clinic):
        raise ClinicError(
            f"namespace {options.namespace} has the agent of clinic {installed.settings.clinic}: name that one, or "
            "another namespace by -n"
        )
    return installed


def _of_federation(options: argparse.Namespace) -> Installed:
    from fedround_local.federation.federation import Federation  # noqa: PLC0415
    from fedround_local.federation.installation import installation  # noqa: PLC0415

    try:
        return installation(Federation(options.state, print), options.name)
    except PolicyInvalid as error:
        raise ClinicError(f"the policy of clinic {options.name} cannot be used: it {error}") from error


def _kubectl(options: argparse.Namespace) -> str:
    """How the user calls kubectl for this cluster, ready to be pasted."""
    if options.state is None:
        return "kubectl"
    from fedround_cli.terminal import program  # noqa: PLC0415

    return f"{program()} local kubectl --state {shlex.quote(str(options.state))} --"


def _say(line: str) -> None:
    # No colours and no clock: in a clinic the packages of the operator are enough.
    print(printable(line), file=sys.stderr, flush=True)


def _document(clinic: str, found: Found) -> dict[str, object]:
    ready = all(one.result is not CheckResult.FAILED for _, one in found)
    return {"clinic": clinic, "ready": ready, "checks": [{"job": job, **one.dump()} for job, one in found]}


def lines(installed: Installed, found: Found) -> Iterator[str]:
    """The checks for people, and what follows from them."""
    clinic = installed.settings.clinic
    for _, one in found:
        head = f"{_WORDS[one.result]:<7} {one.name:<12} "
        yield from textwrap.wrap(
            head + printable(one.message), _WIDTH, subsequent_indent=" " * len(head), break_on_hyphens=False
        )
    failed = sum(one.result is CheckResult.FAILED for _, one in found)
    if failed:
        yield f"clinic {clinic} is not ready: mend what failed ({failed}), and call again"
    elif not installed.allow_none:
        yield f"clinic {clinic} is ready, but its policy keeps it out of every round of this version"
    else:
        yield f"clinic {clinic} is ready for a round"
