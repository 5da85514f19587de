"""Firewall rules: built, compared, judged and rehearsed on recorded flows before they are applied.

    from nta.firewall import Rule, RuleSet, rehearse

    rules = RuleSet([Rule("no-telnet", protocol="tcp", destination_ports=[23])])
    with nta.Store.open("nta.db") as store:
        print(rehearse(rules, store, since="-7d", own_addresses=["192.0.2.1"]).summary)

A rule set that exists is valid: what is wrong raises InvalidArgumentError with the rule, the field
and the reason.
"""

from __future__ import annotations

import json
import time as _clock
from dataclasses import asdict, dataclass, field
from typing import Any, Iterable, Mapping, NamedTuple, Optional, Sequence, Union

from . import _nta
from ._time import TimeLike, to_nanoseconds

PortLike = Union[int, str]

__all__ = [
    "AddressSet",
    "Evaluation",
    "MemoryBackend",
    "NftablesBackend",
    "RehearsalResult",
    "Response",
    "Rule",
    "RuleSet",
    "rehearse",
]


def _text(time: Optional[TimeLike]) -> Optional[str]:
    return None if time is None else _nta.format_timestamp(to_nanoseconds(time))


def _now(time: Optional[TimeLike]) -> int:
    return _clock.time_ns() if time is None else to_nanoseconds(time)


@dataclass(frozen=True)
class Rule:
    """One line of a firewall. Sources and destinations are networks, and "@name" for sets."""

    id: str
    direction: str = "in"  # in, out, forward
    verdict: str = "drop"  # accept, drop, reject, rate_limit
    rate_limit: Optional[Mapping[str, int]] = None  # packets_per_second, burst
    source: Sequence[str] = ()
    destination: Sequence[str] = ()
    protocol: Optional[str] = None
    source_ports: Sequence[PortLike] = ()  # 22, "8000-8080"
    destination_ports: Sequence[PortLike] = ()
    icmp_types: Sequence[int] = ()
    in_interface: Optional[str] = None
    out_interface: Optional[str] = None
    states: Sequence[str] = ()  # new, established, related, invalid
    log: bool = False
    expires: Optional[TimeLike] = None
    comment: str = ""
    author: str = ""
    allow_wide: bool = False  # insists on dropping networks wider than /8 or /16

    def __post_init__(self) -> None:
        _nta._check_firewall_rule(self.to_json())

    def to_dict(self) -> dict[str, Any]:
        values = asdict(self)
        values["expires"] = _text(self.expires)
        for name, value in values.items():
            if isinstance(value, tuple):
                values[name] = list(value)
        return values

    def to_json(self) -> str:
        return json.dumps(self.to_dict())

    def __str__(self) -> str:
        words: str = _nta._check_firewall_rule(self.to_json())
        return words


@dataclass(frozen=True)
class AddressSet:
    """Addresses by name. Elements are addresses, or (address, expiry) in a set of hosts."""

    name: str
    elements: Sequence[Any] = ()
    kind: str = "hosts"  # or prefixes
    allow_wide: bool = False

    def to_dict(self) -> dict[str, Any]:
        elements = []
        for element in self.elements:
            address, expires = element if isinstance(element, tuple) else (element, None)
            elements.append({"prefix": str(address), "expires": _text(expires)})
        return {
            "name": self.name, "kind": self.kind, "elements": elements,
            "allow_wide": self.allow_wide,
        }  # fmt: skip


class Evaluation(NamedTuple):
    decision: str  # accept, drop, reject, undecidable
    rule_id: str  # empty: the protected set or the default
    by_protected_set: bool
    missing: str  # of undecidable: which facts


class RuleSet:
    """A whole firewall; the first rule that matches decides."""

    def __init__(
        self,
        rules: Iterable[Rule] = (),
        *,
        sets: Iterable[AddressSet] = (),
        defaults: Optional[Mapping[str, str]] = None,
        protected: Iterable[tuple[str, str]] = (),
        replies: bool = True,
    ) -> None:
        """`protected` are (network, role) with the roles own, gateway, resolver, administrator,
        configured."""
        self._value = _nta.RuleSetValue.from_json(
            json.dumps(
                {
                    "rules": [rule.to_dict() for rule in rules],
                    "sets": [one.to_dict() for one in sets],
                    "defaults": dict(defaults or {}),
                    "protected_set": {
                        "peers": [{"prefix": str(p), "role": role} for p, role in protected],
                        "replies": replies,
                    },
                }
            )
        )

    @classmethod
    def from_json(cls, text: str) -> RuleSet:
        return cls._of(_nta.RuleSetValue.from_json(text))

    @classmethod
    def _of(cls, value: Any) -> RuleSet:
        rules = cls.__new__(cls)
        rules._value = value
        return rules

    def to_json(self) -> str:
        text: str = self._value.to_json()
        return text

    def to_dict(self) -> dict[str, Any]:
        parts: dict[str, Any] = json.loads(self.to_json())
        return parts

    @property
    def rules(self) -> list[Rule]:
        return [Rule(**rule) for rule in self.to_dict()["rules"]]

    def problems(self, now: Optional[TimeLike] = None) -> list[dict[str, Any]]:
        """Rules that are shadowed, redundant or unreachable: kind, rule_id, because_of, text."""
        found: list[dict[str, Any]] = self._value.problems(_now(now))
        return found

    def diff(self, after: RuleSet) -> dict[str, Any]:
        difference: dict[str, Any] = json.loads(self._value.diff_json(after._value))
        return difference

    def diff_text(self, after: RuleSet) -> str:
        text: str = self._value.diff_text(after._value)
        return text

    def evaluate(self, **facts: Any) -> Evaluation:
        """The verdict on one packet: direction, source, destination, protocol, source_port,
        destination_port, icmp_type, in_interface, out_interface, state, is_reply, time. What is
        left out is not known, and never guessed."""
        return Evaluation(*self._value.evaluate(facts))

    def __len__(self) -> int:
        return len(self._value.words())

    def __str__(self) -> str:
        return "\n".join(self._value.words())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RuleSet) and bool(self._value == other._value)

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True)
class RehearsalResult:
    """What a rule set would have done; counts are {"flows", "bytes"}."""

    summary: str
    examined: Mapping[str, int]
    passed: Mapping[str, int]
    cut: Mapping[str, int]
    undecidable: Mapping[str, int]
    elsewhere: Mapping[str, int]
    missing: Sequence[Mapping[str, Any]]
    hosts_cut: int
    hosts_complete: bool
    hosts: Sequence[Mapping[str, Any]]
    services: Sequence[Mapping[str, Any]]
    rules: Sequence[Mapping[str, Any]]
    difference: Optional[Mapping[str, Any]]
    sessions: Sequence[Mapping[str, Any]] = field(default=())

    def __str__(self) -> str:
        return self.summary


def rehearse(
    rules: RuleSet,
    flows: Any,
    *,
    since: Optional[TimeLike] = None,
    until: Optional[TimeLike] = None,
    where: Any = None,
    own_addresses: Iterable[Any] = (),
    role: str = "unknown",
    translated: Iterable[Any] = (),
    interface: Optional[str] = None,
    now: Optional[TimeLike] = None,
    in_force: Optional[RuleSet] = None,
    sessions: Iterable[tuple[Any, Any, int]] = (),
    top: int = 10,
) -> RehearsalResult:
    """Tries `rules` on the flows of a Store, a FlowBatch or an iterable of FlowRecord.

    `own_addresses` are those of the machine with the firewall, `role` ("host", "router", "unknown")
    what it does with traffic of others, `translated` networks that stand for others (NAT),
    `sessions` connections (peer, server, port) that must go on. What a flow cannot tell makes it
    undecidable; nothing is guessed.
    """
    if not isinstance(rules, RuleSet):
        raise TypeError(f"rules must be a RuleSet, not {type(rules).__name__}")
    options = {
        "since": since, "until": until, "where": where, "own_addresses": list(own_addresses),
        "role": role, "translated": list(translated), "interface": interface, "now": _now(now),
        "in_force": None if in_force is None else in_force._value, "sessions": list(sessions),
        "top": top,
    }  # fmt: skip
    return RehearsalResult(**json.loads(_nta.rehearse_json(rules._value, flows, options)))


class _Backend:
    _value: Any

    def current(self, now: Optional[TimeLike] = None) -> RuleSet:
        """What is in force."""
        return RuleSet._of(self._value.current(_now(now)))

    def replace(self, rules: RuleSet, now: Optional[TimeLike] = None) -> None:
        """All or nothing."""
        self._value.replace(rules._value, _now(now))

    def counters(self, now: Optional[TimeLike] = None) -> list[dict[str, Any]]:
        counters: list[dict[str, Any]] = self._value.counters(_now(now))
        return counters

    def block(
        self,
        set: str,
        address: Any,
        expires: Optional[TimeLike] = None,
        now: Optional[TimeLike] = None,
    ) -> None:
        """Puts an address into a set of hosts, until it expires."""
        until = None if expires is None else to_nanoseconds(expires)
        self._value.add(set, address, until, _now(now))

    def unblock(self, set: str, address: Any, now: Optional[TimeLike] = None) -> None:
        self._value.remove(set, address, _now(now))


class MemoryBackend(_Backend):
    """Keeps rules and enforces nothing but what it is asked about."""

    def __init__(self) -> None:
        self._value = _nta.MemoryBackendValue()

    def offer(self, wire_bytes: int = 0, **facts: Any) -> str:
        """Judges one packet (as RuleSet.evaluate) and counts it."""
        decision: str = self._value.offer(facts, wire_bytes)
        return decision


class NftablesBackend(_Backend):
    """The kernel's rules, in one nftables table of our own. Needs CAP_NET_ADMIN."""

    def __init__(self, table: str = "nta") -> None:
        self._value = _nta.NftablesBackendValue(table)

    def import_table(self, family: str, table: str) -> tuple[RuleSet, list[str]]:
        """A table of somebody else as rules, and what of it does not map. Nothing is changed."""
        rules, unmapped = self._value.import_table(family, table)
        return RuleSet._of(rules), unmapped


class Response:
    """Blocks that end by themselves and whose effect is measured, over a backend.

    response = Response(NftablesBackend())
    response.block("203.0.113.9", protocol="tcp", port=22, seconds=600)
    """

    def __init__(self, backend: _Backend, *, allow_list: Iterable[Any] = ()) -> None:
        """Nobody in `allow_list` is ever blocked."""
        self._value = _nta.ResponseValue(backend._value, [str(one) for one in allow_list])

    def block(
        self,
        address: Any,
        *,
        protocol: Optional[str] = None,
        port: Optional[int] = None,
        seconds: Optional[float] = 3600,
        reason: str = "",
        now: Optional[TimeLike] = None,
    ) -> dict[str, Any]:
        """Cuts all traffic of an address, of a protocol, or to a port; None: until it is lifted."""
        text = self._value.block(address, protocol, port, seconds, reason, _now(now))
        made: dict[str, Any] = json.loads(text)
        return made

    def unblock(self, address: Any, now: Optional[TimeLike] = None) -> None:
        """Every block of that address."""
        self._value.unblock(address, _now(now))

    def blocks(self, now: Optional[TimeLike] = None) -> list[dict[str, Any]]:
        """Those in force, with what each of them has cut by now."""
        return [json.loads(text) for text in self._value.blocks(_now(now))]
