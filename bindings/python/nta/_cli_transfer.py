"""nta export and nta import: the flows of a store as lines of text, and back."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any, Callable

import nta

from ._cli_progress import Progress


def add_commands(commands: Any, add_interval: Callable[[argparse.ArgumentParser], None]) -> None:
    parser = commands.add_parser("export", help="write the flows of a store into a file")
    parser.add_argument("store", help="file of a store, or postgresql:// URL")
    parser.add_argument("file", help="what to write; replaced when it exists and the export is complete. - is stdout")
    parser.add_argument("--where", default="", metavar="FILTER", help="only flows that match")
    parser.add_argument("--format", choices=("csv", "jsonl"), help="by the name of the file, else csv")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    add_interval(parser)
    parser.set_defaults(run=_export)
    parser = commands.add_parser("import", help="store the flows of a file: all of them or none")
    parser.add_argument("store", help="file of a store, made when missing, or postgresql:// URL")
    parser.add_argument("file", help="what nta export wrote, or pcap_to_flows. - is stdin")
    parser.add_argument("--format", choices=("csv", "jsonl"), help="by the name of the file, else csv")
    parser.add_argument("--skip-wrong-lines", action="store_true", help="store the others")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    parser.set_defaults(run=_import)


def _format(options: argparse.Namespace) -> str:
    if options.format:
        return str(options.format)
    return "jsonl" if options.file.endswith((".jsonl", ".ndjson", ".json")) else "csv"


def _export(options: argparse.Namespace) -> int:
    to_stdout = options.file == "-"
    with nta.Store.open(options.store, create=False) as store, Progress(options) as progress:
        if to_stdout:
            sys.stdout.flush()
        flows = store.export_flows(
            sys.stdout.fileno() if to_stdout else options.file,
            since=options.since, until=options.until, where=options.where,
            format=_format(options), progress=progress.part,
        )  # fmt: skip
    if not to_stdout:
        print(f"{flows} flows written to {options.file}")
    elif not options.quiet:
        print(f"{flows} flows written", file=sys.stderr)
    return 0


_CAPTURE_MAGICS = tuple(
    bytes.fromhex(magic) for magic in ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1", "0a0d0d0a")
)


def _check_input(path: str) -> None:
    with open(path, "rb") as file:
        begin = file.read(16)
    if begin.startswith(_CAPTURE_MAGICS):
        raise nta.InvalidArgumentError(
            f'"{path}" is a capture, not flows; nta capture "{path}" --database STORE brings it in'
        )
    if begin.startswith(b"SQLite format 3\0"):
        raise nta.InvalidArgumentError(f'"{path}" is a store; nta export writes its flows into a file')


def _remove_store(path: str) -> None:
    for suffix in ("", "-wal", "-shm", "-reserve"):
        try:
            os.unlink(path + suffix)
        except FileNotFoundError:
            pass


def _import(options: argparse.Namespace) -> int:
    from_stdin = options.file == "-"
    name = "stdin" if from_stdin else options.file
    if not from_stdin:
        _check_input(options.file)
    is_new = "://" not in options.store and not os.path.lexists(options.store)
    flows = 0
    try:
        with nta.Store.open(options.store) as store, Progress(options) as progress:
            report = store.import_flows(
                sys.stdin.fileno() if from_stdin else options.file, format=_format(options),
                skip_wrong_lines=options.skip_wrong_lines, progress=progress.part,
            )  # fmt: skip
        flows = report["flows"]
    finally:
        if is_new and flows == 0:
            _remove_store(options.store)
    for line, message in report["errors"]:
        print(f"{name}:{line}: {message}", file=sys.stderr)
    if report["wrong_lines"] > len(report["errors"]):
        print(f"... and {report['wrong_lines'] - len(report['errors'])} more", file=sys.stderr)
    for hint in report["hints"]:
        print(f"nta: {hint}", file=sys.stderr)
    print(f"{report['flows']} of {report['lines']} flows stored")
    return 0 if report["wrong_lines"] == 0 or options.skip_wrong_lines else 1
