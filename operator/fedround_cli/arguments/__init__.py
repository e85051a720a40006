"""The command line as it is parsed, a module for each command, without what the commands need to run.

Each module has ``add(commands)``, which adds its parser and names the module that runs it (``runner``): that one is
imported only when the command runs, so that `--help` is quick and a command works with the extras that it needs.
"""

from fedround_cli.arguments import backup, checkpoint, clinic, completion, data, demo, explain, local, report, rounds

#: In the order of `fedround --help`.
COMMANDS = (demo, local, data, clinic, rounds, report, checkpoint, backup, explain, completion)
