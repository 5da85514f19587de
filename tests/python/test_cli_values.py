"""What users type wrongly, when they stop, and what a guess looks like."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time

import pytest

import nta
from conftest import udp
from test_cli import run


@pytest.mark.parametrize("arguments", [
    ["top", "x", "--limit", "0"], ["top", "x", "--limit", "-1"], ["conversations", "x", "--limit", "1001"],
    ["series", "x", "--step", "7"], ["series", "x", "--step", "nan"], ["flows", "x", "--since", "yesterday"],
    ["flows", "x", "--idle-timeout", "-1"], ["flows", "x", "--active-timeout", "inf"],
    ["flows", "x", "--max-flows", "0"], ["detect", "x", "--set", "garbage"],
    ["detect", "x", "--set", "port_scan.min_ports=many"], ["detect", "x", "--set", "port_scan.colour=1"],
    ["capture", "--interface", "lo", "--database", "x", "--seconds", "-4"], ["capture", "--database", "x"],
])  # fmt: skip
def test_wrong_values_are_status_2_and_told_without_a_trace(arguments, tmp_path):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr and "incompatible" not in done.stderr
    assert len(done.stderr.splitlines()[-1]) < 300 and list(tmp_path.iterdir()) == []


def test_a_failed_import_leaves_no_store_that_it_made(sample, tmp_path):
    database = tmp_path / "x.db"
    header = tmp_path / "header.csv"
    header.write_text("\x1b" * 900_000 + "\n")
    lines = tmp_path / "lines.csv"
    lines.write_text(nta.FlowBatch().to_csv() + "1,2\n")
    for file in ("missing.csv", header, lines, sample):
        done = run("import", database, file)
        assert done.returncode == 1 and len(done.stderr) < 500 and "\x1b" not in done.stderr
        assert list(tmp_path.glob("x.db*")) == []
    assert "is a capture" in done.stderr and "nta capture" in done.stderr
    nta.Store.open(database).close()
    assert run("import", database, lines).returncode == 1 and database.exists()


def test_guesses_are_marked(tmp_path, write_capture):
    # What flows to port 514 is not looked at: nothing but the port says that it is syslog.
    path = write_capture([udp(dport=514, payload=b"\x00\x01\x02\x03")])
    database = tmp_path / "guess.db"
    assert run("capture", path, "--database", database).returncode == 0
    row = json.loads(run("top", database, "application", "--format", "json").stdout)
    assert row["guessed_bytes"] == row["bytes"] > 0
    header, line = run("top", database, "application").stdout.splitlines()[:2]
    assert header.split() == ["key", "bytes", "packets", "flows", "guessed"]
    assert line.split()[0] == row["key"] + "?" and line.split()[-1] == str(row["bytes"])
    table = list(csv.DictReader(io.StringIO(run("top", database, "application", "--format", "csv").stdout)))
    assert table[0]["key"] == row["key"] and table[0]["guessed_flows"] == "1"
    series = ["series", database, "--by", "application"]
    assert run(*series).stdout.split()[:2] == ["time", row["key"] + "?"]
    first = next(csv.DictReader(io.StringIO(run(*series, "--format", "csv").stdout)))
    assert first["guessed_" + row["key"]] == first[row["key"]] == str(row["bytes"])


def test_top_of_addresses_names_them(sample, tmp_path):
    database = tmp_path / "names.db"
    assert run("capture", sample, "--database", database).returncode == 0
    with nta.Store.open(database) as store:
        rows = list(store.top("address", limit=1000))
        names = {}
        for row in rows:
            names.update(store.names([row["key"]], limit=1))
    known = {address: found[0]["name"] for address, found in names.items() if found}
    lines = run("top", database, "--limit", "1000").stdout.splitlines()
    assert known and lines[0].split()[-1] == "name"
    shown = {line.split()[0]: line.split()[4:] for line in lines[1:]}
    assert {address: cells[0] for address, cells in shown.items() if cells} == known


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_capture_that_is_stopped_keeps_its_flows_and_says_so(tmp_path, number):
    import socket

    database = tmp_path / "live.db"
    process = subprocess.Popen([sys.executable, "-m", "nta", "capture", "--interface", "lo", "--database", database],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.0.1", 0))
        end = time.monotonic() + 60
        while time.monotonic() < end and process.poll() is None and not _captured(database):
            sender.sendto(b"x", ("127.0.0.1", 9))
            time.sleep(0.05)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    if "permitted" in err or "permission" in err:
        pytest.skip(err)
    assert process.returncode == 0, err
    flows = int(out.split()[0])
    assert flows >= 1 and " flows stored in " in out
    assert json.loads(err)["received"] > 0
    with nta.Store.open(database) as store:
        assert store.size()["flows"] == flows


def _captured(database) -> bool:
    if not os.path.exists(database):
        return False
    try:
        with nta.Store.open(database, create=False) as store:
            return store.summary()["capture"]["packets_seen"] > 0
    except nta.Error:
        return False
