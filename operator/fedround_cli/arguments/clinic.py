"""`fedround clinic ...`, parsed."""

from fedround_cli.arguments.clinic_hub import add_approve, add_ca, add_list, add_readmit, add_revoke
from fedround_cli.arguments.clinic_own import add_preflight, add_request, add_rotate
from fedround_cli.arguments.parsers import Commands, add_group


def add(commands: Commands) -> None:
    """Add the command."""
    actions = add_group(
        commands,
        "clinic",
        "members: ca, request, approve, list, preflight, ...",
        description="How a clinic becomes a member of the network and stays one. Its private key is made in the clinic "
        "and never leaves it; the key of the federation's authority stays with the administrator.",
        examples=[
            ("clinic request north", "in the clinic: make a key and a request"),
            ("clinic approve north.csr --ca DIR --gateway HOST:443", "the administrator's answer"),
            ("clinic list", "who is a member, and until when"),
            ("clinic preflight", "in the clinic: is it ready for a round?"),
        ],
    )
    add_ca(actions)
    add_request(actions)
    add_approve(actions)
    add_readmit(actions)
    add_list(actions)
    add_preflight(actions)
    add_rotate(actions)
    add_revoke(actions)
