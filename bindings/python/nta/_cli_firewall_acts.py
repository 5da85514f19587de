"""nta firewall at a server: the draft rule by rule, and blocks."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import fields
from typing import Any
from urllib.parse import quote

from nta._cli_firewall import _add_server, _read_rules, _Server, read_text
from nta._cli_values import UsageError
from nta.firewall import Rule

_BASE = "/api/v1/firewall"


def add_acts(acts: Any) -> None:
    add = acts.add_parser("add", help="add a rule to the draft")
    add.add_argument("rule", metavar="RULE", help="JSON, or a file that holds it; - is standard input")
    add.add_argument("--place", type=int, help="0 is first; left out: last")
    add.set_defaults(run=_add)

    replace = acts.add_parser("replace", help="replace a rule of the draft, or all of them")
    replace.add_argument("rule", metavar="RULE", help="as for add; of a whole rule set with --all")
    replace.add_argument("--id", help="the rule that is replaced; left out: that of the same id")
    replace.add_argument("--all", action="store_true", help="the whole draft")
    replace.set_defaults(run=_replace)

    delete = acts.add_parser("delete", help="take a rule out of the draft")
    delete.add_argument("id")
    delete.set_defaults(run=_delete)

    diff = acts.add_parser("diff", help="from the confirmed rules to the draft, or of two files")
    diff.add_argument("files", nargs="*", metavar="FILE", help="none, or two")
    diff.set_defaults(run=_diff)

    block = acts.add_parser("block", help="block an address at once")
    block.add_argument("address", nargs="?", help="left out: that of the alert")
    block.add_argument("--protocol", help="tcp, udp, ...: only that; any")
    block.add_argument("--port", type=int)
    block.add_argument("--seconds", type=int, help="left out: until it is lifted")
    block.add_argument("--alert", metavar="ID", help="the alert that calls for it")
    block.add_argument("--reason", default="")
    block.set_defaults(run=_block)

    unblock = acts.add_parser("unblock", help="lift the blocks of an address")
    unblock.add_argument("address")
    unblock.set_defaults(run=_unblock)

    effect = acts.add_parser("effect", help="the blocks, and what each of them did")
    effect.add_argument("--format", choices=("text", "json"), default="text")
    effect.set_defaults(run=_effect)

    for parser in (add, replace, delete, diff, block, unblock, effect):
        _add_server(parser)


def _read_rule(text: str) -> dict[str, Any]:
    """What is wrong with it is said here, before anybody is asked for a password."""
    if not text.lstrip().startswith("{"):
        text = read_text(text)
    try:
        parts = json.loads(text)
    except ValueError as error:
        raise UsageError(f"the rule is no JSON: {error}") from None
    if not isinstance(parts, dict) or "rules" in parts:
        raise UsageError("one rule is wanted, not a rule set; see replace --all, or apply")
    known = {field.name for field in fields(Rule)}
    if unknown := sorted(set(parts) - known):
        raise UsageError(f"a rule has no {', '.join(unknown)}")
    if "id" not in parts:
        raise UsageError("a rule needs an id")
    try:
        return Rule(**parts).to_dict()
    except TypeError as error:
        raise UsageError(f"not a rule: {error}") from None


def _add(options: argparse.Namespace) -> int:
    body: dict[str, Any] = {"rule": _read_rule(options.rule)}
    if options.place is not None:
        body["place"] = options.place
    _Server(options).call("POST", f"{_BASE}/rules", body)
    return 0


def _replace(options: argparse.Namespace) -> int:
    if options.all:
        parts = _read_rules(options.rule).to_dict()
        body = {name: parts[name] for name in ("rules", "sets", "defaults")}
        _Server(options).call("PUT", f"{_BASE}/rules", body)
        return 0
    rule = _read_rule(options.rule)
    old = quote(options.id or rule["id"], safe="")
    _Server(options).call("PUT", f"{_BASE}/rules/{old}", {"rule": rule})
    return 0


def _delete(options: argparse.Namespace) -> int:
    _Server(options).call("DELETE", f"{_BASE}/rules/{quote(options.id, safe='')}")
    return 0


def _diff(options: argparse.Namespace) -> int:
    if len(options.files) == 2:
        before, after = (_read_rules(path) for path in options.files)
        sys.stdout.write(before.diff_text(after))
    elif not options.files:
        sys.stdout.write(_Server(options).call("GET", f"{_BASE}/diff")["text"])
    else:
        print("nta firewall diff: none or two files", file=sys.stderr)
        return 2
    return 0


def _block(options: argparse.Namespace) -> int:
    wish = {
        "address": options.address, "protocol": options.protocol, "port": options.port,
        "seconds": options.seconds, "alert_id": options.alert, "reason": options.reason,
    }  # fmt: skip
    body = {name: value for name, value in wish.items() if value not in (None, "")}
    made = _Server(options).call("POST", f"{_BASE}/block", body)
    print(f"{made['id']} until {made['until'] or 'it is lifted'}")
    if before := made["replaced"]:
        why = f" ({before['reason']})" if before["reason"] else ""
        print(f"in place of the block until {before['until'] or 'it is lifted'} by "
              f"{before['author']}{why}")  # fmt: skip
    return 0


def _unblock(options: argparse.Namespace) -> int:
    _Server(options).call("POST", f"{_BASE}/unblock", {"address": options.address})
    return 0


def _effect(options: argparse.Namespace) -> int:
    blocks = _Server(options).call("GET", f"{_BASE}/effect")["blocks"]
    if options.format == "json":
        print(json.dumps(blocks))
        return 0
    for block in blocks:
        effect = block["effect"]
        print(
            f"{block['id']}  until {block['until'] or 'lifted'}  {effect['packets']} packets cut, "
            f"{effect['packets_per_second_before']:g}/s before, "
            f"{effect['packets_per_second_now']:g}/s now  {block['reason']}".rstrip()
        )
    return 0
