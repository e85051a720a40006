"""How a Job ended: the exit codes that Jobs use, what each means, and whether another attempt helps.

Jobs exit with these, operator and agent read them, and ``podFailurePolicy`` is made from them. Below 64 and above 125
belong to shells and runtimes; 64-78 follow sysexits.h where it has a word for the case.
"""

from enum import IntEnum

from fedround_api.reasons import Reason


class ExitCode(IntEnum):
    """Exit codes of Job containers."""

    OK = 0
    BAD_INPUT = 64
    BAD_DATA = 65
    NO_CASES = 66
    INTERNAL = 70
    STORE_UNAVAILABLE = 75
    STORE_REFUSED = 76
    DIGEST_MISMATCH = 78
    NOT_SAFETENSORS = 79
    WRONG_SHAPE = 80
    NOT_FINITE = 81
    TEST_SET_CHANGED = 82
    TOO_LARGE = 83
    NOT_LOCKED_IN = 84
    KILLED = 137
    TERMINATED = 143

    @property
    def retryable(self) -> bool:
        """Whether the same Job may succeed when it is made again."""
        return self in _RETRYABLE

    @property
    def reason(self) -> Reason:
        """The reason that a condition gives for this code."""
        return _REASONS[self]


_RETRYABLE = frozenset({ExitCode.STORE_UNAVAILABLE, ExitCode.STORE_REFUSED, ExitCode.KILLED, ExitCode.TERMINATED})
_REASONS = {
    ExitCode.OK: Reason.COMPLETED,
    ExitCode.BAD_INPUT: Reason.BAD_JOB_INPUT,
    ExitCode.BAD_DATA: Reason.BAD_DATA,
    ExitCode.NO_CASES: Reason.NO_RECENT_CASES,
    ExitCode.INTERNAL: Reason.INTERNAL_ERROR,
    ExitCode.STORE_UNAVAILABLE: Reason.STORE_UNAVAILABLE,
    ExitCode.STORE_REFUSED: Reason.STORE_REFUSED,
    ExitCode.DIGEST_MISMATCH: Reason.DIGEST_MISMATCH,
    ExitCode.NOT_SAFETENSORS: Reason.NOT_SAFETENSORS,
    ExitCode.WRONG_SHAPE: Reason.WRONG_SHAPE,
    ExitCode.NOT_FINITE: Reason.NOT_FINITE,
    ExitCode.TEST_SET_CHANGED: Reason.TEST_SET_CHANGED,
    ExitCode.TOO_LARGE: Reason.TOO_LARGE,
    ExitCode.NOT_LOCKED_IN: Reason.NOT_LOCKED_IN,
    ExitCode.KILLED: Reason.JOB_KILLED,
    ExitCode.TERMINATED: Reason.JOB_KILLED,
}


def exit_code(number: int) -> ExitCode:
    """The code for a container's exit status; a number that no Job uses counts as INTERNAL."""
    try:
        return ExitCode(number)
    except ValueError:
        return ExitCode.INTERNAL


def final_codes() -> list[int]:
    """The numbers after which another attempt is pointless, ascending: the FailJob rule of podFailurePolicy."""
    return sorted(int(code) for code in ExitCode if code is not ExitCode.OK and not code.retryable)
