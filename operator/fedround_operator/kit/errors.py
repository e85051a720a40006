"""What can go wrong between the operator and a Kubernetes API.

ApiError                    the API server answered with an error, or not at all
  ApiUnreachable            no answer: the network, a restart, a time-out
  ApiRefused                an answer that another attempt with the same request does not change
    NotFound                404
    AlreadyExists           409 on creating
    Conflict                409 on writing: somebody else wrote in between; read again and decide anew
    Forbidden               401, 403: rights are missing
    Invalid                 422: the object breaks the schema; a defect on our side
"""


class ApiError(Exception):
    """The API server answered with an error, or not at all; `code` is what metrics tell of it."""

    code = "other"


class ApiUnreachable(ApiError):
    """No answer."""

    code = "unreachable"


class ApiRefused(ApiError):
    """The server said no."""


class NotFound(ApiRefused):
    """There is no such object."""

    code = "404"


class AlreadyExists(ApiRefused):
    """An object of that name is there."""

    code = "409"


class Conflict(ApiRefused):
    """The object has changed since it was read."""

    code = "409"


class Forbidden(ApiRefused):
    """The identity lacks the right."""

    code = "403"


class Invalid(ApiRefused):
    """The object does not fit its schema."""

    code = "422"


class ObjectUnreadable(ApiError):
    """The object is not what this version of the contract understands."""
