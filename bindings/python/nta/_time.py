"""Points in time as people write them."""

from __future__ import annotations

import datetime
import re
import time
from typing import Any, Union

from . import _nta
from ._errors import InvalidArgumentError

# int: nanoseconds since 1970 UTC; str: RFC 3339, "now", or relative to now ("-90s", "-1h", "-7d").
TimeLike = Union[int, str, datetime.datetime]

_UTC_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_RELATIVE = re.compile(r"-(\d{1,9})(s|m|h|d|w)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_LIMIT = 2**63


def to_nanoseconds(value: TimeLike) -> int:
    """Nanoseconds since 1970-01-01 UTC. Naive datetimes are refused: they could mean any zone."""
    if isinstance(value, bool):
        raise TypeError("a time must be an int, str or datetime, not bool")
    if isinstance(value, int):
        return _in_range(value)
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, datetime.datetime):
        if value.tzinfo is None:
            raise InvalidArgumentError(
                f"datetime {value.isoformat()} has no time zone; use datetime.timezone.utc"
            )
        return _in_range((value - _UTC_EPOCH) // datetime.timedelta(microseconds=1) * 1000)
    if type(value).__module__ == "numpy":
        return _from_numpy(value)
    raise TypeError(f"a time must be an int, str or datetime, not {type(value).__name__}")


def to_datetime(nanoseconds: int) -> datetime.datetime:
    """The datetime in UTC, cut to microseconds."""
    return _UTC_EPOCH + datetime.timedelta(microseconds=nanoseconds // 1000)


def _in_range(nanoseconds: int) -> int:
    if not -_LIMIT <= nanoseconds < _LIMIT:
        raise InvalidArgumentError(f"time {nanoseconds} is not within the years 1677 to 2262")
    return nanoseconds


def _from_text(text: str) -> int:
    if text == "now":
        return time.time_ns()
    if text.startswith("-"):
        match = _RELATIVE.fullmatch(text)
        if match is None:
            raise InvalidArgumentError(
                f'cannot read time "{text}": relative times look like -90s, -15m, -1h, -7d, -2w'
            )
        return _in_range(time.time_ns() - int(match[1]) * _SECONDS[match[2]] * 1_000_000_000)
    return _nta.parse_timestamp(text)


def _from_numpy(value: Any) -> int:
    kind = getattr(getattr(value, "dtype", None), "kind", "")
    if getattr(value, "ndim", None) == 0 and kind == "M":
        number = int(value.astype("datetime64[ns]").astype("int64"))
        if number == -_LIMIT:
            raise InvalidArgumentError("NaT is not a time")
        return number
    if getattr(value, "ndim", None) == 0 and kind in "iu":
        return _in_range(int(value))
    raise TypeError(f"a time must be an int, str or datetime, not {type(value).__name__}")
