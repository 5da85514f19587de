"""What the queries of a store answer."""

from __future__ import annotations

import dataclasses
from typing import Any, Iterable, Optional


class TopResult(list[dict[str, Any]]):
    """The rows of a top-N query: dicts with key, bytes, packets, flows; for addresses also
    sent_bytes and received_bytes; for applications and categories also ``guessed``, what of them is
    only guessed by a port.

    ``total`` counts everything, not only the rows; ``other`` what of it belongs to no key (ports
    that are not the service's, unknown applications), None for addresses and protocols; ``since`` and ``until`` are the interval as
    answered; ``source`` is "rollup" or "raw".
    """

    def __init__(
        self,
        rows: Iterable[dict[str, Any]],
        total: dict[str, int],
        since: int,
        until: int,
        source: str,
        other: Optional[dict[str, int]] = None,
    ) -> None:
        super().__init__(rows)
        self.total = total
        self.since = since
        self.until = until
        self.source = source
        self.other = other


@dataclasses.dataclass(frozen=True)
class SeriesResult:
    """Traffic over time: ``lines`` maps the name of a protocol, an application or a category
    ("unknown" of what has none), or "all", to one value a step; a value is None where nothing was
    captured. ``guessed`` maps names to what of the values is only guessed by a port."""

    times: list[int]  # start of each step, nanoseconds since 1970 UTC
    lines: dict[str, list[Optional[int]]]
    step: int  # seconds
    source: str  # "rollup" or "raw"
    guessed: dict[str, list[int]] = dataclasses.field(default_factory=dict)
