"""What to do next about one pod of this node: a pure function of the object and of its process. Called by the loop."""

from enum import StrEnum

from fedround_local.node.pod import Pod


class Process(StrEnum):
    """What is known of a pod's process on this machine."""

    ABSENT = "Absent"
    RUNNING = "Running"
    ENDED = "Ended"


class Step(StrEnum):
    NOTHING = "Nothing"
    START = "Start"
    REPORT = "Report"
    TERMINATE = "Terminate"
    REMOVE = "Remove"


def decide(pod: Pod, process: Process) -> Step:
    """The next step; the loop asks again after each one.

    A pod that is being deleted is reported as ended before it goes: the Job controller counts it only then. A pod that
    was seen running and has no process (its folder is gone) is reported as lost.
    """
    if process is Process.RUNNING and (pod.deleting or pod.terminal):
        return Step.TERMINATE
    if pod.terminal:
        return Step.REMOVE if pod.deleting else Step.NOTHING
    if process is Process.ABSENT and pod.phase == "Pending" and not pod.deleting:
        return Step.START
    return Step.REPORT
