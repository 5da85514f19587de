"""What the queries of a store answer."""

from __future__ import annotations

import dataclasses
from typing import Any, Iterable, Optional


class TopResult(list[dict[str, Any]]):
    """The rows of a top-N query: dicts with key, bytes, packets, flows, and for addresses also
    sent_bytes and received_bytes.

    ``total`` counts everything, not only the rows; ``since`` and ``until`` are the interval as
    answered; ``source`` is "rollup" or "raw".
    """

    def __init__(
        self, rows: Iterable[dict[str, Any]], total: dict[str, int], since: int, until: int, source: str
    ) -> None:
        super().__init__(rows)
        self.total = total
        self.since = since
        self.until = until
        self.source = source


@dataclasses.dataclass(frozen=True)
class SeriesResult:
    """Traffic over time: ``lines`` maps a protocol name, or "all", to one value a step; a value is
    None where nothing was captured."""

    times: list[int]  # start of each step, nanoseconds since 1970 UTC
    lines: dict[str, list[Optional[int]]]
    step: int  # seconds
    source: str  # "rollup" or "raw"
