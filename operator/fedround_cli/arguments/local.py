"""`fedround local up|status|down|kubectl`, parsed."""

import argparse

from fedround_cli.arguments.parsers import Commands
from fedround_cli.arguments.types import add_data, add_state


def add(commands: Commands) -> None:
    """Add the command."""
    local = commands.add_parser("local", help="the federation on this machine: up, status, down, kubectl")
    local.set_defaults(runner="fedround_cli.local")
    actions = local.add_subparsers(dest="action", metavar="ACTION", required=True)
    up = actions.add_parser("up", help="start a federation; with --data and --clinics make a new one")
    add_data(up, clinics=None)
    add_state(up)
    status = actions.add_parser("status", help="processes, addresses, namespaces, kubeconfigs")
    add_state(status)
    status.add_argument("--json", action="store_true", help="as one JSON object")
    down = actions.add_parser("down", help="stop the federation; its state stays")
    add_state(down)
    kubectl = actions.add_parser("kubectl", help="run the bundled kubectl against the hub: -- ARGS")
    add_state(kubectl)
    kubectl.add_argument("arguments", nargs=argparse.REMAINDER, metavar="-- ARGS")
