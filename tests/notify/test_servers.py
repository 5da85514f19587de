"""Channels against real servers on loopback: SMTP with and without TLS, HTTP(S), syslog."""

import base64
import email
import email.policy
import hashlib
import hmac
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from sinks import SmtpSink, WebSink, make_certificate  # noqa: E402

PROBE = os.environ["NTA_NOTIFY_PROBE"]


def probe(*arguments, environment=None):
    done = subprocess.run([PROBE, *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **(environment or {})})
    return done.returncode, done.stdout.strip()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


def mail(sink, security, ca="", user="", password="", subject="high: port scan"):
    return probe("email", "localhost", sink.port, security, ca, user, password, subject)


def test_mail_arrives_whole(certificate):
    sink = SmtpSink(certificate)
    code, text = mail(sink, "starttls", certificate / "cert.pem", "robot", "s3cret", "high: sccan äöü\r\nBcc: x@y")
    assert (code, text) == (0, "OK")
    message = email.message_from_bytes(sink.mail, policy=email.policy.default)
    assert message["to"] == "ops@example.org, night@example.org"
    assert "äöü" in message["subject"] and message["bcc"] is None
    plain = message.get_body(("plain",)).get_content()
    assert "\n.\n.hidden line" in plain.replace("\r\n", "\n") and "source: 192.0.2.9" in plain
    html = message.get_body(("html",)).get_content()
    assert "&lt;b&gt;&quot;quoted&quot;&lt;/b&gt; ü" in html and "<b>" not in html
    assert "MAIL FROM:<nta@example.org>" in " ".join(sink.commands)
    assert [c for c in sink.commands if c.startswith("RCPT")] == \
        ["RCPT TO:<ops@example.org>", "RCPT TO:<night@example.org>"]
    # The password went through TLS, and only there.
    plain_auth = [c for c in sink.commands if c.startswith("AUTH")]
    assert plain_auth and base64.b64encode(b"\0robot\0s3cret").decode() in " ".join(sink.commands)
    assert b"AUTH" not in sink.clear_bytes and b"s3cret" not in sink.clear_bytes


def test_mail_over_implicit_tls_and_in_the_clear(certificate):
    secure = SmtpSink(certificate, implicit=True)
    assert mail(secure, "tls", certificate / "cert.pem", "robot", "pw")[0] == 0
    clear = SmtpSink()
    assert mail(clear, "none")[0] == 0
    assert clear.mail


def test_mail_is_not_sent_to_a_server_that_is_not_trusted_or_drops_tls(certificate):
    untrusted = SmtpSink(certificate)
    code, text = mail(untrusted, "starttls", "", "robot", "s3cret")
    assert code == 1 and text.startswith("PERMISSION_DENIED") and "s3cret" not in text
    stripped = SmtpSink(certificate, offer_tls=False)
    code, text = mail(stripped, "starttls", certificate / "cert.pem", "robot", "s3cret")
    assert code == 1 and stripped.mail is None and b"AUTH" not in stripped.clear_bytes


@pytest.mark.parametrize("answers, expected", [
    ({"AUTH": "535 wrong password"}, "PERMISSION_DENIED"),
    ({"RCPT": "550 no such mailbox"}, "INVALID_ARGUMENT"),
    ({"RCPT": "451 try again later"}, "UNAVAILABLE"),
    ({"MAIL": "421 too busy"}, "UNAVAILABLE"),
])
def test_mail_tells_what_is_final_from_what_is_not(certificate, answers, expected):
    sink = SmtpSink(certificate, answers=answers)
    code, text = mail(sink, "starttls", certificate / "cert.pem", "robot", "s3cret")
    assert code == 1 and text.startswith(expected) and "s3cret" not in text


def test_a_mail_server_that_is_away_is_unavailable():
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    code, text = probe("email", "127.0.0.1", port, "none", "", "", "", "x")
    assert code == 1 and text.startswith("UNAVAILABLE")


def hook(url, secret="key", network="127.0.0.0/8", ca=""):
    return probe("webhook", url, secret, network, ca)


def test_webhook_is_signed_so_that_others_can_check_it():
    sink = WebSink()
    assert hook(f"http://127.0.0.1:{sink.port}/hook?x=1") == (0, "OK")
    path, headers, body = sink.requests[0]
    assert path == "/hook?x=1" and headers["Content-Type"] == "application/json"
    assert headers["X-Nta-Delivery"] == "port_scan-000001"
    signed = headers["X-Nta-Timestamp"].encode() + b"." + body
    assert headers["X-Nta-Signature"] == "v1=" + hmac.new(b"key", signed, hashlib.sha256).hexdigest()
    message = json.loads(body)
    assert message["severity"] == "high" and message["alert"] == {"id": "port_scan-000001"}


def test_webhook_over_tls_only_to_whom_the_certificate_names(certificate):
    sink = WebSink(certificate=certificate)
    trusted = certificate / "cert.pem"
    assert hook(f"https://localhost:{sink.port}/", network="127.0.0.0/8", ca=trusted)[0] == 0 or \
        hook(f"https://127.0.0.1:{sink.port}/", ca=trusted)[0] == 0
    assert hook(f"https://127.0.0.1:{sink.port}/")[1].startswith("PERMISSION_DENIED")


def test_webhook_does_not_reach_loopback_unless_allowed():
    sink = WebSink()
    for host in ("127.0.0.1", "2130706433", "127.1", "0x7f000001"):
        code, text = hook(f"http://{host}:{sink.port}/", network="")
        assert code == 1 and "PERMISSION" in text, host
    assert not sink.requests


def test_webhook_follows_no_redirect():
    inner = WebSink()
    sink = WebSink(302, [("Location", f"http://127.0.0.1:{inner.port}/secret")])
    code, text = hook(f"http://127.0.0.1:{sink.port}/")
    assert code == 1 and text.startswith("FAILED_PRECONDITION") and "redirect" in text
    assert len(sink.requests) == 1 and not inner.requests


def test_webhook_uses_no_proxy_of_the_environment():
    proxy, sink = WebSink(), WebSink()
    variables = {"http_proxy": f"http://127.0.0.1:{proxy.port}", "ALL_PROXY": f"http://127.0.0.1:{proxy.port}"}
    assert probe("webhook", f"http://127.0.0.1:{sink.port}/", "", "127.0.0.0/8", "", environment=variables)[0] == 0
    assert not proxy.requests and "X-Nta-Signature" not in sink.requests[0][1]


@pytest.mark.parametrize("status, expected", [
    (204, "OK"), (400, "INVALID_ARGUMENT"), (410, "INVALID_ARGUMENT"), (404, "UNAVAILABLE"),
    (429, "UNAVAILABLE"), (500, "UNAVAILABLE"), (503, "UNAVAILABLE"),
])
def test_webhook_tells_what_is_final_from_what_is_not(status, expected):
    sink = WebSink(status, body=b"" if status == 204 else b"x")
    assert hook(f"http://127.0.0.1:{sink.port}/")[1].startswith(expected)


def test_webhook_reads_no_endless_answer():
    sink = WebSink(200, body=b"x" * (1 << 20))
    assert hook(f"http://127.0.0.1:{sink.port}/") == (0, "OK")


def test_syslog_over_udp_and_tcp():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(10)
        assert probe("syslog", "127.0.0.1", udp.getsockname()[1], "udp") == (0, "OK")
        datagram = udp.recv(65536)
    pattern = rb'<130>1 \S+Z sensor nta - port_scan \[alert@32473 .*\] \xef\xbb\xbfhigh: port scan: .*'
    assert re.fullmatch(pattern, datagram, re.DOTALL) and b"\n" not in datagram
    with socket.create_server(("127.0.0.1", 0)) as listener:
        received = []

        def accept():
            connection, _ = listener.accept()
            with connection:
                while data := connection.recv(65536):
                    received.append(data)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        assert probe("syslog", "127.0.0.1", listener.getsockname()[1], "tcp") == (0, "OK")
        thread.join(10)
    length, _, message = b"".join(received).partition(b" ")
    assert int(length) == len(message) and message == datagram
