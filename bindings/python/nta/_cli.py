"""The command line: ``nta`` and ``python -m nta``.

Results go to stdout, the packet ledger and errors (one line each) to stderr. Exit status: 0 done,
1 an error, 2 a wrong command line.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any, Callable, Iterable, NoReturn, Optional, Sequence

import nta

from . import (
    _cli_audit,
    _cli_backtest,
    _cli_backup,
    _cli_detect,
    _cli_retention,
    _cli_store,
    _cli_suppressions,
    _cli_transfer,
    _cli_values,
)
from ._cli_firewall import add_firewall
from ._cli_parser import Parser
from ._cli_progress import while_reading

_DIMENSIONS = (
    "address", "source_address", "destination_address", "protocol", "source_port", "destination_port",
    "application", "category", "server_name", "vlan",
)  # fmt: skip
_MEASURES = ("bytes", "packets", "flows")
_NAMES_AT_ONCE = 64


def main(arguments: Optional[Sequence[str]] = None) -> int:
    try:
        return _run(arguments)
    except KeyboardInterrupt:
        return 130


def _run(arguments: Optional[Sequence[str]]) -> int:
    options, rest = _parser().parse_known_args(
        _join_times(sys.argv[1:] if arguments is None else arguments)
    )
    if rest and options.run is not _serve:
        options.parser.error(f"unrecognized arguments: {' '.join(rest)}")
    options.rest = rest
    try:
        _cli_values.check_interval(options)
        status: int = options.run(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        # The reader has seen enough. Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except nta.InvalidArgumentError as error:
        _complain(error)
        is_usage = isinstance(error, _cli_values.UsageError) or error.position is not None
        return 2 if is_usage else 1
    except nta.Error as error:
        _complain(error)
        return 1
    except OSError as error:
        _complain(_in_words(error))
        return 1


def _join_times(arguments: Sequence[str]) -> list[str]:
    """"--since -1h" as "--since=-1h", because argparse takes -1h for an option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] in ("--since", "--until") and argument[:1] == "-":
            joined[-1] += "=" + argument
        else:
            joined.append(argument)
    return joined


def _in_words(error: OSError) -> str:
    """As the library says it, not "[Errno 2] ..."."""
    if error.strerror is None:
        return str(error)
    if error.filename is not None:
        return f'cannot open "{os.fsdecode(error.filename)}": {error.strerror}'
    # What has a name says so; the rest is what print() writes to.
    return f"cannot write to standard output: {error.strerror}"


def _complain(error: object) -> None:
    print(f"nta: {error}", file=sys.stderr)


# Arguments


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="nta", description="Network traffic analysis.")
    parser.add_argument("--version", action="version", version=f"nta {nta.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_flows(commands)
    _cli_detect.add(commands, _add_meter, _add_interval, _pipeline, _until_error)
    _add_top(commands)
    _cli_audit.add_commands(commands)
    _cli_store.add_commands(commands, _add_interval, _add_meter, _read)
    _cli_transfer.add_commands(commands, _add_interval)
    add_firewall(commands)
    _cli_backup.add(commands)
    _cli_backtest.add(commands, _add_interval, _cli_store.is_store)
    _cli_suppressions.add(commands)
    _cli_retention.add(commands)
    serve = commands.add_parser(
        "serve", help="start nta-server with the arguments that follow", add_help=False
    )
    serve.set_defaults(run=_serve)
    return parser


def _add_meter(parser: argparse.ArgumentParser) -> None:
    meter = parser.add_argument_group("reading a capture")
    meter.add_argument("--idle-timeout", type=_cli_values.seconds, default=120.0, metavar="SECONDS",
                       help="silence that ends a flow")  # fmt: skip
    meter.add_argument("--active-timeout", type=_cli_values.seconds, default=1800.0, metavar="SECONDS",
                       help="a flow that lasts longer goes on in a new record")  # fmt: skip
    meter.add_argument("--max-flows", type=_cli_values.whole(1), default=1_000_000, metavar="N",
                       help="flows kept at once; beyond that old ones end early")  # fmt: skip
    meter.add_argument("--view", choices=("outer", "inner"), default="outer",
                       help="which header of a tunnelled packet counts")  # fmt: skip
    meter.add_argument("--no-defragment", dest="defragment", action="store_false",
                       help="leave later fragments out")  # fmt: skip
    meter.add_argument("--quiet", action="store_true", help="no packet ledger on stderr")


def _add_interval(parser: argparse.ArgumentParser) -> None:
    times = parser.add_argument_group("times", "RFC 3339, or relative to now: -90s, -1h, -7d")
    times.add_argument("--since", type=_cli_values.moment, metavar="TIME", help="inclusive")
    times.add_argument("--until", type=_cli_values.moment, metavar="TIME", help="exclusive")


def _add_flows(commands: Any) -> None:
    parser = commands.add_parser("flows", help="the flows of a capture file or a store")
    parser.add_argument("file", help="capture file (- is standard input) or store")
    parser.add_argument("--where", default="", metavar="FILTER", help="only flows that match")
    parser.add_argument("--format", choices=("csv", "json"), default="csv")
    _add_interval(parser)
    _add_meter(parser)
    parser.set_defaults(run=_flows)


def _add_top(commands: Any) -> None:
    parser = commands.add_parser("top", help="who takes most of the traffic of a file or a store")
    parser.add_argument("file", help="capture file or store")
    parser.add_argument("dimension", nargs="?", choices=_DIMENSIONS, default="address")
    parser.add_argument("--by", choices=_MEASURES, default="bytes")
    parser.add_argument("--limit", type=_cli_values.whole(1, _cli_values.MOST_ROWS), default=10)
    parser.add_argument("--where", default="", metavar="FILTER", help="only flows that match")
    parser.add_argument("--format", choices=("table", "csv", "json"), default="table",
                        help="a ? in the table: only guessed by a port")  # fmt: skip
    _add_interval(parser)
    _add_meter(parser)
    parser.set_defaults(run=_top, read=_read)


# Commands


def _flows(options: argparse.Namespace) -> int:
    show: Callable[[nta.FlowBatch, bool], str] = (
        (lambda flows, first: flows.to_csv(header=first))
        if options.format == "csv"
        else (lambda flows, _: flows.to_json_lines())
    )
    if _cli_store.is_store(options.file):
        with nta.Store.open(options.file, create=False) as store:
            first = True
            for page in store.flow_pages(
                since=options.since, until=options.until, where=options.where, order="oldest"
            ):
                sys.stdout.write(show(page, first))
                first = False
        if first:
            sys.stdout.write(show(nta.FlowBatch(), True))
        return 0
    where = _with_interval(options)
    pipeline = _pipeline(options, where=options.where, applications=True)
    first = True
    for batch in _until_error(pipeline, options):
        sys.stdout.write(show(where(batch.flows), first))
        first = False
    if first:
        sys.stdout.write(show(nta.FlowBatch(), True))
    return int(options.status)


def _top(options: argparse.Namespace) -> int:
    query = {
        "by": options.by, "limit": options.limit, "since": options.since, "until": options.until,
        "where": options.where,
    }  # fmt: skip
    with _cli_store.store_of(options) as store:
        top = store.top(options.dimension, **query)
        rows = list(top)
        columns = _top_columns(store, rows, options)
    if top.other and any(top.other.values()) and options.format != "json":
        # What has no key: ports that are not the service's, unknown applications.
        rows.append({"key": "(other)", **top.other})
    _cli_store.print_rows(rows, columns, options.format)
    _cli_store.print_about(top, options)
    return int(options.status)


def _top_columns(store: nta.Store, rows: list[dict[str, Any]], options: argparse.Namespace) -> list[str]:
    """What is shown of rows, which get what a reader of a table needs beside the numbers."""
    columns = ["key", *_MEASURES]
    guessed = [f"guessed_{measure}" for measure in _MEASURES]
    if rows and guessed[0] in rows[0]:
        if options.format == "csv":
            return columns + guessed
        if options.format == "table":
            for row in rows:
                row["guessed"] = row[f"guessed_{options.by}"]
                if row["guessed"] and row["guessed"] == row[options.by]:
                    row["key"] += "?"
            return [*columns, "guessed"]
    if options.format == "table" and options.dimension.endswith("address"):
        names = _names(store, [row["key"] for row in rows], options)
        for row in rows:
            row["name"] = names.get(row["key"], "")
        if any(names.values()):
            columns.append("name")
    return columns


def _names(store: nta.Store, addresses: list[str], options: argparse.Namespace) -> dict[str, str]:
    found: dict[str, str] = {}
    for at in range(0, len(addresses), _NAMES_AT_ONCE):
        some = addresses[at : at + _NAMES_AT_ONCE]
        answer = store.names(some, since=options.since, until=options.until, limit=1)
        for address, names in answer.items():
            if names:
                found[address] = "".join(c if c.isprintable() else "?" for c in names[0]["name"])
    return found


def _serve(options: argparse.Namespace) -> NoReturn:
    program = _find_server()
    if program is None:
        raise nta.NotFoundError("cannot find nta-server, neither beside the package nor in PATH")
    sys.stdout.flush()
    os.execv(program, [program, *options.rest])


# Parts of commands


def _pipeline(options: argparse.Namespace, **more: Any) -> nta.Pipeline:
    options.source = nta.PcapFileReader(options.file)
    return nta.Pipeline(
        options.source,
        idle_timeout=options.idle_timeout,
        active_timeout=options.active_timeout,
        max_flows=options.max_flows,
        view=options.view,
        defragment=options.defragment,
        **more,
    )


def _read(options: argparse.Namespace) -> Iterable[nta.Batch]:
    return _until_error(_pipeline(options, applications=True), options)


def _until_error(pipeline: nta.Pipeline, options: argparse.Namespace) -> Iterable[nta.Batch]:
    """The batches; a damaged end is reported after everything before it, in options.status."""
    options.status = 0
    try:
        yield from while_reading(pipeline, options.source, options)
    except nta.DataLossError as error:
        _complain(error)
        options.status = 1
    if not options.quiet:
        stats = pipeline.stats()
        ledger = stats.ledger.to_dict()
        ledger.update(flows=stats.flow_table.ended, evicted=stats.flow_table.evicted)
        sys.stdout.flush()
        print(json.dumps(ledger, separators=(",", ":")), file=sys.stderr)


def _with_interval(options: argparse.Namespace) -> Callable[[nta.FlowBatch], nta.FlowBatch]:
    if options.since is None and options.until is None:
        return lambda flows: flows
    since = nta.to_nanoseconds(options.since) if options.since is not None else -(2**63)
    until = nta.to_nanoseconds(options.until) if options.until is not None else 2**63
    return lambda flows: nta.FlowBatch(f for f in flows if since <= f.last_seen < until)


def _find_server() -> Optional[str]:
    package = Path(__file__).resolve().parent
    for directory in (package.parent.parent / "bin", package / "bin", Path(sys.prefix) / "bin"):
        program = directory / "nta-server"
        if os.access(program, os.X_OK):
            return str(program)
    return shutil.which("nta-server")
