"""`fedround completion bash|zsh|fish`, parsed."""

from fedround_cli.arguments.parsers import Commands, add_command

SHELLS = ("bash", "zsh", "fish")


def add(commands: Commands) -> None:
    """Add the command."""
    completion = add_command(
        commands,
        "completion",
        "print the completion script of a shell",
        description="Prints a script that completes commands, options, folders and reasons at the Tab key. Write it "
        "once to where your shell looks for such scripts.",
        examples=[
            ("completion bash >>~/.bash_completion", "bash, for good"),
            ('completion zsh >"${fpath[1]}/_fedround"', "zsh, for good"),
            ("completion fish >~/.config/fish/completions/fedround.fish", "fish, for good"),
        ],
        notes="For the shell that runs now: `source <(fedround completion bash)`.",
        runner="fedround_cli.completion",
    )
    completion.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or fish")
