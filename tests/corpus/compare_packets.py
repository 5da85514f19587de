#!/usr/bin/env python3
"""Compares Decode() with what tshark says of each packet of a corpus of captures.

usage: compare_packets.py PACKET_FIELDS CORPUS_DIR

For each capture of CORPUS_DIR/INDEX.tsv whose dissection is unambiguous (strict_sum True): lengths of every packet; addresses,
protocol, ports, TTL, TCP flags, UDP length and TCP payload of those with TCP or UDP; addresses and TTL of other packets with
one IP header; ICMP types.
"""

import collections
import csv
import io
import ipaddress
import pathlib
import subprocess
import sys

PROTOCOLS = {"tcp": "6", "udp": "17"}


def address(text):
    return str(ipaddress.ip_address(text)) if text else ""


def fields(expected, actual):
    """(name, expected, actual) of all that can be compared."""
    yield "len", expected["len"], actual["len"]
    yield "caplen", expected["caplen"], actual["caplen"]
    layers = expected["protocols"].split(":")
    headers = [layer for layer in layers if layer in ("ip", "ipv6")]
    is_counted = expected["proto"] in PROTOCOLS
    if not is_counted and len(headers) != 1:
        return
    yield "src", address(expected["src"]), address(actual["src"])
    yield "dst", address(expected["dst"]), address(actual["dst"])
    if expected["ttl"]:
        yield "ttl", expected["ttl"], actual["ttl"]
    if is_counted:
        yield "protocol", PROTOCOLS[expected["proto"]], actual["protocol"]
        yield "sport", expected["sport"], actual["sport"]
        yield "dport", expected["dport"], actual["dport"]
    if expected["tcp_flags"]:
        yield "tcp_flags", int(expected["tcp_flags"], 16) & 0xFF, int(actual["tcp_flags"])
    if expected["tcp_payload"]:
        yield "tcp_payload", expected["tcp_payload"], actual["payload"]
    if expected["udp_len"] and int(expected["udp_len"]) >= 8 and len(headers) == 1:
        yield "udp_len", int(expected["udp_len"]) - 8, int(actual["payload"])
    if len(headers) == 1 and layers[-1] in ("icmp", "icmpv6") and expected["icmp_type"]:
        yield "icmp_type", expected["icmp_type"], actual["icmp_type"]


def rows_of(program, capture):
    result = subprocess.run([program, capture], capture_output=True, text=True, timeout=120, check=True)
    return list(csv.DictReader(io.StringIO(result.stdout)))


def main():
    program, corpus = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    with open(corpus / "INDEX.tsv", newline="") as file:
        captures = [row["capture"] for row in csv.DictReader(file, delimiter="\t") if row["strict_sum"] == "True"]
    compared, values, problems = 0, 0, collections.Counter()
    for capture in captures:
        with open(corpus / "flows" / (capture + ".packets.csv"), newline="") as file:
            expected = list(csv.DictReader(file))
        actual = rows_of(program, corpus / "captures" / capture)
        if len(expected) != len(actual):
            problems[capture, "packets"] += 1
            print(f"{capture}: {len(actual)} packets, expected {len(expected)}")
        for frame, (theirs, ours) in enumerate(zip(expected, actual), 1):
            compared += 1
            for name, right, got in fields(theirs, ours):
                values += 1
                if right == got:
                    continue
                problems[capture, name] += 1
                if problems[capture, name] <= 2:
                    print(f"{capture}: packet {frame} ({theirs['protocols']}): {name} is {got}, expected {right}")
    print(f"{len(captures)} captures, {compared} packets, {values} values compared, {sum(problems.values())} differences")
    sys.exit(1 if problems or not compared else 0)


if __name__ == "__main__":
    main()
