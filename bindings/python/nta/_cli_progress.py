"""How far a long command has come: one line on stderr, where that is a terminal."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any, Callable, Iterable, Iterator, Optional, TypeVar

_Item = TypeVar("_Item")
_SECONDS_BETWEEN = 0.2


class Progress:
    """Shown once something takes longer than a moment; its line goes with the block.

    with Progress(options) as progress:
        store.export_flows(path, progress=progress.part)
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._is_shown = not options.quiet and sys.stderr.isatty()
        self._next = time.monotonic() + _SECONDS_BETWEEN
        self._is_dirty = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        self.clear()

    @property
    def part(self) -> Optional[Callable[[float], None]]:
        """What shows a part from 0 to 1; None where nothing is shown."""
        return self._part if self._is_shown else None

    @property
    def phase(self) -> Optional[Callable[[str, float], None]]:
        """What shows the name of a phase and its part; None where nothing is shown."""
        return self._phase if self._is_shown else None

    def source(self, source: Any) -> None:
        """Shows how much of a packet source has been read."""
        self._show(lambda: _of_source(source.stats()))

    def clear(self) -> None:
        if self._is_dirty:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._is_dirty = False

    def _part(self, done: float) -> None:
        self._show(lambda: f"{done:4.0%}")

    def _phase(self, phase: str, done: float) -> None:
        self._show(lambda: f"{phase:<9}{done:5.0%}")

    def _show(self, text: Callable[[], str]) -> None:
        now = time.monotonic()
        if not self._is_shown or now < self._next:
            return
        self._next = now + _SECONDS_BETWEEN
        self._is_dirty = True
        print(f"\r{text()}\x1b[K", end="", file=sys.stderr, flush=True)


def _of_source(stats: Any) -> str:
    packets = f"{stats.received} packets"
    if not stats.bytes_total:
        return packets
    return f"{stats.bytes_read / stats.bytes_total:4.0%}, {packets}"


def while_reading(
    batches: Iterable[_Item], source: Any, options: argparse.Namespace
) -> Iterator[_Item]:
    """The batches; between them it is shown how much of `source` has been read."""
    prints_between = sys.stdout.isatty()
    with Progress(options) as progress:
        for batch in batches:
            progress.source(source)
            if prints_between:
                progress.clear()
            yield batch
