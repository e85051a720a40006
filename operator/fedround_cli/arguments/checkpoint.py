"""`fedround checkpoint`, parsed."""

from pathlib import Path

from fedround_cli.arguments.exits import CommandExit
from fedround_cli.arguments.hub import add_hub, add_store
from fedround_cli.arguments.parsers import Commands, add_command
from fedround_cli.arguments.types import whole_number


def add(commands: Commands) -> None:
    """Add the command."""
    checkpoint = add_command(
        commands,
        "checkpoint",
        "fetch a version of a model as a file",
        description="Fetches a version of a model from the hub's object store, checks its digest against the model's "
        "status, and writes it as a safetensors file, which another model can start from (docs/base-model.md).",
        examples=[
            ("checkpoint skin-lesion --state DIR", "the current version, of a federation on this machine"),
            ("checkpoint skin-lesion --released --output released.safetensors", "the one that clinics may use"),
            ("checkpoint skin-lesion --version 3", "one of the last versions"),
        ],
        notes="Where the store is, and which Secret opens it, is read from the ConfigMap fedround-store of the "
        "network's namespace: the kubeconfig needs the right to read both.",
        exit_codes={
            CommandExit.DONE: "written",
            CommandExit.FAILED: "there is no such version, or it cannot be fetched",
        },
        json="version, sha256, classes and file",
        runner="fedround_cli.checkpoint",
    )
    checkpoint.add_argument("model", metavar="MODEL", help="name of the model, as in `kubectl get fm`")
    which = checkpoint.add_mutually_exclusive_group()
    which.add_argument(
        "--version",
        dest="number",
        type=whole_number(0, 2**31 - 1),
        metavar="N",
        help="this version (default: the current one)",
    )
    which.add_argument("--released", action="store_true", help="the version that clinics may use for patients")
    checkpoint.add_argument(
        "--output", type=Path, metavar="FILE", help="where to write it (default: MODEL-vN.safetensors)"
    )
    add_hub(checkpoint)
    add_store(checkpoint)
