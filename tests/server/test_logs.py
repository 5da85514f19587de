"""Log files and audit trail of the real program: after SIGHUP, after kill -9, without its key, and without a disk."""

import json
import os
import shutil
import signal
import socket
import time


def audit(server, token, **query):
    path = "/api/logs/audit?" + "&".join(f"{name}={value}" for name, value in query.items())
    answer = server.call("GET", path, token=token)
    assert answer.status == 200, answer.body
    return answer.json()["records"]


def verify(server, token):
    answer = server.call("POST", "/api/v1/logs/audit/verify", token=token)
    assert answer.status == 200, answer.body
    return answer.json()


def until(check, seconds=10):
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_sighup_opens_the_log_files_anew(start):
    server = start()
    token = server.set_up()["token"]
    logs = server.directory / "data" / "logs"
    server.login(password="not the password")
    until(lambda: "sign_in.failed" in (logs / "security.log").read_text())
    os.rename(logs / "security.log", logs / "moved")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: (logs / "security.log").exists())
    server.login(password="not the password")
    events = server.call("GET", "/api/logs/security", token=token).json()["events"]
    assert [event["component"] for event in events] == ["sign_in.failed"]
    assert "sign_in.failed" in (logs / "moved").read_text()


def test_the_trail_outlives_kill_and_says_when_the_server_ran(start):
    first = start()
    token = first.set_up()["token"]
    assert first.call("POST", "/api/v1/users", {"username": "bob", "password": "correct horse battery", "role": "viewer"},
                      token=token).status == 201
    first.process.kill()
    first.process.wait()
    second = start()
    token = second.login().json()["token"]
    report = verify(second, token)
    assert report["ok"] and report["authenticity"] == "proven" and report["completeness"] == "complete", report
    assert [record["details"].get("new_role") for record in audit(second, token, act="user", outcome="done")] == ["viewer"]
    assert len(audit(second, token, act="server.start")) == 2
    # The verification key is taken away, as it should be.
    key = second.directory / "data" / "audit" / "verification.key"
    shutil.move(key, second.directory / "verification.key")
    report = verify(second, token)
    assert report["ok"] and report["authenticity"] == "not_proven"


def test_what_was_changed_while_the_server_was_down_is_named(start):
    first = start()
    first.set_up()
    assert first.stop() == 0
    path = first.directory / "data" / "audit" / "audit.000001.log"
    data = path.read_bytes()
    path.write_bytes(data.replace(b"setup.complete", b"setup.imagined"))
    second = start()
    assert "the audit trail was damaged" in second.stderr()
    token = second.login().json()["token"]
    report = verify(second, token)
    assert not report["ok"] and report["faults"][0]["file"] == "audit.000001.log"
    # The server goes on in a new file, and what it records there is good.
    assert audit(second, token, act="audit.segment")[0]["details"]["reason"].startswith("resumed: ")


def test_a_lost_key_begins_a_new_chain_beside_the_old_one(start):
    first = start()
    first.set_up()
    assert first.stop() == 0
    trail = first.directory / "data" / "audit"
    (trail / "audit.key").unlink()
    second = start()
    token = second.login().json()["token"]
    assert verify(second, token)["ok"]
    assert [path.name for path in trail.glob("chain-*/*")] == ["audit.000001.log"]
    assert "the key was gone" in second.stderr()
    assert "another one than the checkpoints were made of" in second.stderr()


def test_a_trail_that_was_taken_away_as_a_whole_is_told(start):
    first = start("--audit-checkpoints", "kept.txt")
    first.set_up()
    assert first.stop() == 0
    shutil.rmtree(first.directory / "data" / "audit")
    second = start("--audit-checkpoints", "kept.txt")
    assert "another one than the checkpoints were made of" in second.stderr()
    assert len(list(second.directory.glob("kept.txt.*"))) == 1


def test_options_say_where_and_how(start, tmp_path):
    server = start("--log-dir", str(tmp_path / "elsewhere"), "--log-format", "text", "--log-level", "warning",
                   "--audit-checkpoints", str(tmp_path / "kept.txt"))
    server.set_up()
    server.login(password="not the password")
    until(lambda: "sign_in.failed" in (tmp_path / "elsewhere" / "security.log").read_text())
    line = (tmp_path / "elsewhere" / "security.log").read_text().splitlines()[-1]
    assert " warning security sign_in.failed: sign-in refused | address=\"127.0.0.1\" username=\"root\"" in line
    assert (tmp_path / "kept.txt").read_text().startswith("nta-audit-checkpoint 1 chain=")
    assert server.stop() == 0
    assert len((tmp_path / "kept.txt").read_text().splitlines()) == 2


def test_checkpoints_go_to_syslog_whatever_the_level(start):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(20)
        server = start("--syslog", f"127.0.0.1:{udp.getsockname()[1]}", "--log-level", "error")
        server.set_up()
        assert server.stop() == 0
        sent = [udp.recv(65536).decode(), udp.recv(65536).decode()]  # when it starts, and when it ends
    kept = (server.directory / "data" / "audit" / "checkpoints.txt").read_text().splitlines()
    assert len(kept) == 2
    for line, checkpoint in zip(sent, kept):
        # Facility authpriv, informational.
        assert line.startswith("<86>1 ") and line.endswith(checkpoint), line


def test_rotation_that_was_set_is_kept(start):
    first = start()
    token = first.set_up()["token"]
    assert first.call("PUT", "/api/v1/logs/rotation", {"keep": 2, "compression": "none"}, token=token).status == 200
    assert first.call("POST", "/api/v1/logs/rotate", token=token).status == 204
    assert first.stop() == 0
    second = start()
    token = second.login().json()["token"]
    assert json.loads(second.call("GET", "/api/v1/logs/rotation", token=token).body)["keep"] == 2
