#!/usr/bin/env python3
"""Compares pcap_to_flows with the flow oracle over a corpus of captures.

usage: compare_corpus.py PCAP_TO_FLOWS CORPUS_DIR

For each capture of CORPUS_DIR/INDEX.tsv whose oracle is unambiguous (strict_sum True), the packets and wire bytes of each
direction, summed per 5-tuple, must equal flows/CAPTURE.csv. Every capture is read, and every packet ledger must balance.
"""

import collections
import csv
import io
import ipaddress
import json
import os
import pathlib
import subprocess
import sys

PROTOCOLS = {"tcp": "6", "udp": "17"}
# An idle timeout above any silence in the corpus, so that no flow is split.
TIMEOUTS = ["--idle-timeout", "86400", "--active-timeout", "86400"]


def ledger_balances(ledger):
    parts = ("decoded", "malformed", "unsupported", "filtered", "dropped")
    return ledger["received"] == sum(ledger[part] for part in parts)


def expected_flows(path):
    """{(protocol, address, port, address, port): (packets, bytes)} for each direction that has packets."""
    sums = collections.defaultdict(lambda: [0, 0])
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            a = (str(ipaddress.ip_address(row["addr_a"])), row["port_a"])
            b = (str(ipaddress.ip_address(row["addr_b"])), row["port_b"])
            protocol = PROTOCOLS[row["proto"]]
            add(sums, (protocol, *a, *b), row["pkts_ab"], row["bytes_ab"])
            add(sums, (protocol, *b, *a), row["pkts_ba"], row["bytes_ba"])
    return without_zeros(sums)


def actual_flows(text):
    sums = collections.defaultdict(lambda: [0, 0])
    for row in csv.DictReader(io.StringIO(text)):
        if row["protocol"] not in PROTOCOLS.values():
            continue
        source = (str(ipaddress.ip_address(row["source_address"])), row["source_port"])
        destination = (str(ipaddress.ip_address(row["destination_address"])), row["destination_port"])
        forward = (row["protocol"], *source, *destination)
        reverse = (row["protocol"], *destination, *source)
        add(sums, forward, row["forward_packets"], row["forward_wire_bytes"])
        add(sums, reverse, row["reverse_packets"], row["reverse_wire_bytes"])
    return without_zeros(sums)


def add(sums, key, packets, size):
    sums[key][0] += int(packets)
    sums[key][1] += int(size)


def without_zeros(sums):
    return {key: tuple(value) for key, value in sums.items() if value[0]}


def run(program, capture):
    # A sanitizer's report must not look like the exit status of a damaged file.
    environment = {**os.environ, "ASAN_OPTIONS": "exitcode=99", "UBSAN_OPTIONS": "exitcode=99"}
    command = [program, capture, "--no-defragment", *TIMEOUTS]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    if result.returncode not in (0, 1):
        raise RuntimeError(f"exit status {result.returncode}: {result.stderr[-300:]}")
    ledger = None
    if result.stderr.rstrip().endswith("}"):
        ledger = json.loads(result.stderr.rstrip().splitlines()[-1])
    return result, ledger


def check(program, corpus, row):
    """The problem with one capture, or None."""
    result, ledger = run(program, corpus / "captures" / row["capture"])
    if ledger is None:
        return "no ledger"
    if not ledger_balances(ledger):
        return f"the ledger does not balance: {ledger}"
    if result.returncode == 1 and "pcap_to_flows: " not in result.stderr:
        return "failed without saying why"
    if row["strict_sum"] != "True":
        return None
    expected = expected_flows(corpus / "flows" / (row["capture"] + ".csv"))
    actual = actual_flows(result.stdout)
    if expected == actual:
        return None
    differing = [key for key in expected.keys() | actual.keys() if expected.get(key) != actual.get(key)]
    key = sorted(differing)[0]
    return f"{len(differing)} directions differ, first {key}: expected {expected.get(key)}, got {actual.get(key)}"


def main():
    program, corpus = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    with open(corpus / "INDEX.tsv", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    problems = 0
    for row in rows:
        problem = check(program, corpus, row)
        if problem:
            problems += 1
            print(f"{row['capture']}: {problem}")
    strict = sum(row["strict_sum"] == "True" for row in rows)
    print(f"{len(rows)} captures read, {strict} compared, {problems} problems")
    sys.exit(1 if problems or not strict else 0)


if __name__ == "__main__":
    main()
