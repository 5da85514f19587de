"""``nta audit`` and ``nta logs``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

import nta

from . import _cli_values


def add_commands(commands: Any) -> None:
    audit = commands.add_parser("audit", help="verify or show an audit trail")
    acts = audit.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_verify(acts)
    _add_show(acts)
    _add_logs(commands)


def _add_verify(acts: Any) -> None:
    parser = acts.add_parser(
        "verify", help="whether a trail is as it was written, and whole",
        description="Exit status: 0 good, 1 not as it was written, or not whole.",
    )  # fmt: skip
    _add_trail(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.set_defaults(run=_verify)


def _add_trail(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("directory", help="of the trail: audit in the data directory of nta-server")
    parser.add_argument("--key", metavar="FILE",
                        help="the verification key [verification.key in the directory]")  # fmt: skip
    parser.add_argument("--checkpoints", metavar="FILE",
                        help="text with checkpoint lines [checkpoints.txt in the directory]")  # fmt: skip


def _add_show(acts: Any) -> None:
    parser = acts.add_parser(
        "show", help="the records of a trail, newest first, as JSON lines",
        description="Verifies the trail as well. Exit status: 0 good, 1 not as it was written, or not whole.",
    )  # fmt: skip
    _add_trail(parser)
    for name in ("actor", "act", "text"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--outcome", choices=("begun", "done", "refused", "failed"))
    _add_times(parser)
    parser.set_defaults(run=_show)


def _add_logs(commands: Any) -> None:
    parser = commands.add_parser("logs", help="events of a log file and those put aside, as JSON lines")
    parser.add_argument("file", help="logs/server.log in the data directory of nta-server")
    parser.add_argument("--level", choices=("debug", "info", "warning", "error"), default="debug",
                        help="this level or more")  # fmt: skip
    parser.add_argument("--component", default="")
    parser.add_argument("--text", default="")
    parser.add_argument("--oldest-first", action="store_true")
    _add_times(parser)
    parser.set_defaults(run=_logs)


def _add_times(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", type=_cli_values.moment, metavar="TIME",
                        help="RFC 3339, or relative to now: -90s, -1h, -7d")  # fmt: skip
    parser.add_argument("--until", type=_cli_values.moment, metavar="TIME")
    parser.add_argument("--limit", type=_cli_values.whole(1), default=100)


def _report(options: argparse.Namespace) -> nta.AuditReport:
    checkpoints: list[str] = []
    path = options.checkpoints or os.path.join(options.directory, "checkpoints.txt")
    if options.checkpoints or os.path.exists(path):
        checkpoints = nta.read_audit_checkpoints(path)
        if options.checkpoints and not checkpoints:
            raise nta.InvalidArgumentError(f"{path} holds no checkpoint")
    return nta.verify_audit(options.directory, verification_key=options.key, checkpoints=checkpoints)


def _verify(options: argparse.Namespace) -> int:
    report = _report(options)
    if options.format == "json":
        print(report.to_json())
    else:
        print(report.summary)
        for fault in report.faults[1:]:
            print(f"  {fault['file']}, byte {fault['offset']}: {fault['reason']}")
    return 0 if report.ok else 1


def _print(items: list[dict[str, Any]]) -> int:
    for item in items:
        item["time"] = nta.format_timestamp(item["time"])
        print(json.dumps(item, ensure_ascii=False, separators=(",", ":")))
    return 0


def _show(options: argparse.Namespace) -> int:
    _print(
        nta.read_audit(
            options.directory, since=options.since, until=options.until, actor=options.actor,
            act=options.act, outcome=options.outcome, text=options.text, limit=options.limit,
        )  # fmt: skip
    )
    # What was read is what somebody wants us to read, unless the trail says otherwise.
    report = _report(options)
    if report.ok:
        return 0
    print(f"nta: do not trust these records: the trail is {report.summary}", file=sys.stderr)
    return 1


def _logs(options: argparse.Namespace) -> int:
    return _print(
        nta.read_log(
            options.file, since=options.since, until=options.until, min_level=options.level,
            component=options.component, text=options.text, limit=options.limit,
            order="oldest" if options.oldest_first else "newest",
        )  # fmt: skip
    )
