"""``nta detect``, ``nta detectors`` and ``nta alerts``."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any, Callable, Iterable

import nta

from . import _cli_values
from ._cli_settings import add_set, make_detectors, parse_settings
from ._cli_store import is_store

_SEVERITIES = ("info", "low", "medium", "high", "critical")
Pipeline = Callable[..., nta.Pipeline]
Batches = Callable[[nta.Pipeline, argparse.Namespace], Iterable[nta.Batch]]


def add(commands: Any, add_meter: Any, add_interval: Any, make_pipeline: Pipeline,
        until_error: Batches) -> None:  # fmt: skip
    parser = commands.add_parser("detect", help="the alerts of a capture file, as JSON lines")
    parser.add_argument("file", help="capture file; - is standard input")
    parser.add_argument("--without", action="append", default=[], metavar="DETECTOR",
                        choices=nta.default_detector_names(), help="leave a detector out")  # fmt: skip
    parser.add_argument("--block-list", action="append", default=[], metavar="FILE",
                        help="addresses, networks and names that nobody may talk to")  # fmt: skip
    add_set(parser, "--set", "set a detector")
    parser.add_argument("--packets", metavar="DIRECTORY",
                        help="keep the packets before each alert there, as ALERT.pcapng")  # fmt: skip
    add_meter(parser)
    parser.set_defaults(run=lambda options: _detect(options, make_pipeline, until_error))
    table = commands.add_parser("detectors", help="the detectors and their options")
    table.add_argument("detector", nargs="?", choices=nta.default_detector_names())
    table.add_argument("--format", choices=("text", "json"), default="text")
    table.set_defaults(run=_detectors)
    stored = commands.add_parser("alerts", help="the alerts of a store, the newest first")
    stored.add_argument("file", help="store or postgresql:// URL")
    stored.add_argument("--class", dest="alert_class", metavar="CLASS", help="port_scan, brute_force, ...")
    stored.add_argument("--min-severity", choices=_SEVERITIES)
    stored.add_argument("--limit", type=_cli_values.whole(1, _cli_values.MOST_ROWS), default=100)
    stored.add_argument("--format", choices=("text", "json"), default="text")
    add_interval(stored)
    stored.set_defaults(run=_alerts)


def _detect(options: argparse.Namespace, make_pipeline: Pipeline, until_error: Batches) -> int:
    settings = parse_settings(options.set)
    if options.block_list:
        settings.setdefault("policy", {})["block_lists"] = options.block_list
    for name in options.without:
        settings.setdefault(name, {})["enabled"] = False
    pipeline = make_pipeline(options, detectors=make_detectors((), settings), applications=True,
                             evidence=options.packets is not None)  # fmt: skip
    if options.packets is not None:
        Path(options.packets).mkdir(parents=True, exist_ok=True)
    for batch in until_error(pipeline, options):
        for alert in batch.alerts:
            print(alert.to_json())
            if options.packets is not None and alert.state == "open":
                _keep(pipeline, alert.id, Path(options.packets))
    return int(options.status)


def _keep(pipeline: nta.Pipeline, alert: str, directory: Path) -> None:
    name = "".join(c if c.isalnum() or c in "-_." else "_" for c in alert)
    try:
        pipeline.write_evidence(alert, directory / f"{name}.pcapng")
    except nta.NotFoundError:
        pass  # an alert that no packet stands before


def _detectors(options: argparse.Namespace) -> int:
    rows = [
        row for row in nta.detector_catalogue() if options.detector in (None, row["name"])
    ]
    if options.format == "json":
        print(json.dumps(rows))
        return 0
    for row in rows:
        print(f"{row['name']}: {row['about']}")
        if row["stored_flows_note"]:
            print(f"  stored flows: {row['stored_flows_note']}")
        if options.detector is None:
            continue
        for option in row["options"]:
            scaled = " *" if option["is_scaled"] else ""
            print(f"  {option['name']} = {_text(option['default'])}{scaled}: {option['about']}")
    if options.detector is not None:
        print("  * the sensitivity (low, normal, high) moves it")
    return 0


def _alerts(options: argparse.Namespace) -> int:
    if not is_store(options.file) and os.path.exists(options.file):
        raise nta.InvalidArgumentError(
            f'"{options.file}" is no store; the alerts of a capture: nta detect "{options.file}"'
        )
    with nta.Store.open(options.file, create=False) as store:
        alerts = store.alerts(
            since=options.since, until=options.until, alert_class=options.alert_class,
            min_severity=options.min_severity, limit=options.limit,
        )  # fmt: skip
    for alert in alerts:
        if options.format == "json":
            print(alert.to_json())
        else:
            print(f"{nta.format_timestamp(alert.time)}  {alert.severity:<8}  {alert.state:<7}  {alert.summary}")
    return 0


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(value) or "none"
    return str(value).lower() if isinstance(value, bool) else f"{value:.15g}"
