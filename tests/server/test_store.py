"""The store behind the real program: a damaged file, a full disk, and clients that go away."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import time
from datetime import datetime, timedelta, timezone

import pytest

COLUMNS = (
    "first_seen,last_seen,protocol,source_address,source_port,destination_address,destination_port,vlan,forward_packets,"
    "forward_wire_bytes,forward_ip_bytes,forward_payload_bytes,reverse_packets,reverse_wire_bytes,reverse_ip_bytes,"
    "reverse_payload_bytes,forward_tcp_flags,reverse_tcp_flags,application,end_reason"
)


def until(condition, seconds=20.0):
    """How long it took."""
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        if condition():
            return time.monotonic() - begun
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s")


def csv_of(count, newest):
    """Flows of different hosts that ended in the minutes before `newest`."""
    end = int(newest.timestamp()) * 1_000_000_000
    lines = [COLUMNS]
    for i in range(count):
        seen = end - (i * 7_919_993) % 600_000_000_000
        size = 60 + (i * 2_654_435_761) % 100_000
        lines.append(
            f"{seen - i % 1_000_000},{seen},6,10.{i % 7}.{i // 7 % 250}.{i % 251},{1024 + i * 7 % 60000},192.0.2.{i % 200},443,,"
            f"{1 + i % 50},{size + 14},{size},{size - 40},{1 + i % 40},{size + 54},{size + 40},{size},27,27,,end_of_flow"
        )
    return "\n".join(lines) + "\n"


def finished(server, token, answer):
    assert answer.status == 202, answer.body
    job = answer.json()["id"]
    state = {}

    def ended():
        state.update(server.call("GET", f"/api/v1/jobs/{job}", token=token).json())
        return state["state"] not in ("queued", "running")

    until(ended, 120)
    return state


def bring_in(server, token, count, newest):
    job = finished(server, token, server.call(
        "POST", "/api/v1/imports", csv_of(count, newest), token, {"Content-Type": "text/csv"}))  # fmt: skip
    assert job["state"] == "done", job
    assert job["result"]["flows"] == count


def flows_of(server, token):
    return server.call("GET", "/api/v1/settings/retention", token=token).json()["size"]["flows"]


def test_with_any_damaged_page_it_is_up_within_five_seconds(start):
    server = start()
    token = server.set_up()["token"]
    kept = 40_000
    bring_in(server, token, kept, datetime.now(timezone.utc))
    assert server.stop() == 0
    database = server.directory / "data" / "nta.db"
    sound = database.read_bytes()
    pages = len(sound) // 4096
    assert pages > 100
    slowest = 0.0
    salvaged = 0
    # The first page, the tables, and everywhere in the data.
    for page in sorted({0, 1, 2, 3, 5, 9, *range(11, pages, pages // 8), pages - 1}):
        for file in (server.directory / "data").glob("nta.db*"):
            if not file.name.endswith("-reserve"):  # by which a store without its first bytes is known
                file.unlink()
        database.write_bytes(sound)
        os.chmod(database, 0o600)
        with database.open("r+b") as file:
            file.seek(page * 4096)
            file.write(os.urandom(4096))
        begun = time.monotonic()
        again = start()  # which waits until it answers
        answer = again.call("GET", "/healthz")
        slowest = max(slowest, time.monotonic() - begun)
        assert answer.status == 200, answer.body
        if "store.salvaged" in answer.body.decode():
            salvaged += 1
            assert any((server.directory / "data").glob("nta.db.corrupt-*"))
        assert again.stop() == 0
    print(f"{salvaged} salvaged, up after {slowest:.2f} s at the most")
    assert salvaged >= 5
    assert slowest < 5


@pytest.fixture
def on_small_disk(start, tmp_path, capture):
    """A server whose data is on a disk of 40 MB of its own, and that disk's directory as seen from here."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("needs root and unshare")
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    mount = f"mount -t tmpfs -o size=40m,mode=700 tmpfs '{data}' && exec \"$@\""
    may = subprocess.run(["unshare", "-m", "sh", "-c", mount, "sh", "true"], capture_output=True)
    if may.returncode != 0:
        pytest.skip("not permitted to mount")
    server = start("--pcap", capture, wrapper=["unshare", "-m", "sh", "-c", mount, "sh"])
    return server, pathlib.Path(f"/proc/{server.process.pid}/root{data}")


def fill(disk):
    with (disk / "filler").open("ab", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass


def test_a_full_disk_is_told_capture_goes_on_and_retention_mends_it(on_small_disk):
    server, disk = on_small_disk
    token = server.set_up()["token"]
    bring_in(server, token, 200_000, datetime.now(timezone.utc) - timedelta(days=3))
    old = flows_of(server, token)
    assert old >= 200_000
    assert server.call("PUT", "/api/v1/settings/retention", {"flow_days": 1}, token).status == 200
    packets = lambda: server.call("GET", "/api/v1/capture", token=token).json()["ledger"]["received"]
    fill(disk)
    # From the first write that fails on; flows are written each half second.
    until(lambda: server.call("GET", "/healthz").status == 503)
    assert b"store" in server.call("GET", "/healthz").body
    until(lambda: "the store fails" in server.stderr(), 1.5)
    assert "full" in server.stderr() or "No space" in server.stderr()
    before = packets()
    until(lambda: packets() > before + 10)
    # Retention does not wait for its hour, nor for room to record that it acts.
    until(lambda: flows_of(server, token) < old - 150_000, 60)
    took = until(lambda: server.call("GET", "/healthz").status == 200, 30)
    assert took < 30
    before = flows_of(server, token)
    until(lambda: flows_of(server, token) > before, 60)
    acts = server.call("GET", "/api/v1/audit?act=store.retention", token=token)
    assert acts.status != 200 or b"store.retention" in acts.body
    until(lambda: server.call("PUT", "/api/v1/settings/retention", {"flow_days": 2}, token).status == 200)


def test_trouble_of_a_full_disk_is_told_for_as_long_as_it_lasts(on_small_disk):
    server, disk = on_small_disk
    token = server.set_up()["token"]
    health = lambda: server.call("GET", "/api/v1/health", token=token).json()
    until(lambda: health()["summary"] == "Everything is well.")
    fill(disk)
    until(lambda: server.call("GET", "/healthz").status == 503)
    # Nothing is deleted here, so nothing mends it; and it never looks well meanwhile.
    end = time.monotonic() + 25
    asked = 0
    while time.monotonic() < end:
        fill(disk)  # also what the server gives up to make room
        assert server.call("GET", "/healthz").status == 503
        now = health()
        assert now["status"] == "critical"
        assert now["summary"].startswith("The database cannot be written: the disk is full.")
        assert now["store"] == {"failed": True, "reason": "the disk is full"}
        asked += 1
        time.sleep(0.2)
    assert asked > 20
    assert server.stderr().count("the store fails") == 1
    (disk / "filler").unlink()
    until(lambda: server.call("GET", "/healthz").status == 200, 60)
    assert health()["store"] == {"failed": False, "reason": ""}
    until(lambda: "cannot be written" not in health()["summary"])  # at the next sample
    assert "the store works again" in server.stderr()


def test_clients_that_go_away_end_their_questions(start):
    server = start()
    token = server.set_up()["token"]
    bring_in(server, token, 100_000, datetime.now(timezone.utc))
    # Long, so that a question takes its time: each flow is compared with each number.
    where = "%20or%20".join(f"bytes%3D{i}" for i in range(280)) + "%20or%20bytes%3E9"
    path = "/api/v1/conversations?since=2000-01-01T00:00:00Z&where=" + where

    def seconds_of_cpu():
        fields = pathlib.Path(f"/proc/{server.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before = seconds_of_cpu()
    assert server.call("GET", path, token=token).status == 200
    one = seconds_of_cpu() - before
    count = 80
    before = seconds_of_cpu()
    questions = []
    for _ in range(count):
        client = socket.create_connection(("127.0.0.1", server.port))
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
        questions.append(client)
    for client in questions:
        client.close()

    def is_idle():
        now = seconds_of_cpu()
        time.sleep(1.0)
        return seconds_of_cpu() - now < 0.3

    until(is_idle, 60)
    spent = seconds_of_cpu() - before
    print(f"{one:.2f} s for one, {spent:.2f} s for {count} of clients that went away")
    assert one > 0.02 and spent < count * one / 2
    assert server.call("GET", "/healthz").status == 200


def test_an_export_that_is_cancelled_leaves_no_file(start):
    server = start()
    token = server.set_up()["token"]
    bring_in(server, token, 100_000, datetime.now(timezone.utc))
    answer = server.call("POST", "/api/v1/exports?since=2000-01-01T00:00:00Z", token=token)
    assert answer.status == 202, answer.body
    job = answer.json()["id"]
    cancelled = server.call("DELETE", f"/api/v1/jobs/{job}", token=token)
    assert cancelled.status in (200, 202, 204), cancelled.body
    files = lambda: [path for path in (server.directory / "data").iterdir() if "body" in path.name]
    until(lambda: files() == [])
    assert json.loads(server.call("GET", "/healthz").body)["status"] == "ok"
