"""`fedround rounds`, parsed."""

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.arguments.hub import add_hub
from fedround_cli.arguments.parsers import Commands, add_command


def add(commands: Commands) -> None:
    """Add the command."""
    rounds = add_command(
        commands,
        "rounds",
        "list the rounds of a network, with their figures",
        description="Each round with its phase, verdict and reason, and sensitivity, specificity and AUROC before and "
        "after it; the newest last. Asks the hub only, with the rights of the kubeconfig.",
        examples=[
            ("rounds --state DIR", "of the federation on this machine"),
            ("rounds -n skin-network", "of the cluster that kubectl uses"),
        ],
        exit_codes={
            CommandExit.DONE: "listed, be there rounds or not",
            CommandExit.FAILED: "failed, or a round cannot be read",
        },
        json="the rounds with verdicts, digests and times",
        runner="fedround_cli.rounds",
    )
    add_hub(rounds)
