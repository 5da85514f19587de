"""nta firewall: what needs no server, and a change at one; the rest is in _cli_firewall_acts."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Optional

import nta
from nta import _cli_store
from nta._cli_values import UsageError, moment
from nta._cli_backup import ask_secret
from nta.firewall import NftablesBackend, RuleSet, rehearse

_SERVER = "http://127.0.0.1:8080"
_USER = "admin"
# A server lets an address sign in a few times a minute, and a change waits for its confirmation.
_LONGEST_WAIT = 30


def add_firewall(commands: Any) -> None:
    parser = commands.add_parser("firewall", help="rules, rehearsals, changes and blocks")
    acts = parser.add_subparsers(title="acts", metavar="ACT", required=True)

    listing = acts.add_parser("list", help="the rules in a file, in the kernel or at a server")
    listing.add_argument("rules", nargs="?", metavar="FILE", help="JSON; left out: see --table")
    listing.add_argument("--table", default="nta", help="the nftables table to read [nta]")
    listing.add_argument("--format", choices=("text", "json"), default="text")
    _add_server(listing, default=None)
    listing.set_defaults(run=_list)

    trial = acts.add_parser("rehearse", help="try rules on the flows of a store or a capture")
    trial.add_argument("rules", metavar="FILE", help="JSON; - is standard input")
    trial.add_argument("flows", metavar="STORE", help="a store, or a capture file")
    trial.add_argument("--since", type=moment, metavar="TIME", help="RFC 3339, or relative: -7d")
    trial.add_argument("--until", type=moment, metavar="TIME")
    trial.add_argument("--where", default="", metavar="FILTER")
    trial.add_argument("--own", action="append", default=[], metavar="ADDRESS",
                       help="an address of the machine with the firewall; several times")  # fmt: skip
    trial.add_argument("--role", choices=("host", "router", "unknown"), default="unknown")
    trial.add_argument("--translated", action="append", default=[], metavar="NETWORK",
                       help="a network that stands for others (NAT); several times")  # fmt: skip
    trial.add_argument("--interface", help="through which all flows came or went")
    trial.add_argument("--in-force", metavar="FILE", help="rules to tell the difference to")
    trial.add_argument("--format", choices=("text", "json"), default="text")
    trial.set_defaults(run=_rehearse)

    apply = acts.add_parser("apply", help="put rules into force at a server; confirm, or they go")
    apply.add_argument("rules", nargs="?", metavar="FILE", help="left out: the server's draft")
    apply.add_argument("--within", type=int, default=60, metavar="SECONDS",
                       help="to confirm in, 5 to 3600; then the change comes off [%(default)s]")  # fmt: skip
    _add_server(apply)
    apply.set_defaults(run=_apply)

    confirm = acts.add_parser("confirm", help="keep the change that was applied")
    confirm.add_argument("token")
    confirm.add_argument("--roll-back", action="store_true", help="take it back instead")
    _add_server(confirm)
    confirm.set_defaults(run=_confirm)

    importing = acts.add_parser("import", help="an nftables table as rules; nothing is changed")
    importing.add_argument("family", choices=("inet", "ip", "ip6"))
    importing.add_argument("table")
    _add_server(importing, default=None)
    importing.set_defaults(run=_import)

    from nta._cli_firewall_acts import add_acts

    add_acts(acts)


def _add_server(parser: argparse.ArgumentParser, default: Optional[str] = _SERVER) -> None:
    parser.add_argument("--server", default=default, metavar="URL",
                        help=f"an nta-server, such as {_SERVER}" + ("" if default else "; left out: this machine"))  # fmt: skip
    parser.add_argument("--user", default=_USER, help="who signs in [admin]; the password is "
                        "asked for, or taken from NTA_PASSWORD")  # fmt: skip


def _read_rules(path: str) -> RuleSet:
    return RuleSet.from_json(read_text(path))


def read_text(path: str) -> str:
    """Of a file, or standard input where the path is "-"."""
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text("utf-8")
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no text; are the arguments in their order?") from None


def _list(options: argparse.Namespace) -> int:
    if options.rules:
        rules = _read_rules(options.rules)
    elif options.server:
        answer = _Server(options).call("GET", "/api/v1/firewall/rules")
        rules = RuleSet.from_json(json.dumps(answer["in_force"]))
    else:
        rules = NftablesBackend(options.table).current()
    if options.format == "json":
        print(rules.to_json())
        return 0
    for number, (rule, words) in enumerate(zip(rules.rules, str(rules).splitlines()), 1):
        print(f"{number:4}  {rule.id:<32}  {words}")
    for problem in rules.problems():
        # The rules of blocks are the server's own, and nobody's mistake.
        if not problem["rule_id"].startswith("blocked"):
            print(f"  !   {problem['text']}")
    return 0


def _import(options: argparse.Namespace) -> int:
    if options.server:
        body = {"family": options.family, "table": options.table}
        answer = _Server(options).call("POST", "/api/v1/firewall/import", body)
        rules, unmapped = RuleSet.from_json(json.dumps(answer["rules"])), answer["unmapped"]
    else:
        rules, unmapped = NftablesBackend().import_table(options.family, options.table)
    print(rules.to_json())
    for line in unmapped:
        print(f"not taken over: {line}", file=sys.stderr)
    return 0


def _rehearse(options: argparse.Namespace) -> int:
    given = {
        "where": options.where, "own_addresses": options.own, "role": options.role,
        "translated": options.translated, "interface": options.interface,
        "in_force": _read_rules(options.in_force) if options.in_force else None,
    }  # fmt: skip
    rules = _read_rules(options.rules)
    if _cli_store.is_store(options.flows):
        with nta.Store.open(options.flows, create=False) as store:
            result = rehearse(rules, store, since=options.since, until=options.until, **given)
    else:
        result = rehearse(
            rules, nta.read_flows(options.flows), since=options.since, until=options.until, **given
        )
    if options.format == "json":
        from dataclasses import asdict

        print(json.dumps(asdict(result)))
    else:
        sys.stdout.write(result.summary)
    return 0


def _apply(options: argparse.Namespace) -> int:
    parts = _read_rules(options.rules).to_dict() if options.rules else None
    server = _Server(options)
    if parts is not None:
        body = {name: parts[name] for name in ("rules", "sets", "defaults")}
        server.call("PUT", "/api/v1/firewall/rules", body)
    diff = server.call("GET", "/api/v1/firewall/diff")["text"]
    sys.stderr.write(diff or "nothing changes\n")
    answer = server.call(
        "POST",
        "/api/v1/firewall/apply",
        {"password": server.password, "confirm_within_seconds": options.within},
    )
    print(answer["token"])
    command = f"nta firewall confirm {answer['token']}"
    if options.server != _SERVER:
        command += f" --server {options.server}"
    if options.user != _USER:
        command += f" --user {options.user}"
    print(f"in force until {answer['deadline']}; to keep it: {command}", file=sys.stderr)
    return 0


def _confirm(options: argparse.Namespace) -> int:
    act = "rollback" if options.roll_back else "confirm"
    _Server(options).call("POST", f"/api/v1/firewall/{act}", {"token": options.token})
    print("taken back" if options.roll_back else "kept", file=sys.stderr)
    return 0


class _Server:
    """Each call is a connection of its own, as a confirmation must be."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._url = options.server.rstrip("/")
        if not self._url.startswith(("http://", "https://")):
            raise UsageError(f"--server {options.server}: a server is written {_SERVER}")
        self._token = ""
        try:
            self.password = os.environ.get("NTA_PASSWORD") or ask_secret(
                f"Password of {options.user}: "
            )
        except EOFError:
            raise UsageError(
                "a password is needed and there is no terminal to ask at: set NTA_PASSWORD"
            ) from None
        answer = self.call(
            "POST", "/api/login", {"username": options.user, "password": self.password}
        )
        self._token = answer["token"]

    def call(self, method: str, path: str, body: Optional[dict[str, Any]] = None) -> Any:
        request = urllib.request.Request(self._url + path, method=method)
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        left = _LONGEST_WAIT
        while True:
            try:
                return self._send(request)
            except _TooMany as refused:
                if refused.wait > left:
                    raise nta.UnavailableError(
                        f"{refused.detail}; the server asks to wait {refused.wait} s"
                    ) from None
                left -= refused.wait
                print(f"nta: too many requests; trying again in {refused.wait} s", file=sys.stderr)
                time.sleep(refused.wait)

    def _send(self, request: urllib.request.Request) -> Any:
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                text = answer.read()
                return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            detail = _detail(error)
            if error.code == 429:
                raise _TooMany(detail, _retry_after(error)) from None
            kind = {401: nta.PermissionDeniedError, 403: nta.PermissionDeniedError,
                    404: nta.NotFoundError, 409: nta.FailedPreconditionError}  # fmt: skip
            raise kind.get(error.code, nta.UnavailableError)(detail) from None
        except urllib.error.URLError as error:
            raise nta.UnavailableError(f"cannot reach {self._url}: {error.reason}") from None
        except (ValueError, http.client.HTTPException):
            raise nta.UnavailableError(f"{self._url} does not answer as an nta-server does") from None


class _TooMany(Exception):
    def __init__(self, detail: str, wait: int) -> None:
        super().__init__(detail)
        self.detail = detail
        self.wait = wait


def _retry_after(error: urllib.error.HTTPError) -> int:
    text = error.headers.get("Retry-After") or ""
    return max(1, int(text)) if text.isdecimal() else 1



def _detail(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["detail"])
    except (ValueError, KeyError):
        return f"the server answered {error.code}"
