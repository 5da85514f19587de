"""What the queries of a store answer: columns, and rows as dicts for who asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Optional, Union, overload

from ._nta import Column, Table


class Rows(Sequence[dict[str, Any]]):
    """Rows as columns: ``to_numpy()``, ``columns()`` and the Arrow C stream share the memory of the
    answer; a row is made as a dict when it is asked for. Numbers are None where there is none, -1 in
    NumPy, null in Arrow."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __len__(self) -> int:
        return len(self._table)

    @overload
    def __getitem__(self, index: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, index: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, index: Union[int, slice]) -> Union[dict[str, Any], list[dict[str, Any]]]:
        if isinstance(index, slice):
            return [self._table.row(i) for i in range(*index.indices(len(self)))]
        return self._table.row(index)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self._table.row(i) for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (Rows, list)):
            return NotImplemented
        return list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)} rows: {', '.join(self._table.names)}>"

    def columns(self) -> dict[str, Union[Column, list[str]]]:
        """The columns by name: buffers for ``memoryview()``, texts as lists of str."""
        return self._table.columns()

    def to_numpy(self) -> dict[str, Any]:
        """The columns as NumPy arrays of shape ``(len(self),)``: numbers are read-only views,
        times ``datetime64[ns]``, texts arrays of str."""
        from ._numpy import to_arrays

        return to_arrays(self._table.columns())

    def __arrow_c_schema__(self) -> object:
        return self._table.__arrow_c_schema__()

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


class _Answer(Rows):
    """``since`` and ``until`` are the interval as answered, in nanoseconds since 1970 UTC; ``source``
    is "rollup" or "raw"; ``capture`` is what capture saw and lost in that interval: packets_seen,
    packets_dropped, flows_evicted and flows_dropped."""

    def __init__(
        self, table: Table, *, since: int, until: int, source: str, capture: dict[str, int]
    ) -> None:
        super().__init__(table)
        self.since = since
        self.until = until
        self.source = source
        self.capture = capture


class TopResult(_Answer):
    """The rows of a top-N query: key, bytes, packets, flows, for addresses also sent_bytes and
    received_bytes, for applications and categories also guessed_bytes, guessed_packets and
    guessed_flows: what of them is only guessed by a port.

    ``total`` counts everything, not only the rows; ``other`` what of it belongs to no key, None for
    dimensions in which everything has one.
    """

    def __init__(
        self, table: Table, *, total: dict[str, int], other: Optional[dict[str, int]], **about: Any
    ) -> None:
        super().__init__(table, **about)
        self.total = total
        self.other = other


class ConversationResult(_Answer):
    """Pairs of addresses: a, b, bytes, packets, flows, bytes_from_a, bytes_from_b, flows_from_a.

    ``total`` counts everything, not only the rows.
    """

    def __init__(self, table: Table, *, total: dict[str, int], **about: Any) -> None:
        super().__init__(table, **about)
        self.total = total


class SeriesResult(_Answer):
    """Traffic over time, a row a step: time (its start) and one number a protocol, an application, a
    category ("unknown" of what has none), or "all", None where nothing was captured. ``step`` is in
    seconds; ``guessed`` is what of a line is only guessed by a port, one number a step, of lines of
    which something is."""

    def __init__(
        self, table: Table, *, step: int, guessed: Optional[dict[str, list[int]]] = None, **about: Any
    ) -> None:
        super().__init__(table, **about)
        self.step = step
        self.guessed = guessed or {}

    @property
    def times(self) -> list[int]:
        """The start of each step, nanoseconds since 1970 UTC."""
        return self._table.values("time")

    @property
    def lines(self) -> dict[str, list[Optional[int]]]:
        """One value a step, by the name of a protocol, an application or a category, or "all"."""
        return {name: self._table.values(name) for name in self._table.names[1:]}
