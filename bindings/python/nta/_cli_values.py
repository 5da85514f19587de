"""What may stand on the command line; what may not ends with status 2."""

from __future__ import annotations

import argparse
import math
from typing import Callable

import nta

# Of top and conversations, as the library has them.
MOST_ROWS = 1_000
_LONGEST_STEP = 366 * 86_400


class UsageError(nta.InvalidArgumentError):
    """A command line that cannot be meant, found after it was read."""


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """An int from `least` on, up to `most`."""
    bounds = f"from {least}" + (" on" if most is None else f" to {most}")

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if value < least or (most is not None and value > most):
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number {bounds}")
        return value

    return read


def seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return value


def step(text: str) -> float:
    value = seconds(text)
    if value % 60 != 0 or value > _LONGEST_STEP:
        raise argparse.ArgumentTypeError(f"{text!r} is no multiple of 60 seconds, up to 366 days")
    return value


def check_interval(options: argparse.Namespace) -> None:
    since, until = getattr(options, "since", None), getattr(options, "until", None)
    if since is None or until is None:
        return
    if nta.to_nanoseconds(until) < nta.to_nanoseconds(since):
        raise UsageError("--until is before --since")


def moment(text: str) -> str:
    """The text, as it may be relative to a now that is later."""
    try:
        nta.to_nanoseconds(text)
    except nta.Error as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text
