"""The exceptions of nta: one class per status code, each also the built-in that fits."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._nta import FlowBatch


class Error(Exception):
    """What every exception raised by nta derives from.

    ``code`` is the name of the status code: "NOT_FOUND", "INVALID_ARGUMENT", ...
    """

    code: str = "UNKNOWN"


class InvalidArgumentError(Error, ValueError):
    """A value that cannot be used. For filters, ``position`` is the character at fault."""

    code = "INVALID_ARGUMENT"
    position: int | None = None


class OutOfRangeError(InvalidArgumentError):
    code = "OUT_OF_RANGE"


class NotFoundError(Error, FileNotFoundError):
    code = "NOT_FOUND"


class AlreadyExistsError(Error, FileExistsError):
    code = "ALREADY_EXISTS"


class PermissionDeniedError(Error, PermissionError):
    code = "PERMISSION_DENIED"


class DataLossError(Error):
    """Input that is damaged or ends too early. ``flows`` holds what could be read before it."""

    code = "DATA_LOSS"
    flows: FlowBatch | None = None


class ResourceExhaustedError(Error):
    code = "RESOURCE_EXHAUSTED"


class FailedPreconditionError(Error):
    code = "FAILED_PRECONDITION"


class UnavailableError(Error):
    code = "UNAVAILABLE"


class DeadlineExceededError(Error, TimeoutError):
    code = "DEADLINE_EXCEEDED"


class UnimplementedError(Error, NotImplementedError):
    code = "UNIMPLEMENTED"


_CLASSES: dict[str, type[Error]] = {
    cls.code: cls
    for cls in (
        InvalidArgumentError,
        OutOfRangeError,
        NotFoundError,
        AlreadyExistsError,
        PermissionDeniedError,
        DataLossError,
        ResourceExhaustedError,
        FailedPreconditionError,
        UnavailableError,
        DeadlineExceededError,
        UnimplementedError,
    )
}
_ERRNO = {
    "NOT_FOUND": errno.ENOENT,
    "ALREADY_EXISTS": errno.EEXIST,
    "PERMISSION_DENIED": errno.EACCES,
    "DEADLINE_EXCEEDED": errno.ETIMEDOUT,
}


def make_error(code: str, message: str) -> Error:
    """The exception for a status code; codes without a class of their own are plain ``Error``."""
    error = _CLASSES.get(code, Error)(message)
    error.code = code
    if isinstance(error, OSError):
        error.errno = _ERRNO[code]
    return error
