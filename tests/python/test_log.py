from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest

import nta


def test_logs_rotate_and_are_read_as_one(tmp_path):
    path = tmp_path / "app.log"
    logger = nta.Logger()
    logger.add_file(path, max_bytes=4096, keep=100)
    for i in range(100):
        logger.info("test.part" if i % 2 else "test", "event", number=i, ratio=0.5, on=True)
    logger.debug("test", "not on")
    assert (tmp_path / "app.log.000001.zst").exists()
    events = nta.read_log(path, order="oldest", limit=None)
    assert [event["fields"]["number"] for event in events] == list(range(100))
    assert events[0]["fields"] == {"number": 0, "ratio": 0.5, "on": True}
    assert events[0]["level"] == "info" and events[0]["kind"] == "server"
    assert len(nta.read_log(path, component="test.part")) == 50
    assert len(nta.read_log(path, text='"number":17')) == 1
    assert nta.read_log(path, min_level="warning") == []
    assert logger.stats() == {"events": 100, "failed": 0}


def test_one_event_is_one_line_and_secrets_stay_secret(tmp_path):
    path = tmp_path / "app.log"
    logger = nta.Logger()
    seen = []
    logger.add_file(path, format="text")
    logger.add_callback(seen.append)
    logger.warning("sign_in", "from \n\x1b[2J\u202e", user="a\nb", password="hush", url=nta.Secret("hush"))
    logger.error("raw", "bytes", text=b"\xff\x00", huge=2**70)
    text = path.read_text()
    assert len(text.splitlines()) == 2 and "hush" not in text and "\x1b" not in text
    assert seen[0]["fields"] == {"user": "a\\x0ab", "password": "[redacted]", "url": "[redacted]"}
    assert seen[1]["fields"] == {"text": "\\xff\\x00", "huge": str(2**70)}
    assert "hush" not in repr(nta.Secret("hush")) and nta.Secret("hush").reveal() == "hush"


def test_threads_log_while_callbacks_run(tmp_path):
    logger = nta.Logger()
    seen = []
    logger.add_file(tmp_path / "app.log")
    logger.add_callback(lambda event: seen.append(event["message"]))
    threads = [threading.Thread(target=lambda: [logger.info("t", "x") for _ in range(100)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == len(nta.read_log(tmp_path / "app.log")) == 400


def test_wrong_settings_are_refused(tmp_path):
    logger = nta.Logger()
    for wrong in (
        lambda: nta.Logger("loud"),
        lambda: logger.add_file(tmp_path / "x.log", keep=0),
        lambda: logger.add_file(tmp_path / "x.log", compression="lzma"),
        lambda: nta.read_log(tmp_path / "x.log", order="odd"),
    ):
        with pytest.raises(nta.InvalidArgumentError):
            wrong()
    with pytest.raises(nta.NotFoundError):
        nta.read_log(tmp_path / "none.log")


def test_what_is_no_log_is_said_to_be_none(tmp_path):
    capture = tmp_path / "day.pcap"
    capture.write_bytes(b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00" + bytes(range(256)) * 300)
    with pytest.raises(nta.InvalidArgumentError, match="is no log"):
        nta.read_log(capture)
    for file in (capture, tmp_path):
        refused = subprocess.run([sys.executable, "-m", "nta", "logs", str(file)],
                                 capture_output=True, text=True)  # fmt: skip
        assert refused.returncode == 1 and not refused.stdout
        assert refused.stderr.startswith("nta: ") and str(file) in refused.stderr
        assert "Traceback" not in refused.stderr


def test_the_command_line_reads_logs(tmp_path):
    logger = nta.Logger()
    logger.add_file(tmp_path / "app.log")
    logger.info("a", "one")
    logger.error("b", "two")
    result = subprocess.run([sys.executable, "-m", "nta", "logs", str(tmp_path / "app.log"), "--level", "error"],
                            capture_output=True, text=True)  # fmt: skip
    assert [json.loads(line)["message"] for line in result.stdout.splitlines()] == ["two"]
