"""What can go wrong on this machine, as one small tree; the message says what happened and what to do.

    LocalError
    ├── ControlPlaneBuildFailed   the Go build of the control plane, with the end of its output
    ├── ProcessDied               a background process ended while somebody waited for it, with the end of its log
    ├── NotReady                  something did not come up in its time
    ├── PortOccupied              a port of the federation is held by another program
    ├── DataUnusable              a folder of images that cannot be divided among clinics
    ├── CheckpointUnusable        a file that cannot be a model's first checkpoint
    ├── StateUnusable             a state folder that holds no federation, or another one
    └── KubectlFailed             kubectl ended with an error, with what it said

Raised by the modules of fedround_local, shown as one sentence by the command line.
"""


class LocalError(Exception):
    """The root: `str(error)` is meant for the user."""


class ControlPlaneBuildFailed(LocalError):
    pass


class ProcessDied(LocalError):
    pass


class NotReady(LocalError):
    pass


class PortOccupied(LocalError):
    pass


class DataUnusable(LocalError):
    pass


class CheckpointUnusable(LocalError):
    pass


class StateUnusable(LocalError):
    pass


class KubectlFailed(LocalError):
    pass
