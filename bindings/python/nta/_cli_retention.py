"""``nta retention``: what is kept for how long, of a server or of a store."""

from __future__ import annotations

import argparse
import json
import re
import time
from typing import Any, Optional
from urllib.parse import urlencode

import nta

from . import _cli_store
from ._cli_firewall import _add_server, _Server
from ._cli_values import UsageError

_PATH = "/api/v1/settings/retention"
_KINDS = ("flows", "alerts", "samples", "incidents")
_DAYS = tuple(f"{kind[:-1]}_days" for kind in _KINDS)
_BYTES = (*(f"{kind[:-1]}_bytes" for kind in _KINDS), "max_bytes")
_UNITS = {"": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_MOST_DAYS = 10**9 // 86_400  # of a duration in Python
_LIMITS = (
    "LIMIT is flow_days, alert_days, sample_days or incident_days, for kinds by age; flow_bytes, alert_bytes, "
    "sample_bytes or incident_bytes, by size; max_bytes, of the whole database. VALUE is a whole number of days or "
    "bytes (also 500MiB, 20GiB), or null: kept for good."
)


def add(commands: Any) -> None:
    retention = commands.add_parser("retention", help="what a server or a store keeps, and for how long")
    acts = retention.add_subparsers(title="commands", metavar="COMMAND", required=True)

    show = acts.add_parser("show", help="limits, and what each kind of data takes")
    show.set_defaults(run=_show)

    changing = acts.add_parser("set", help="change limits of a server; what is not named stays as it is",
                               description=_LIMITS)  # fmt: skip
    changing.set_defaults(run=_set)

    preview = acts.add_parser(
        "preview", help="what limits would delete at once; of a server what is not named is as it is set",
        description=_LIMITS,
    )  # fmt: skip
    preview.set_defaults(run=_preview)

    run = acts.add_parser(
        "run", help="delete now what is not kept: by the server's limits, or those given for a store",
        description=_LIMITS,
    )  # fmt: skip
    run.set_defaults(run=_run)

    for parser, limits in ((show, None), (changing, "+"), (preview, "*"), (run, "*")):
        if limits:
            parser.add_argument("limits", nargs=limits, type=_limit, metavar="LIMIT=VALUE")
        parser.add_argument("--format", choices=("text", "json"), default="text")
        if parser is not changing:
            parser.add_argument("--store", metavar="STORE",
                                help="file or postgresql:// URL, instead of a server")  # fmt: skip
        _add_server(parser)


def _limit(text: str) -> tuple[str, Optional[int]]:
    name, equals, value = text.partition("=")
    if not equals or name not in (*_DAYS, *_BYTES):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not LIMIT=VALUE; limits are {', '.join((*_DAYS, *_BYTES))}"
        )
    if value == "null":
        return name, None
    parts = re.fullmatch(r"([1-9][0-9]{0,18})([KMGT]iB|)", value, re.ASCII)
    if not parts or (parts[2] and name in _DAYS):
        raise argparse.ArgumentTypeError(f"{name} is a whole number, 1 or more, or null, not {value!r}")
    return name, int(parts[1]) * _UNITS[parts[2]]


def _policy(options: argparse.Namespace) -> dict[str, Any]:
    """The limits on the command line, as a store takes them."""
    policy: dict[str, Any] = {}
    for name, value in options.limits:
        if name in _DAYS:
            if value is not None and value > _MOST_DAYS:
                raise UsageError(f"{name} of a store is 1 to {_MOST_DAYS} days")
            policy[name.replace("_days", "_age")] = None if value is None else value * 86_400
        else:
            policy[name] = value
    return policy


def _show(options: argparse.Namespace) -> int:
    if options.store:
        with _opened(options) as store:
            answer = {"size": store.size(), "usage": store.usage()}
    else:
        answer = _Server(options).call("GET", _PATH)
    _print_state(answer, options)
    return 0


def _set(options: argparse.Namespace) -> int:
    _print_state(_Server(options).call("PUT", _PATH, dict(options.limits)), options)
    return 0


def _preview(options: argparse.Namespace) -> int:
    if options.store:
        with _opened(options) as store:
            answer = store.preview_retain(**_policy(options))
    else:
        server = _Server(options)
        limits = {**server.call("GET", _PATH)["settings"], **dict(options.limits)}
        query = urlencode({name: value for name, value in limits.items() if value is not None})
        answer = server.call("GET", f"{_PATH}/preview?{query}")
    if options.format == "json":
        print(json.dumps(answer, indent=2))
        return 0
    for kind in _KINDS:
        more = answer[f"{kind}_by_bytes"]
        print(f"{kind}: {answer[kind]} by age" + (f", about {more} more by size" if more else ""))
    if answer["over_max_bytes"]:
        print(f"database: {answer['excess_bytes']} bytes too many, about {answer['flows_by_size']} flows")
    return 0


def _run(options: argparse.Namespace) -> int:
    if not options.store:
        if options.limits:
            raise UsageError("a server deletes by its own limits: set them first, or name a --store")
        return _run_at_server(options)
    if not any(value is not None for _, value in options.limits):
        raise UsageError("name limits, such as flow_days=30: without them nothing is deleted")
    with _opened(options) as store:
        answer = store.retain(**_policy(options))
    if options.format == "json":
        print(json.dumps(answer, indent=2))
        return 0
    gone = ", ".join(f"{answer[f'{kind}_deleted']} {kind}" for kind in _KINDS)
    print(f"deleted {gone}; the file takes {answer['bytes_after']} bytes, before {answer['bytes_before']}")
    if answer["clock_jumped"]:
        print("the clock jumped: ages were counted from a day after the last run")
    return 0


def _run_at_server(options: argparse.Namespace) -> int:
    server = _Server(options)
    before = server.call("GET", _PATH)["job"]["runs"]
    server.call("POST", "/api/v1/schedule/retention/run")
    while True:
        job = server.call("GET", _PATH)["job"]
        if job["runs"] > before and not job["running"] and not job["requested"]:
            break
        time.sleep(0.2)
    last = job["history"][0]
    if options.format == "json":
        print(json.dumps(last, indent=2))
    elif last["outcome"] == "ok":
        print(last["message"])
    if last["outcome"] != "ok":
        raise nta.UnavailableError(f"retention {last['outcome']}: {last['detail']}")
    return 0


def _opened(options: argparse.Namespace) -> nta.Store:
    return nta.Store.open(options.store, create=False)


def _print_state(answer: dict[str, Any], options: argparse.Namespace) -> None:
    if options.format == "json":
        print(json.dumps(answer, indent=2))
        return
    if answer.get("problem"):
        print(answer["problem"])
    settings, usage = answer.get("settings", {}), answer["usage"]
    rows: list[dict[str, Any]] = []
    for kind in _KINDS:
        rows.append({"kind": kind, **usage[kind], "days": settings.get(f"{kind[:-1]}_days"),
                     "most_bytes": settings.get(f"{kind[:-1]}_bytes")})  # fmt: skip
    rows.append({"kind": "other", "bytes": usage["other_bytes"]})
    rows.append({"kind": "database", "bytes": answer["size"]["file_bytes"],
                 "most_bytes": settings.get("max_bytes")})  # fmt: skip
    columns = ["kind", "count", "bytes"] + (["days", "most_bytes"] if settings else [])
    _cli_store.print_rows(rows, columns, "table")
