"""Looks whether an installed clinic works: `python -m fedround_operator.agent.check`, the clinic chart's `helm test`.

The agent is ready, and with the clinic's own certificate and token the hub tells which rounds the clinic has a part in.
`fedround clinic preflight` runs the same in a Job with the network of `fetch`, which does not reach the agent.
"""

import argparse
import sys
from pathlib import Path

from fedround_api.checks import Check
from fedround_operator.agent.entrance import NEEDS, Entrance
from fedround_operator.kit.checks import answers, patient, run_checks
from fedround_operator.kit.options import Options
from fedround_operator.kit.process import utc_now


def _options(arguments: list[str]) -> argparse.Namespace:
    options = Options("fedround-check", "Looks whether an installed clinic works.")
    options.add("clinic", "name of the clinic")
    options.add("agent-url", "address of the agent's readiness probe; empty: it is not asked", "")
    options.add("gateway", "host:port of the hub's gateway")
    options.add("certificate", "mounted Secret with tls.key, tls.crt and ca.crt")
    options.add("membership", "folder with the token: the bundle of the administrator")
    return options.parse(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Check everything; the exit code."""
    options = _options(sys.argv[1:] if arguments is None else arguments)
    entrance = Entrance(
        clinic=options.clinic,
        gateway=options.gateway,
        certificate=Path(options.certificate),
        membership=Path(options.membership),
        clock=utc_now,
    )
    if not options.agent_url:
        return run_checks(entrance.checks(), NEEDS)
    agent: dict[str, Check] = {"agent": lambda: answers(options.agent_url)}
    return run_checks(patient({**agent, **entrance.checks()}), NEEDS)


if __name__ == "__main__":
    sys.exit(main())
