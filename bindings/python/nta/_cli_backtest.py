"""``nta backtest``: what a rule or detectors would have said of a store or a capture file."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, Optional

import nta

from ._cli_settings import Settings, add_set, make_detectors, parse_settings


def add(commands: Any, add_interval: Any, is_store: Any) -> None:
    parser = commands.add_parser(
        "backtest", help="what a rule or detectors would have said of a store or capture file"
    )
    parser.add_argument("file", help="store or capture file")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--rule", metavar="EXPRESSION",
                      help='an alert rule: "count() > 100 per source_address in 60s where dport=22"')  # fmt: skip
    what.add_argument("--detector", action="append", default=[], metavar="DETECTOR",
                      choices=nta.default_detector_names(),
                      help="one detector, or several; without either, all of them")  # fmt: skip
    add_set(parser, "--set", "set a detector")
    parser.add_argument("--against", metavar="EXPRESSION", help="another rule to compare with")
    add_set(parser, "--against-set", "compare with other settings")
    parser.add_argument("--against-defaults", action="store_true",
                        help="compare with the detectors as they come")  # fmt: skip
    parser.add_argument("--wanted-per-day", type=float, default=5.0, metavar="N",
                        help="suggest the threshold of the rule, or the sensitivity of each "
                        "detector, for so many alerts a day (default: 5)")  # fmt: skip
    parser.add_argument("--no-suggestion", action="store_true",
                        help="suggest nothing, which saves two passes (a rule) or three")  # fmt: skip
    parser.add_argument("--format", choices=("text", "json"), default="text")
    add_interval(parser)
    parser.set_defaults(run=lambda options: _run(options, is_store))


def _subject(options: argparse.Namespace, expression: Optional[str], settings: Settings) -> Any:
    if expression:
        return nta.RuleDetector(expression)
    return make_detectors(options.detector, settings)


def _test(options: argparse.Namespace, expression: Optional[str], settings: Settings,
          stored: bool) -> nta.BacktestReport:  # fmt: skip
    subject = _subject(options, expression, settings)
    if stored:
        with nta.Store.open(options.file, create=False) as store:
            return nta.backtest(subject, store, since=options.since, until=options.until)
    with nta.PcapFileReader(options.file) as capture:
        return nta.backtest(subject, capture)


def _check(options: argparse.Namespace, stored: bool) -> None:
    if not stored and (options.since or options.until):
        raise nta.InvalidArgumentError("--since and --until need a store, not a capture file")
    if options.rule and (options.set or options.against_set or options.against_defaults):
        raise nta.InvalidArgumentError("--set, --against-set and --against-defaults are for detectors")
    if options.against and not options.rule:
        raise nta.InvalidArgumentError("--against compares rules; for detectors: --against-set")


def _run(options: argparse.Namespace, is_store: Any) -> int:
    stored: bool = is_store(options.file)
    _check(options, stored)
    settings = parse_settings(options.set)
    report = _test(options, options.rule, settings, stored)
    answer: dict[str, Any] = {"report": report.to_dict(), "notes": _notes(options, stored)}
    if options.against or options.against_set or options.against_defaults:
        other = parse_settings(options.against_set)
        before = _test(options, options.against, other, stored)
        difference = before.compare(report)
        answer["against"] = before.to_dict()
        answer["difference"] = {
            "same": difference["same"],
            "appear": [alert.summary for alert in difference["appear"]],
            "vanish": [alert.summary for alert in difference["vanish"]],
        }
        answer["notes"] += difference["notes"]
    else:
        answer["notes"] += report.notes()
    if not options.no_suggestion:
        answer["suggestion"] = _suggest(options, settings, stored)
    answer["alerts"] = [alert.to_dict() for alert in report.kept]
    if options.format == "json":
        print(json.dumps(answer))
    else:
        sys.stdout.write(_text(answer, report))
    return 0


def _notes(options: argparse.Namespace, stored: bool) -> list[str]:
    """What stored flows cannot tell the detectors."""
    if not stored or options.rule:
        return []
    return [
        f"{row['name']}: {row['stored_flows_note']}"
        for row in nta.detector_catalogue()
        if row["stored_flows_note"] and (not options.detector or row["name"] in options.detector)
    ]


def _suggest(options: argparse.Namespace, settings: Settings, stored: bool) -> dict[str, Any]:
    wanted = {"wanted_per_day": options.wanted_per_day}
    interval = {"since": options.since, "until": options.until} if stored else {}

    def suggest(source: Any) -> dict[str, Any]:
        if options.rule:
            return nta.suggest_threshold(
                nta.RuleDetector(options.rule), source, **wanted, **interval
            )
        return nta.suggest_sensitivity(
            source, options.detector, settings=settings, **wanted, **interval
        )

    if not stored:
        return suggest(options.file)
    with nta.Store.open(options.file, create=False) as store:
        return suggest(store)


def _text(answer: dict[str, Any], report: nta.BacktestReport) -> str:
    lines = [
        f"{report.alerts} alerts in {report.flows} flows of {_length(report.span_seconds)}: "
        f"{report.alerts_per_day:.2f} a day"
    ]
    lines += [f"  note: {note}" for note in answer["notes"]]
    lines += [f"  {day}: {count}" for day, count in report.by_day.items()]
    lines += [f"  {alert.summary}" for alert in report.kept[:20]]
    if report.alerts > 20:
        lines.append(f"  ... and {report.alerts - 20} more")
    if "difference" in answer:
        difference = answer["difference"]
        lines.append(
            f"against the other configuration: {len(difference['appear'])} appear, "
            f"{len(difference['vanish'])} vanish, {difference['same']} stay"
        )
        lines += [f"  + {summary}" for summary in difference["appear"][:20]]
        lines += [f"  - {summary}" for summary in difference["vanish"][:20]]
    if "suggestion" in answer:
        lines += _suggestion_text(answer["suggestion"])
    return "\n".join(lines) + "\n"


def _length(seconds: float) -> str:
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"


def _suggestion_text(suggestion: dict[str, Any]) -> list[str]:
    wanted = f"{suggestion['wanted_per_day']:g} alerts a day"
    if "detectors" not in suggestion:
        return _one_suggestion(suggestion, "threshold", wanted)
    lines = []
    for one in suggestion["detectors"]:
        text = _one_suggestion(one, "sensitivity", wanted)
        lines += [f"{one['detector']}: {text[0]}", *text[1:]]
    return lines


def _one_suggestion(suggestion: dict[str, Any], what: str, wanted: str) -> list[str]:
    if not any(point["alerts"] for point in suggestion["points"]):
        # None of them speaks: whatever is set keeps to it.
        return [f"no {what} to suggest, nothing was found with any"]
    best = suggestion[what]
    lines = [
        f"no {what} that was tried keeps to {wanted}"
        if best is None
        else f"suggested {what} for {wanted}: {best}"
    ]
    current = suggestion.get("current")
    if current and current["threshold"] == best:
        lines[0] += ", as it is"
    for point in suggestion["points"]:
        value = point[what]
        shown = value if isinstance(value, str) else f"{value:g}"
        lines.append(f"  {shown}: {point['alerts_per_day']:.2f} a day")
    return lines
