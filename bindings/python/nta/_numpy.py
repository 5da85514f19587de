"""Columns as NumPy arrays. Imported only when somebody asks for them."""

from __future__ import annotations

from typing import Any, Mapping, Union

import numpy as np

from ._nta import Column

_TIMES = ("first_seen", "last_seen", "time")
_ADDRESSES = ("source_address", "destination_address")


def to_arrays(columns: Mapping[str, Union[Column, list[str]]]) -> dict[str, np.ndarray[Any, Any]]:
    """Read-only arrays that share the memory of the columns and keep it alive."""
    return {name: _to_array(name, column) for name, column in columns.items()}


def _to_array(name: str, column: Union[Column, list[str]]) -> np.ndarray[Any, Any]:
    if isinstance(column, list):
        return np.array(column, dtype=np.str_)
    array = np.asarray(memoryview(column))
    if name in _TIMES:
        return array.view("datetime64[ns]")
    if name in _ADDRESSES:
        # Not S16: NumPy cuts zero bytes off the end of those.
        return array.view("V16")
    return array
