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
    """A value beyond what there is or may be."""

    code = "OUT_OF_RANGE"


class NotFoundError(Error, FileNotFoundError):
    """No such file, interface, detector, backup, ..."""

    code = "NOT_FOUND"


class AlreadyExistsError(Error, FileExistsError):
    """What is to be made is there already, and is left as it is."""

    code = "ALREADY_EXISTS"


class PermissionDeniedError(Error, PermissionError):
    """The user of this process may not do that."""

    code = "PERMISSION_DENIED"


class DataLossError(Error):
    """Input that is damaged or ends too early. ``flows`` holds what could be read before it."""

    code = "DATA_LOSS"
    flows: FlowBatch | None = None


class ResourceExhaustedError(Error):
    """A limit was reached: disk, memory, or one that was set; the message names it."""

    code = "RESOURCE_EXHAUSTED"


class FailedPreconditionError(Error):
    """Not in this state: closed, used by another thread, readable by others, ..."""

    code = "FAILED_PRECONDITION"


class UnavailableError(Error):
    """Not now: an interface that went away, a store that another process holds; trying again may do."""

    code = "UNAVAILABLE"


class DeadlineExceededError(Error, TimeoutError):
    """It took longer than the time limit that was set."""

    code = "DEADLINE_EXCEEDED"


class UnimplementedError(Error, NotImplementedError):
    """This build or platform cannot do it."""

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
