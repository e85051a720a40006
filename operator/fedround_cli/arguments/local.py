"""`fedround local up|status|down|kubectl`, parsed."""

import argparse

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.arguments.parsers import Commands, add_command, add_group
from fedround_cli.arguments.types import add_data, add_state

_RUNNER = "fedround_cli.local"


def add(commands: Commands) -> None:
    """Add the command."""
    actions = add_group(
        commands,
        "local",
        "the federation on this machine: up, status, down, kubectl",
        description="A whole federation on this machine, as processes of your user: a Kubernetes control plane, an "
        "object store, a gateway, the operator and an agent for each clinic. All of it lies in one state folder.",
        examples=[
            ("local up --data photos --clinics 3 --state fed", "a new federation"),
            ("local status --state fed", "what runs, and where"),
            ("local down --state fed", "stop it; its state stays"),
        ],
    )
    _add_up(actions)
    _add_status(actions)
    _add_down(actions)
    _add_kubectl(actions)


def _add_up(actions: Commands) -> None:
    up = add_command(
        actions,
        "up",
        "start a federation; with --data and --clinics make a new one",
        description="With --data and --clinics a new federation in a state folder that has none; without them the one "
        "of the state folder goes on where it was, and what still runs of it is left alone.",
        examples=[
            ("local up --data photos --clinics 3 --state fed", "a new federation"),
            ("local up --state fed", "start again what has ended"),
        ],
        json="what runs, as `local status --json` has it",
        runner=_RUNNER,
    )
    add_data(up, clinics=None)
    add_state(up)


def _add_status(actions: Commands) -> None:
    status = add_command(
        actions,
        "status",
        "processes, addresses, sizes, model, rounds and clinics",
        description="What runs, with its memory and address, how much room the state folder takes, where the model, "
        "the last rounds and the clinics stand, and what to do if something is down.",
        examples=[
            ("local status --state DIR", "for people"),
            ("local status --state DIR --json", "also kubeconfigs and namespaces"),
        ],
        exit_codes={CommandExit.DONE: "everything runs", CommandExit.FAILED: "something does not run, or failed"},
        json="what is shown, and kubeconfigs and namespaces",
        runner=_RUNNER,
    )
    add_state(status)


def _add_down(actions: Commands) -> None:
    down = add_command(
        actions,
        "down",
        "stop the federation; its state stays",
        description="Stops every process of the federation. Its state stays: rounds go on after the next `local up`.",
        examples=[("local down --state DIR", "stop it")],
        exit_codes={CommandExit.DONE: "nothing is left running"},
        runner=_RUNNER,
    )
    add_state(down)


def _add_kubectl(actions: Commands) -> None:
    kubectl = add_command(
        actions,
        "kubectl",
        "run the bundled kubectl against the hub: -- ARGS",
        description="Runs the bundled kubectl as the network's administrator. All after -- goes to it as it is.",
        examples=[
            ("local kubectl --state DIR -- get fedrounds --watch", "follow the rounds"),
            ("local kubectl --state DIR -- apply -f round.yaml", "start a round"),
            ("local kubectl --state DIR -- describe fr NAME", "why it ended as it did"),
        ],
        notes="The exit code is kubectl's own; those below are of what comes before it.",
        runner=_RUNNER,
    )
    add_state(kubectl)
    kubectl.add_argument("arguments", nargs=argparse.REMAINDER, metavar="-- ARGS", help="arguments of kubectl")
