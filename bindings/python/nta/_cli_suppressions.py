"""``nta suppressions``: which alerts a server hides, and how many that were."""

from __future__ import annotations

import argparse
import json
import re
from typing import Any
from urllib.parse import quote

from nta._cli_firewall import _add_server, _Server

_PATH = "/api/v1/suppressions"
_LISTS = {
    "source": ("sources", "NETWORK"), "destination": ("destinations", "NETWORK"),
    "host": ("hosts", "NETWORK"), "port": ("ports", "PORT"), "domain": ("domains", "DOMAIN"),
    "detector": ("detectors", "NAME"), "class": ("classes", "CLASS"),
}  # fmt: skip
_HELP = {
    "host": "source or destination", "port": "22, 8000-8100", "domain": "and all below it",
    "detector": "port_scan, rule:my-rule", "class": "of alerts: port_scan, brute_force, ...",
}  # fmt: skip


def add(commands: Any) -> None:
    suppressions = commands.add_parser("suppressions", help="which alerts a server hides, and how many")
    acts = suppressions.add_subparsers(title="commands", metavar="COMMAND", required=True)

    listing = acts.add_parser("list", help="all, with what they hid")
    listing.add_argument("--format", choices=("text", "json"), default="text")
    listing.set_defaults(run=_list)

    adding = acts.add_parser(
        "add", help="hide alerts from now on",
        description="All that is named has to fit; what is left out fits everything. Options that "
        "take a NETWORK, PORT, DOMAIN, NAME or CLASS may be given several times.",
    )  # fmt: skip
    adding.add_argument("--reason", required=True, help="for those who come after you")
    adding.add_argument("--kind", choices=("suppression", "maintenance", "allow"), default="suppression")
    for name, (field, metavar) in _LISTS.items():
        adding.add_argument(f"--{name}", dest=field, action="append", default=[], metavar=metavar,
                            help=_HELP.get(name))  # fmt: skip
    adding.add_argument("--weekly", metavar="TIMES", help="mon-fri 22:00-06:00, UTC")
    adding.add_argument("--begins", metavar="TIME", help="RFC 3339")
    adding.add_argument("--expires", metavar="TIME", help="RFC 3339")
    adding.set_defaults(run=_add)

    removing = acts.add_parser("remove", help="show such alerts again")
    removing.add_argument("id")
    removing.set_defaults(run=_remove)

    for parser in (listing, adding, removing):
        _add_server(parser)


def _moment(time: str) -> str:
    """A point in time of the server, without a fraction that says nothing."""
    return re.sub(r"\.0+Z$", "Z", time)


def _scope(one: dict[str, Any]) -> str:
    parts = [
        f"{name} {', '.join(one[field])}" for name, (field, _) in _LISTS.items() if one.get(field)
    ]
    if one.get("weekly"):
        parts.append(f"{one['weekly']} UTC")
    if one.get("begins"):
        parts.append(f"from {_moment(one['begins'])}")
    parts.append(f"until {_moment(one['expires'])}" if one.get("expires") else "until it is removed")
    return "; ".join(parts)


def _list(options: argparse.Namespace) -> int:
    answer = _Server(options).call("GET", _PATH)["suppressions"]
    if options.format == "json":
        print(json.dumps(answer, ensure_ascii=False, indent=2))
        return 0
    for one in answer:
        last = f", last {_moment(one['last_hidden'])}" if one.get("last_hidden") else ""
        print(f"{one['id']}  {one['kind']}: {_scope(one)}")
        print(f"    {one['reason']} ({one['author']}); hid {one['hidden_alerts']} alerts{last}")
    return 0


def _add(options: argparse.Namespace) -> int:
    body: dict[str, Any] = {"reason": options.reason, "kind": options.kind}
    for field, _ in _LISTS.values():
        if values := getattr(options, field):
            body[field] = values
    for field in ("weekly", "begins", "expires"):
        if value := getattr(options, field):
            body[field] = value
    print(_Server(options).call("POST", _PATH, body)["id"])
    return 0


def _remove(options: argparse.Namespace) -> int:
    _Server(options).call("DELETE", f"{_PATH}/{quote(options.id, safe='')}")
    return 0
