"""``nta backtest``: what a rule or a detector would have said of a store or a capture file."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, Optional

import nta


def add(commands: Any, add_interval: Any, is_store: Any) -> None:
    parser = commands.add_parser(
        "backtest", help="what a rule or detector would have said of a store or capture file"
    )
    parser.add_argument("file", help="store or capture file")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--rule", metavar="EXPRESSION",
                      help='an alert rule: "count() > 100 per source_address in 60s where dport=22"')  # fmt: skip
    what.add_argument("--detector", choices=("port_scan",))
    parser.add_argument("--against", metavar="EXPRESSION", help="another rule to compare with")
    parser.add_argument("--wanted-per-day", type=float, metavar="N",
                        help="also suggest a threshold for so many alerts a day (rules on stores)")  # fmt: skip
    parser.add_argument("--format", choices=("text", "json"), default="text")
    add_interval(parser)
    parser.set_defaults(run=lambda options: _run(options, is_store))


def _subject(expression: Optional[str]) -> Any:
    return nta.RuleDetector(expression) if expression else nta.PortScanDetector()


def _test(options: argparse.Namespace, expression: Optional[str], stored: bool) -> nta.BacktestReport:
    if stored:
        with nta.Store.open(options.file) as store:
            return nta.backtest(
                _subject(expression), store, since=options.since, until=options.until
            )
    with nta.PcapFileReader(options.file) as capture:
        return nta.backtest(_subject(expression), capture)


def _run(options: argparse.Namespace, is_store: Any) -> int:
    stored: bool = is_store(options.file)
    if not stored and (options.since or options.until or options.wanted_per_day is not None):
        raise nta.InvalidArgumentError(
            "--since, --until and --wanted-per-day need a store, not a capture file"
        )
    report = _test(options, options.rule, stored)
    answer: dict[str, Any] = {"report": report.to_dict()}
    if options.against:
        before = _test(options, options.against, stored)
        difference = before.compare(report)
        answer["against"] = before.to_dict()
        answer["difference"] = {
            "same": difference["same"],
            "appear": [alert.summary for alert in difference["appear"]],
            "vanish": [alert.summary for alert in difference["vanish"]],
        }
    if options.wanted_per_day is not None and options.rule:
        with nta.Store.open(options.file) as store:
            answer["suggestion"] = nta.suggest_threshold(
                nta.RuleDetector(options.rule), store, wanted_per_day=options.wanted_per_day,
                since=options.since, until=options.until,
            )  # fmt: skip
    answer["alerts"] = [alert.to_dict() for alert in report.kept]
    if options.format == "json":
        print(json.dumps(answer))
    else:
        sys.stdout.write(_text(answer, report))
    return 0


def _text(answer: dict[str, Any], report: nta.BacktestReport) -> str:
    lines = [
        f"{report.alerts} alerts in {report.flows} flows of {report.days:.2f} days: "
        f"{report.alerts_per_day:.2f} a day"
    ]
    lines += [f"  {day}: {count}" for day, count in report.by_day.items()]
    lines += [f"  {alert.summary}" for alert in report.kept[:20]]
    if report.alerts > 20:
        lines.append(f"  ... and {report.alerts - 20} more")
    if "difference" in answer:
        difference = answer["difference"]
        lines.append(
            f"against the other rule: {len(difference['appear'])} appear, "
            f"{len(difference['vanish'])} vanish, {difference['same']} stay"
        )
        lines += [f"  + {summary}" for summary in difference["appear"][:20]]
        lines += [f"  - {summary}" for summary in difference["vanish"][:20]]
    if "suggestion" in answer:
        suggestion = answer["suggestion"]
        lines.append(
            "no flow counted, no threshold to suggest"
            if not suggestion["points"]
            else f"suggested threshold for {suggestion['wanted_per_day']:g} alerts a day: "
            f"{suggestion['threshold']}"
        )
        lines += [
            f"  {point['threshold']:g}: {point['alerts_per_day']:.2f} a day"
            for point in suggestion["points"]
        ]
    return "\n".join(lines) + "\n"
