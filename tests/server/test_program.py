"""Starting, failing and ending; and traffic from a capture to the API."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import time

import pytest

from conftest import BINARY
from test_stream import Stream


def run(*arguments, cwd, timeout=30, **options):
    return subprocess.run([BINARY, *arguments], cwd=cwd, timeout=timeout, capture_output=True, text=True, **options)


def fails(result, status, *words):
    """One clear line on stderr, nothing else, and the right status."""
    assert result.returncode == status, result
    lines = result.stderr.strip().split("\n")
    assert len(lines) == 1, lines
    for word in words:
        assert word in lines[0], lines[0]


def test_a_port_in_use_is_told(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        fails(run("--listen", address, cwd=tmp_path), 1, address, "in use")
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to capture")
def test_an_unknown_interface_is_told_with_the_ones_there_are(tmp_path):
    fails(run("--listen", "127.0.0.1:0", "--interface", "nosuch0", cwd=tmp_path), 1, "nosuch0", "lo")


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root and setpriv to drop rights")
def test_a_missing_right_to_capture_is_told(tmp_path):
    result = subprocess.run(["setpriv", "--bounding-set", "-net_raw,-net_admin", "--inh-caps", "-net_raw,-net_admin", BINARY,
                             "--listen", "127.0.0.1:0", "--interface", "lo"], cwd=tmp_path, timeout=30, capture_output=True, text=True)
    fails(result, 1, "lo", "CAP_NET_RAW")


def test_a_missing_or_wrong_capture_is_told(tmp_path):
    fails(run("--listen", "127.0.0.1:0", "--pcap", "missing.pcap", cwd=tmp_path), 1, "missing.pcap")
    (tmp_path / "text.pcap").write_text("this is not a capture")
    fails(run("--listen", "127.0.0.1:0", "--pcap", "text.pcap", cwd=tmp_path), 1, "text.pcap")
    fails(run("--listen", "127.0.0.1:0", "--file", "text.pcap", cwd=tmp_path), 1, "text.pcap")


def test_a_wrong_database_is_told_and_left_alone(tmp_path):
    (tmp_path / "text.db").write_text("not a database " * 1000)
    foreign = sqlite3.connect(tmp_path / "foreign.db")
    foreign.execute("create table cats (name text)")
    foreign.commit()
    foreign.close()
    for name in ["text.db", "foreign.db"]:
        before = (tmp_path / name).read_bytes()
        fails(run("--listen", "127.0.0.1:0", "--database", name, cwd=tmp_path), 1, name)
        assert (tmp_path / name).read_bytes() == before
    fails(run("--listen", "127.0.0.1:0", "--database", "missing/nta.db", cwd=tmp_path), 1, "missing")


def test_a_missing_parent_of_the_data_directory_is_told(tmp_path):
    fails(run("--listen", "127.0.0.1:0", "--data-dir", "missing/data", cwd=tmp_path), 1, "missing/data")


def test_a_key_that_others_may_read_is_refused(start):
    server = start()
    assert server.stop() == 0
    os.chmod(server.directory / "data" / "jwt.key", 0o644)
    fails(run("--listen", "127.0.0.1:0", "--data-dir", "data", cwd=server.directory), 1, "jwt.key", "others")


def test_a_second_server_on_the_same_data_is_refused(start):
    server = start()
    token = server.bootstrap_token
    fails(run("--listen", "127.0.0.1:0", "--data-dir", "data", cwd=server.directory), 1, "data", "in use")
    assert token and server.set_up()["token"]  # the first one's token still holds


def test_a_damaged_database_is_put_aside_and_the_server_comes_up(start, capture):
    server = start("--file", capture)
    server.set_up()
    assert server.stop() == 0  # which writes what was read
    database = server.directory / "data" / "nta.db"
    content = bytearray(database.read_bytes())
    for page in range(3, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = os.urandom(64)
    database.write_bytes(content)
    again = start()
    aside = list((server.directory / "data").glob("nta.db.corrupt-*"))
    assert [path.read_bytes() for path in aside if not path.name.endswith(("-wal", "-shm"))] == [bytes(content)]
    assert "store.salvaged" in again.call("GET", "/healthz").body.decode()


def notices_of(server):
    token = server.set_up()["token"]
    return {n["kind"]: n["text"] for n in server.call("GET", "/api/v1/notices", token=token).json()["notices"]}


def test_of_a_database_of_garbage_it_is_not_said_that_nothing_was_lost(start, capture):
    server = start("--file", capture)
    server.set_up()
    assert server.stop() == 0
    database = server.directory / "data" / "nta.db"
    database.write_bytes(os.urandom(database.stat().st_size))
    again = start()
    text = notices_of(again)["store.salvaged"]
    assert "How many flows and alerts are lost is not known." in text and "0 flows are" not in text
    assert "nta.db.corrupt-1" in again.stderr() and "left as it is" not in again.stderr()


def test_a_database_that_became_empty_is_told(start):
    server = start()
    server.set_up()
    assert server.stop() == 0
    database = server.directory / "data" / "nta.db"
    database.write_bytes(b"")
    again = start()
    assert "store.empty" in notices_of(again)
    assert "traces of an earlier one" in again.stderr()


def test_a_new_database_is_no_news(start):
    assert notices_of(start()) == {}


def test_wrong_usage_exits_with_2(tmp_path):
    fails(run("--listen", "0.0.0.0:0", cwd=tmp_path), 2, "--allow-insecure-remote")
    assert run("--nonsense", cwd=tmp_path).returncode == 2
    assert run("--interface", "lo", "--pcap", "x", cwd=tmp_path).returncode == 2
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_with_streams_open(start, capture, how):
    server = start("--pcap", capture)
    token = server.set_up()["token"]
    streams = [Stream(server, token) for _ in range(3)]
    streams[0].wait_for("sample")
    idle = server.connect()
    idle.connect()
    started = time.monotonic()
    assert server.stop(how) == 0
    assert time.monotonic() - started < 2
    for stream in streams:
        while stream.event() is not None:
            pass


def test_a_capture_becomes_flows_series_and_totals(start, capture):
    server = start("--file", capture)
    token = server.set_up()["token"]
    deadline = time.monotonic() + 30
    while True:
        state = server.call("GET", "/api/v1/capture", token=token).json()
        if state["state"] == "ended" and state["store"]["queue"] == 0:
            break
        assert time.monotonic() < deadline, state
    ledger = state["ledger"]
    assert ledger["received"] > 0
    assert ledger["received"] == sum(ledger[k] for k in ["decoded", "malformed", "unsupported", "filtered", "dropped"])
    assert state["kind"] == "file"
    # Captures are old; everything since 1970 is wide enough.
    interval = "since=1971-01-01T00:00:00Z"
    flows = []
    cursor = ""
    while cursor is not None:
        page = server.call("GET", f"/api/v1/flows?{interval}&limit=1000&cursor={cursor}", token=token).json()
        flows += page["flows"]
        cursor = page["next_cursor"]
    assert len({flow["id"] for flow in flows}) == len(flows) == state["store"]["flows_written"]
    wire_bytes = sum(flow["forward_wire_bytes"] + flow["reverse_wire_bytes"] for flow in flows)
    packets = sum(flow["forward_packets"] + flow["reverse_packets"] for flow in flows)
    summary = server.call("GET", f"/api/v1/summary?{interval}", token=token).json()
    assert (summary["flows"], summary["packets"], summary["bytes"]) == (len(flows), packets, wire_bytes)
    assert server.call("GET", f"/api/traffic?{interval}", token=token).json()["bytes"] == wire_bytes
    assert summary["capture"]["source"] == os.path.basename(capture)
    top = server.call("GET", f"/api/v1/top?{interval}&dimension=protocol&limit=100", token=token).json()
    assert top["total"]["bytes"] == wire_bytes == sum(row["bytes"] for row in top["rows"])
    first = min(flow["first_seen"] for flow in flows)
    last = max(flow["last_seen"] for flow in flows)
    series = server.call("GET", f"/api/v1/series?since={first}&until={last}&by=none", token=token).json()
    assert series["measure"] == "bytes" and len(series["times"]) == len(series["series"][0]["values"])
    assert sum(value or 0 for value in series["series"][0]["values"]) == wire_bytes
    assert server.call("GET", f"/api/v1/alerts?{interval}", token=token).status == 200


def test_a_replay_is_stamped_with_the_present_and_survives_a_restart(start, capture):
    server = start("--pcap", capture, "--idle-timeout", "1", "--active-timeout", "1")
    token = server.set_up()["token"]
    deadline = time.monotonic() + 30
    while not (page := server.call("GET", "/api/v1/flows?since=-5m", token=token).json())["flows"]:
        assert time.monotonic() < deadline
    assert server.stop() == 0
    again = start()
    token = again.login().json()["token"]
    kept = again.call("GET", "/api/v1/flows?since=-5m&limit=1000", token=token).json()["flows"]
    assert {flow["id"] for flow in page["flows"]} <= {flow["id"] for flow in kept}
    assert again.call("GET", "/api/v1/capture", token=token).json()["state"] == "ended"


def test_the_description_names_every_path_and_role(server):
    description = server.call("GET", "/api/v1/openapi.json").json()
    assert description["openapi"] == "3.1.0"
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            assert operation["x-role"] in ("anyone", "ticket", "viewer", "operator", "admin"), path
            assert bool(operation["security"]) == (operation["x-role"] in ("viewer", "operator", "admin")), path
    assert json.dumps(description)


def test_health_and_readiness(server):
    assert server.call("GET", "/healthz").json() == {"status": "ok"}
    assert server.call("GET", "/readyz").json() == {"status": "ok"}


def test_the_dashboard_calls_only_what_there_is(server):
    source = pathlib.Path(__file__).parents[2] / "server" / "dashboard" / "src"
    called = set()
    for file in [*source.rglob("*.ts"), *source.rglob("*.tsx")]:
        called |= set(re.findall(r"[`'\"](/api/[\w/.-]*)", file.read_text()))
    assert called
    known = {re.sub(r"\{.*", "", path) for path in server.call("GET", "/api/v1/openapi.json").json()["paths"]}
    # What others are put together with is not called by itself.
    called = {path for path in called if not any(one.startswith(path + "/") for one in known)}
    assert called <= known, called - known


def test_a_destroyed_machine_is_back_by_one_command(start, capture, tmp_path):
    server = start("--file", capture)
    token = server.set_up()["token"]
    every = "since=2000-01-01T00:00:00Z"
    things = ["/api/v1/summary?" + every, "/api/v1/alert-rules", "/api/v1/users", "/api/v1/settings/retention",
              "/api/v1/suppressions", "/api/v1/incidents", f"/api/v1/alerts?{every}"]
    setup = [("POST", "/api/v1/users", {"username": "mia", "password": "a long password", "role": "operator"}),
             ("POST", "/api/v1/alert-rules", {"title": "busy", "expression": "count() > 1 in 1m"}),
             ("POST", "/api/v1/suppressions", {"reason": "known", "hosts": ["192.0.2.1"]}),
             ("POST", "/api/v1/incidents", {"title": "something"}),
             ("PUT", "/api/v1/settings/retention", {"flow_days": 36500})]
    for method, path, body in setup:
        answer = server.call(method, path, body, token=token)
        assert answer.status in (200, 201), (path, answer.body)
    deadline = time.monotonic() + 30
    while not server.call("GET", "/api/v1/flows?" + every, token=token).json()["flows"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    stored = server.call("GET", "/api/v1/settings/retention", token=token).json()["size"]["flows"]
    while (now := server.call("GET", "/api/v1/settings/retention", token=token).json()["size"]["flows"]) != stored:
        stored = now
        time.sleep(0.3)
    for _ in range(12):  # an alert of a guesser
        server.login("mia", "not the password")
    while not server.call("GET", things[-1], token=token).json()["alerts"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    before = {path: server.call("GET", path, token=token).json() for path in things}
    assert before[things[0]]["packets"] > 0
    begun = server.call("POST", "/api/v1/backups", {}, token=token).json()
    while (job := server.call("GET", "/api/v1/jobs/" + begun["id"], token=token).json())["state"] == "running":
        time.sleep(0.1)
    assert job["state"] == "done", job
    file = server.call("GET", f"/api/v1/backups/{job['result']['name']}/file", token=token).body
    assert server.stop() == 0

    shutil.rmtree(server.directory / "data")
    elsewhere = tmp_path / "from-the-other-machine.ntabackup"
    elsewhere.write_bytes(file)
    again = start("--restore", str(elsewhere))
    assert again.bootstrap_token is None
    token = again.login().json()["token"]
    for path in things:
        now = again.call("GET", path, token=token).json()
        if "size" in now:
            now, before[path] = now["settings"], before[path]["settings"]
        if "capture" in now:  # what this start captured, and alerts that came after the question
            for answer in (now, before[path]):
                del answer["capture"], answer["alerts"]
        if path.startswith("/api/v1/alerts?"):  # one that is open goes on changing
            now, before[path] = ({(one["id"], one["summary"].split()[0]) for one in answer["alerts"]}
                                 for answer in (now, before[path]))
            assert before[path] and before[path] <= now
            continue
        assert now == before[path], path
    login = {"username": "mia", "password": "a long password"}
    assert again.call("POST", "/api/login", login).status == 200
    assert again.stop() == 0
    # A second start with the same unit file never replaces what is there.
    command = [BINARY, "--listen", "127.0.0.1:0", "--data-dir", str(again.directory / "data"), "--restore", str(elsewhere)]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert refused.returncode != 0
    assert "is there already" in refused.stderr + refused.stdout


@pytest.mark.skipif("NTA_TEST_POSTGRES" not in os.environ, reason="needs a PostgreSQL server")
def test_a_database_in_postgres_holds_what_a_file_would(start, capture):
    url = os.environ["NTA_TEST_POSTGRES"]
    # This server asks for no password; what is given must not be shown.
    server = start("--database", url.replace("nta@", "nta:s3cret@"), "--file", capture)
    token = server.set_up()["token"]
    read = lambda path: server.call("GET", path, token=token).json()
    deadline = time.monotonic() + 30
    while not read("/api/v1/flows?since=2000-01-01T00:00:00Z")["flows"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    total = read("/api/v1/summary?since=2000-01-01T00:00:00Z")["packets"]
    assert total > 0
    assert "s3cret" not in "\n".join(server.lines) + server.stderr()
    assert server.stop() == 0
    again = start("--database", url)
    token = again.login().json()["token"]
    kept = again.call("GET", "/api/v1/summary?since=2000-01-01T00:00:00Z", token=token).json()["packets"]
    assert kept >= total

    def job(path, **body):
        begun = again.call("POST", path, body, token=token)
        assert begun.status == 202, begun.body
        while (state := again.call("GET", f"/api/v1/jobs/{begun.json()['id']}", token=token).json())["state"] == "running":
            time.sleep(0.1)
        assert state["state"] == "done", state
        return state["result"]

    rule = {"title": "kept", "expression": "count() > 5 in 1m"}
    assert again.call("POST", "/api/v1/alert-rules", rule, token=token).status == 201
    made = job("/api/v1/backups")
    assert made["kind"] == "postgresql" and made["verified"]
    assert again.call("DELETE", "/api/v1/alert-rules/kept", token=token).status == 204
    job("/api/backup/restore", name=made["name"])
    rules = again.call("GET", "/api/v1/alert-rules", token=token).json()["rules"]
    assert [one["title"] for one in rules] == ["kept"]
    assert again.call("GET", "/api/v1/summary?since=2000-01-01T00:00:00Z", token=token).json()["packets"] == kept
    assert "s3cret" not in again.stderr()


def test_what_a_flag_names_and_is_not_there_is_told(tmp_path):
    listen = ("--listen", "127.0.0.1:0")
    fails(run(*listen, "--dashboard", "nowhere", cwd=tmp_path), 1, '"nowhere"', "index.html")
    fails(run(*listen, "--backup-passphrase-file", "nofile", cwd=tmp_path), 1, '"nofile"', "No such file")
    fails(run(*listen, "--syslog", "nodaemon", cwd=tmp_path), 1, '"nodaemon"', "syslog")
