from __future__ import annotations

import hashlib
import hmac
import json
import struct
import subprocess
import sys

import pytest

import nta


@pytest.fixture
def trail(tmp_path):
    directory = tmp_path / "audit"
    with nta.AuditLog.open(directory, max_segment_bytes=4096) as audit:
        for i in range(40):
            audit.append("user.create", actor="alice", role="admin", address="192.0.2.7",
                         target=f"user-{i}", outcome="done", details={"n": str(i)})  # fmt: skip
        checkpoint = audit.checkpoint()
    return directory, checkpoint


def verify_by_the_page(directory):
    """docs/logs_and_audit.md, and nothing else: the sequences of all records, or what is wrong."""
    line = (directory / "verification.key").read_text()
    key = bytes.fromhex(line.split("key=")[-1].strip())
    digest = bytes(32)
    sequences = []
    for path in sorted(directory.glob("audit.*.log")):
        data = path.read_bytes()
        assert data[:8] == b"NTAAUDT1"
        at = 8
        while at < len(data):
            (size,) = struct.unpack_from("<I", data, at)
            record = data[at : at + size]
            body, tail = record[:-68], record[-68:]
            kind, outcome, details, sequence, time, about = struct.unpack_from("<BBHQqQ", record, 4)
            assert kind == (1 if at == 8 else 2) and outcome < 4
            digest = hashlib.sha256(digest + body).digest()
            assert tail[:32] == digest
            assert tail[32:64] == hmac.new(key, digest, hashlib.sha256).digest()
            assert tail[64:] == record[:4]
            key = hashlib.sha256(b"nta audit next key" + key).digest()
            texts, where = [], 32
            while where < len(body):
                (length,) = struct.unpack_from("<H", body, where)
                texts.append(body[where + 2 : where + 2 + length].decode())
                where += 2 + length
            assert len(texts) == 5 + 2 * details
            sequences.append(sequence)
            at += size
    return sequences


def test_another_program_verifies_by_the_documentation(trail):
    directory, _ = trail
    report = nta.verify_audit(directory)
    assert verify_by_the_page(directory) == list(range(1, report.records + 1))


def test_verifies_and_says_what_it_found(trail):
    directory, checkpoint = trail
    report = nta.verify_audit(directory, checkpoints=[checkpoint])
    assert report.ok and (report.integrity, report.authenticity, report.completeness) == (
        "intact", "proven", "complete",
    )  # fmt: skip
    assert report.files > 1 and report.checkpoint_count == report.records
    assert json.loads(report.to_json())["ok"] is True
    path = directory / "audit.000001.log"
    data = bytearray(path.read_bytes())
    data[100] ^= 1
    path.write_bytes(data)
    report = nta.verify_audit(directory, checkpoints=[checkpoint])
    assert not report.ok and report.integrity == "damaged"
    assert report.faults[0]["file"] == "audit.000001.log" and report.faults[0]["sequence"] == 1


def test_reads_back_what_was_recorded(trail):
    directory, _ = trail
    records = nta.read_audit(directory, act="user", limit=None)
    assert len(records) == 40
    assert records[0]["target"] == "user-39" and records[0]["details"] == {"n": "39"}
    assert len(nta.read_audit(directory, text="USER-17")) == 1
    assert nta.read_audit(directory, actor="bob") == []


def test_has_one_writer_and_words_for_what_is_wrong(trail, tmp_path):
    directory, _ = trail
    with nta.AuditLog.open(directory) as audit:
        assert audit.state()["damage"] == ""
        with pytest.raises(nta.UnavailableError):
            nta.AuditLog.open(directory)
        with pytest.raises(nta.InvalidArgumentError):
            audit.append("x", outcome="perhaps")
    with pytest.raises(nta.FailedPreconditionError):
        audit.append("x")
    with pytest.raises(nta.NotFoundError):
        nta.verify_audit(tmp_path / "none")


def run(*arguments):
    return subprocess.run([sys.executable, "-m", "nta", *map(str, arguments)],
                          capture_output=True, text=True)  # fmt: skip


def test_the_command_line_verifies_and_shows(trail, tmp_path):
    directory, checkpoint = trail
    (tmp_path / "kept.txt").write_text(f"from the probe: {checkpoint}\n")
    good = run("audit", "verify", directory, "--checkpoints", tmp_path / "kept.txt")
    assert good.returncode == 0 and "as they were written" in good.stdout
    shown = run("audit", "show", directory, "--act", "user", "--limit", "3")
    assert [json.loads(line)["target"] for line in shown.stdout.splitlines()] == [
        "user-39", "user-38", "user-37",
    ]  # fmt: skip
    assert shown.returncode == 0 and shown.stderr == ""
    # Records of a trail that was changed are shown with a warning, and the exit status tells.
    first = sorted(directory.glob("audit.*.log"))[0]
    written = first.read_bytes()
    first.write_bytes(written.replace(b"user-1", b"user-x", 1))
    changed = run("audit", "show", directory, "--limit", "1")
    assert changed.returncode == 1 and len(changed.stdout.splitlines()) == 1
    assert "do not trust these records: the trail is NOT as it was written" in changed.stderr
    first.write_bytes(written)
    assert run("audit", "show", directory, "--limit", "1").returncode == 0
    # Cut off a whole file, and the key file with it: only the checkpoint tells.
    sorted(directory.glob("audit.*.log"))[-1].unlink()
    (directory / "audit.key").unlink()
    assert run("audit", "verify", directory).returncode == 0
    bad = run("audit", "verify", directory, "--checkpoints", tmp_path / "kept.txt", "--format", "json")
    assert bad.returncode == 1 and json.loads(bad.stdout)["completeness"] == "incomplete"
    cut = run("audit", "show", directory, "--checkpoints", tmp_path / "kept.txt")
    assert cut.returncode == 1 and "do not trust" in cut.stderr and cut.stdout
    (tmp_path / "other.txt").write_text("root:x:0:0\n")
    other = run("audit", "verify", directory, "--checkpoints", tmp_path / "other.txt")
    assert other.returncode == 1 and "holds no checkpoint" in other.stderr and not other.stdout
    missing = run("audit", "verify", tmp_path / "none")
    assert missing.returncode == 1 and missing.stderr.startswith("nta: ")
