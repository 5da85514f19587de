"""From a pipeline into a store."""

from __future__ import annotations

import time
from typing import Callable, Optional

from ._nta import Alert, Batch, FlowBatch, Pipeline, Store

# So much is written in one transaction: each waits for the disk.
_FLOWS_AT_ONCE = 50_000
_SECONDS_AT_ONCE = 1.0


def fill_store(
    store: Store,
    pipeline: Pipeline,
    *,
    seconds: Optional[float] = None,
    progress: Optional[Callable[[], object]] = None,
) -> dict[str, int]:
    """Writes all that a pipeline gives into a store: flows, alerts, which minutes were captured, and
    what capture lost. Answers the counts packets_seen, packets_dropped, flows_evicted, flows and
    alerts.

        with nta.Store.open("nta.db") as store:
            nta.fill_store(store, nta.Pipeline(nta.PcapFileReader("day.pcap")))

    Ends with the source, or after `seconds`. `progress` is called after every batch. Whatever ends it, everything seen before is in the
    store: an exception (a damaged file, Ctrl-C) is raised after that.
    """
    filling = _Filling(store, pipeline)
    end = None if seconds is None else time.monotonic() + seconds
    try:
        for batch in pipeline:
            filling.take(batch)
            if progress is not None:
                progress()
            if end is not None and time.monotonic() >= end:
                break
    except BaseException:
        filling.finish()
        raise
    return filling.finish()


class _Filling:
    def __init__(self, store: Store, pipeline: Pipeline) -> None:
        self._store = store
        self._pipeline = pipeline
        self._flows: list[FlowBatch] = []
        self._alerts: list[Alert] = []
        self._waiting = 0
        self._written = time.monotonic()
        self._captured: Optional[int] = None
        self._time: Optional[int] = None
        self._counts = {"packets_seen": 0, "packets_dropped": 0, "flows_evicted": 0}
        self._sum = {"flows": 0, "alerts": 0}

    def take(self, batch: Batch) -> None:
        if len(batch.flows) > 0:
            self._flows.append(batch.flows)
            self._waiting += len(batch.flows)
        self._alerts += batch.alerts
        if batch.time > 0:
            self._time = batch.time
            if self._captured is None:
                self._captured = batch.time
        if self._waiting >= _FLOWS_AT_ONCE or time.monotonic() - self._written >= _SECONDS_AT_ONCE:
            self._write()

    def finish(self) -> dict[str, int]:
        self._pipeline.stop()
        for batch in self._pipeline:
            self.take(batch)
        self._write()
        return {**self._counts, **self._sum}

    def _write(self) -> None:
        if self._flows or self._alerts:
            self._store.write(FlowBatch(self._flows), self._alerts)
        self._sum["flows"] += self._waiting
        self._sum["alerts"] += len(self._alerts)
        self._flows, self._alerts, self._waiting = [], [], 0
        self._record()
        self._written = time.monotonic()

    def _record(self) -> None:
        if self._time is None or self._captured is None:
            return
        if self._time > self._captured:
            self._store.mark_captured(self._captured, self._time)
            self._captured = self._time
        stats = self._pipeline.stats()
        now = {
            "packets_seen": stats.ledger.received,
            "packets_dropped": stats.ledger.dropped,
            "flows_evicted": stats.flow_table.evicted,
        }
        self._store.record_capture(self._time, **{name: now[name] - self._counts[name] for name in now})
        self._counts = now
