"""``nta firewall``: what is given wrongly is one line, and a server that is in no hurry is waited for."""

from __future__ import annotations

import http.server
import json
import threading
from pathlib import Path
from typing import Any, Iterator

import pytest

from nta._cli import main


class _Slow(http.server.BaseHTTPRequestHandler):
    """Refuses the first sign-in of each test."""

    refusals: list[str] = []
    asked: list[str] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append(self.path)
        wait = self.refusals.pop(0) if self.refusals else None
        body = json.dumps({"detail": "too many requests"} if wait else {"token": "t"}).encode()
        self.send_response(429 if wait else 200)
        if wait:
            self.send_header("Retry-After", wait)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NTA_PASSWORD", "correct horse battery")
    _Slow.refusals, _Slow.asked = [], []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Slow) as slow:
        threading.Thread(target=slow.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{slow.server_address[1]}"
        slow.shutdown()


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waits: list[float] = []
    monkeypatch.setattr("nta._cli_firewall.time.sleep", waits.append)
    return waits


def test_a_refused_sign_in_is_tried_again_when_the_server_says(server, waited, capsys):
    _Slow.refusals = ["12", "7"]
    assert main(["firewall", "confirm", "abc", "--server", server]) == 0
    assert waited == [12, 7]
    assert _Slow.asked == ["/api/login"] * 3 + ["/api/v1/firewall/confirm"]
    assert "trying again in 12 s" in capsys.readouterr().err


def test_nobody_waits_for_longer_than_half_a_minute(server, waited, capsys):
    _Slow.refusals = ["20", "20"]
    assert main(["firewall", "confirm", "abc", "--server", server]) == 1
    assert waited == [20]
    assert "asks to wait 20 s" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["confirm", "abc", "--server", "localhost:8080"], "a server is written http://"),
        (["rehearse", "{sample}", "{rules}"], "is no text"),
        (["add", '{"id": "a", "ports": [1]}'], "a rule has no ports"),
        (["add", '{"verdict": "drop"}'], "needs an id"),
        (["add", '{"id": '], "no JSON"),
        (["add", "{rules}"], "not a rule set"),
        (["delete", "a"], "no terminal to ask at"),
    ],
)
def test_what_is_given_wrongly_is_one_line_and_status_2(
    arguments, words, sample: Path, tmp_path: Path, monkeypatch, capsys
):
    def no_terminal(_: str) -> str:
        raise EOFError

    monkeypatch.delenv("NTA_PASSWORD", raising=False)
    monkeypatch.setattr("nta._cli_firewall.ask_secret", no_terminal)
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"rules": []}))
    known = {"{sample}": str(sample), "{rules}": str(rules)}
    assert main(["firewall", *(known.get(one, one) for one in arguments)]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1 and words in told[0]


def test_the_command_that_keeps_a_change_is_complete(server, waited, monkeypatch, capsys):
    answers = {"diff": {"text": ""}, "apply": {"token": "abc", "deadline": "soon"}}
    monkeypatch.setattr(
        "nta._cli_firewall._Server.call",
        lambda self, method, path, body=None: answers.get(path.rsplit("/", 1)[1], {"token": "t"}),
    )
    assert main(["firewall", "apply", "--server", server, "--user", "olga"]) == 0
    assert f"nta firewall confirm abc --server {server} --user olga\n" in capsys.readouterr().err
    assert main(["firewall", "apply"]) == 0
    assert "nta firewall confirm abc\n" in capsys.readouterr().err


def test_rules_are_read_before_anybody_is_asked_for_a_password(server, tmp_path, capsys):
    assert main(["firewall", "apply", str(tmp_path / "missing.json"), "--server", server]) == 1
    assert "missing.json" in capsys.readouterr().err and _Slow.asked == []
