"""The errors with which Jobs end. The class is the advice: each carries the ExitCode that operator and agent act on.

    JobError
    ├── InputWrong           the Job's input or its volumes are not what this version understands
    ├── DataUnusable         the folder of images, its table or the test set cannot be used
    ├── NoCases              no case of the clinic is in the round's window
    ├── NotLockedIn          the process that would read images has not given up network or files
    ├── TestSetChanged       the test set is not the one that the model names
    ├── StoreUnavailable     the object store or the gateway did not answer
    ├── StoreRefused         the object store or the gateway said no
    │   └── ObjectGone       since there is no object of that name
    └── ContentRefused       a checkpoint or an update is not what it has to be
        ├── DigestMismatch
        ├── TooLarge
        ├── NotSafetensors
        ├── WrongShape
        └── NotFinite

A message goes into the Job's report, that of a clinic's Job into the clinic's API server. So in `fetch`, `train` and
`submit` it names no file, no patient and no value of a table. What a person in the clinic needs beyond that is logged.
"""

from collections.abc import Mapping
from typing import ClassVar, Self

from fedround_api.dataproblems import QuarantineCause
from fedround_api.exitcodes import ExitCode


class JobError(Exception):
    """Root of all errors with which a Job ends on purpose."""

    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL

    #: Images that were set aside before the Job failed, by cause; `train` alone counts them.
    quarantined: Mapping[QuarantineCause, int] | None = None

    def __init__(self, message: str, clinic: str | None = None) -> None:
        super().__init__(message)
        self.clinic = clinic

    def of_clinic(self, clinic: str) -> Self:
        """The same error, told of a clinic's update."""
        return type(self)(f"the update of clinic {clinic}: {self}", clinic)


class InputWrong(JobError):
    exit_code = ExitCode.BAD_INPUT


class DataUnusable(JobError):
    exit_code = ExitCode.BAD_DATA

    def __init__(
        self, message: str, clinic: str | None = None, quarantined: Mapping[QuarantineCause, int] | None = None
    ) -> None:
        super().__init__(message, clinic)
        self.quarantined = quarantined


class NoCases(JobError):
    exit_code = ExitCode.NO_CASES


class NotLockedIn(JobError):
    exit_code = ExitCode.NOT_LOCKED_IN


class TestSetChanged(JobError):
    __test__ = False  # pytest would collect it by its name
    exit_code = ExitCode.TEST_SET_CHANGED


class StoreUnavailable(JobError):
    exit_code = ExitCode.STORE_UNAVAILABLE


class StoreRefused(JobError):
    exit_code = ExitCode.STORE_REFUSED


class ObjectGone(StoreRefused):
    """Not for want of a right."""


class ContentRefused(JobError):
    """Root of what can be wrong with a file that was received."""


class DigestMismatch(ContentRefused):
    exit_code = ExitCode.DIGEST_MISMATCH


class TooLarge(ContentRefused):
    exit_code = ExitCode.TOO_LARGE


class NotSafetensors(ContentRefused):
    exit_code = ExitCode.NOT_SAFETENSORS


class WrongShape(ContentRefused):
    exit_code = ExitCode.WRONG_SHAPE


class NotFinite(ContentRefused):
    exit_code = ExitCode.NOT_FINITE
