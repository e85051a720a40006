"""Looks whether an installed clinic works: `python -m fedround_operator.agent.check`, the clinic chart's `helm test`.

The agent is ready, and with the clinic's own certificate and token the hub tells which rounds the clinic has a part in.
"""

import argparse
import sys
from pathlib import Path

from fedround_api.names import clinic_namespace
from fedround_operator.kit.checks import CheckFailed, answers, run_checks
from fedround_operator.kit.errors import ApiError, Forbidden
from fedround_operator.kit.gatewayfiles import connect_gateway
from fedround_operator.kit.options import Options
from fedround_operator.kit.resources import CLINIC_ROUNDS


def _options(arguments: list[str]) -> argparse.Namespace:
    options = Options("fedround-check", "Looks whether an installed clinic works.")
    options.add("clinic", "name of the clinic")
    options.add("agent-url", "address of the agent's readiness probe")
    options.add("gateway", "host:port of the hub's gateway")
    options.add("certificate", "mounted Secret with tls.key, tls.crt and ca.crt")
    options.add("membership", "folder with the token: the bundle of the administrator")
    return options.parse(arguments)


def hub(gateway: str, certificate: Path, membership: Path, clinic: str) -> str:
    """That the hub lets this clinic in and tells its assignments."""
    try:
        # The kubelet keeps a mounted Secret's files behind this link, as `connect_gateway` wants them.
        api = connect_gateway(gateway, certificate / "..data", membership / "token")
        parts = api.list(CLINIC_ROUNDS, clinic_namespace(clinic))
    except Forbidden as error:
        raise CheckFailed(f"the hub refuses this clinic: {error}. Ask the network's administrator") from error
    except ApiError as error:
        raise CheckFailed(f"{error}. Look at the address, and at what your firewall lets out") from error
    return f"{gateway} lets {clinic} in; it has a part in {len(parts)} rounds"


def main(arguments: list[str] | None = None) -> int:
    """Check everything; the exit code."""
    options = _options(sys.argv[1:] if arguments is None else arguments)
    certificate, membership = Path(options.certificate), Path(options.membership)
    return run_checks(
        {
            "agent": lambda: answers(options.agent_url),
            "hub": lambda: hub(options.gateway, certificate, membership, options.clinic),
        }
    )


if __name__ == "__main__":
    sys.exit(main())
