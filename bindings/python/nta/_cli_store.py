"""nta capture, series, conversations and summary: a store filled, and what it answers."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
from collections.abc import Iterator
from typing import Any, Callable, Iterable

import nta

from . import _cli_values
from ._cli_progress import Progress

_MEASURES = ("bytes", "packets", "flows")
_SQLITE_MAGIC = b"SQLite format 3\0"
_OPEN_END = 2**63 - 1
_Adder = Callable[[argparse.ArgumentParser], None]
# The batches of the capture file that the options name; sets options.status.
_Reader = Callable[[argparse.Namespace], Iterable[nta.Batch]]


def add_commands(commands: Any, add_interval: _Adder, add_meter: _Adder, read: _Reader) -> None:
    _add_capture(commands, add_meter)
    for name, run, says in (
        ("series", _series, "traffic over time"),
        ("conversations", _conversations, "who talks to whom"),
        ("summary", _summary, "totals, and the busiest of each kind, as JSON"),
    ):
        parser = commands.add_parser(name, help=f"{says}, of a store or a capture file")
        parser.add_argument("file", help="store, postgresql:// URL or capture file")
        if name != "summary":
            parser.add_argument("--where", default="", metavar="FILTER", help="only flows that match")
            parser.add_argument("--format", choices=("table", "csv", "json"), default="table")
        if name == "series":
            parser.add_argument("--step", type=_cli_values.step, default=60.0, metavar="SECONDS",
                                help="a multiple of 60")  # fmt: skip
            parser.add_argument("--by", choices=("protocol", "application", "category", "none"), default="protocol")
            parser.add_argument("--measure", choices=_MEASURES, default="bytes")
            parser.add_argument("--address", help="only traffic of this address")
        if name == "conversations":
            parser.add_argument("--by", choices=_MEASURES, default="bytes")
            parser.add_argument("--limit", type=_cli_values.whole(1, _cli_values.MOST_ROWS), default=10)
        add_interval(parser)
        add_meter(parser)
        parser.set_defaults(run=run, read=read)


def _add_capture(commands: Any, add_meter: _Adder) -> None:
    parser = commands.add_parser(
        "capture", help="bring the flows of capture files or of an interface into a store"
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="capture files; several are read as one")
    parser.add_argument("--interface", metavar="NAME", help="capture from here until Ctrl-C or SIGTERM")
    parser.add_argument("--filter", default="", metavar="EXPRESSION",
                        help="pcap-filter(7), with --interface")  # fmt: skip
    parser.add_argument("--seconds", type=_cli_values.seconds, metavar="N", help="stop after so long")
    parser.add_argument("--database", required=True, metavar="STORE",
                        help="file, made when missing, or postgresql:// URL")  # fmt: skip
    parser.add_argument("--detect", action="store_true", help="also the alerts of the default detectors")
    parser.add_argument("--no-applications", dest="applications", action="store_false",
                        help="do not look at what flows carry")  # fmt: skip
    parser.add_argument("--statistics", action="store_true", help="sizes and times of packets, too")
    add_meter(parser)
    parser.set_defaults(run=_capture)


def _source(options: argparse.Namespace) -> Any:
    if bool(options.files) == bool(options.interface):
        raise _cli_values.UsageError("name capture files or --interface, one of the two")
    if options.interface:
        return nta.LiveCapture(options.interface, filter=options.filter)
    readers = [nta.PcapFileReader(file) for file in options.files]
    return readers[0] if len(readers) == 1 else nta.MultiSource(readers)


def _capture(options: argparse.Namespace) -> int:
    source = _source(options)
    pipeline = nta.Pipeline(
        source,
        detectors=nta.default_detectors() if options.detect else [],
        applications=options.applications,
        statistics=options.statistics,
        idle_timeout=options.idle_timeout,
        active_timeout=options.active_timeout,
        max_flows=options.max_flows,
        view=options.view,
        defragment=options.defragment,
    )
    status = 0
    with nta.Store.open(options.database) as store:
        before = store.size()["flows"]
        stopped = _end_by_signal()
        try:
            with Progress(options) as progress:
                nta.fill_store(
                    store, pipeline, seconds=options.seconds, progress=lambda: progress.source(source)
                )
        except nta.DataLossError as error:
            print(f"nta: {error}", file=sys.stderr)
            status = 1
        except KeyboardInterrupt:
            # An interface ends in no other way; of a file something is missing.
            if not options.interface:
                status = 128 + (stopped[0] if stopped else signal.SIGINT)
        flows = store.size()["flows"] - before
    print(f"{flows} flows stored in {options.database}")
    if not options.quiet:
        stats = pipeline.stats()
        ledger = stats.ledger.to_dict()
        ledger.update(flows=stats.flow_table.ended, evicted=stats.flow_table.evicted)
        sys.stdout.flush()
        print(json.dumps(ledger, separators=(",", ":")), file=sys.stderr)
    return status


def _end_by_signal() -> list[int]:
    """Ends by SIGTERM as by Ctrl-C: what the meter holds is written. The list gets the signal."""
    seen: list[int] = []

    def end(number: int, frame: object) -> None:
        # A second one must not interrupt the writing.
        if not seen:
            seen.append(number)
            raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    return seen


def is_store(path: str) -> bool:
    if path.startswith(("postgresql://", "postgres://")):
        return True
    if path == "-":
        return False
    try:
        with open(path, "rb") as file:
            return file.read(len(_SQLITE_MAGIC)) == _SQLITE_MAGIC
    except OSError:
        return False  # whoever opens it for real says why


@contextlib.contextmanager
def store_of(options: argparse.Namespace) -> Iterator[nta.Store]:
    """The store that the command names; a capture file goes through a store in memory, so that a
    question means the same everywhere."""
    options.status = 0
    if is_store(options.file):
        with nta.Store.open(options.file, create=False) as store:
            yield store
        return
    with nta.Store.open(":memory:") as store:
        for batch in options.read(options):
            store.write(batch.flows)
        yield store


def print_about(answer: Any, options: argparse.Namespace) -> None:
    """How the answer came about, as one JSON line on stderr."""
    if options.quiet or not is_store(options.file):
        return
    about = {
        "source": answer.source, "since": _end(answer.since), "until": _end(answer.until),
        **answer.capture,
    }  # fmt: skip
    sys.stdout.flush()
    print(json.dumps(about, separators=(",", ":")), file=sys.stderr)


def _end(time: int) -> str | None:
    """An end of an interval; None where it was left open."""
    return None if time <= 0 or time >= _OPEN_END else nta.format_timestamp(time)


def _csv_cell(text: str) -> str:
    """As in the CSV of flows: no spreadsheet takes it for a formula."""
    if text.startswith(("=", "+", "-", "@", "\t", "\r", "'")):
        text = "'" + text
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\r\n') else text


def print_rows(rows: Iterable[dict[str, Any]], names: list[str], form: str) -> None:
    """`names` are the columns that are shown, numbers all but the texts."""
    if form == "json":
        for row in rows:
            print(json.dumps(row, separators=(",", ":")))
        return
    cells = [["" if row.get(name) is None else str(row[name]) for name in names] for row in rows]
    table = [names, *cells]
    if form == "csv":
        for line in table:
            print(",".join(map(_csv_cell, line)))
        return
    # Names are what strangers sent.
    table = [["".join(c if c.isprintable() else "?" for c in cell) for cell in line] for line in table]
    is_number = [all(line[i].isdigit() or not line[i] for line in cells) for i in range(len(names))]
    widths = [max(len(line[i]) for line in table) for i in range(len(names))]
    for line in table:
        padded = (
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(line, widths, is_number)
        )
        print("  ".join(padded).rstrip())


def _series(options: argparse.Namespace) -> int:
    with store_of(options) as store:
        series = store.series(
            since=options.since, until=options.until, step=options.step,
            by=None if options.by == "none" else options.by, measure=options.measure,
            address=options.address, where=options.where,
        )  # fmt: skip
    rows = [{**row, "time": nta.format_timestamp(row["time"])} for row in series]
    names = ["time"]
    for line, values in series.lines.items():
        guessed = series.guessed.get(line, [])
        for row, value in zip(rows, guessed):
            row[f"guessed_{line}"] = value if row[line] is not None else None
        if options.format == "table" and any(guessed) and list(guessed) == [v or 0 for v in values]:
            for row in rows:
                row[f"{line}?"] = row[line]
            names.append(f"{line}?")
        else:
            names += [line, f"guessed_{line}"] if any(guessed) else [line]
    print_rows(rows, names, options.format)
    print_about(series, options)
    return int(options.status)


def _conversations(options: argparse.Namespace) -> int:
    with store_of(options) as store:
        answer = store.conversations(
            by=options.by, limit=options.limit, since=options.since, until=options.until,
            where=options.where,
        )  # fmt: skip
    print_rows(answer, ["a", "b", *_MEASURES, "bytes_from_a", "bytes_from_b"], options.format)
    print_about(answer, options)
    return int(options.status)


def _summary(options: argparse.Namespace) -> int:
    with store_of(options) as store:
        summary = store.summary(since=options.since, until=options.until)
    plain = {
        name: [_kept(row) for row in value] if isinstance(value, nta.Rows) else value
        for name, value in summary.items()
    }
    for name in ("since", "until"):
        plain[name] = nta.format_timestamp(summary[name])
    print(json.dumps(plain, indent=2))
    return int(options.status)


def _kept(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}
