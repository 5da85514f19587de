"""Every kind of channel, set up and tried through REST, against servers on loopback."""

import base64
import email
import email.policy
import hashlib
import hmac
import json
import pathlib
import re
import socket
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from sinks import SmtpSink, WebSink, make_certificate  # noqa: E402

CHANNELS = "/api/v1/notification-channels"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


def add(server, kind, name="Sink", **settings):
    answer = server.call("POST", CHANNELS, {"name": name, "kind": kind, "settings": settings}, server.token)
    assert answer.status == 201, answer.body
    return answer.json()["id"]


def refused(server, **settings):
    answer = server.call("POST", CHANNELS, {"name": "x", "kind": "webhook", "settings": settings}, server.token)
    return answer.status == 400


def try_it(server, channel):
    return server.call("POST", f"{CHANNELS}/{channel}/test", token=server.token).json()


def mail_settings(sink, certificate, **more):
    return {"host": "localhost", "port": sink.port, "security": "starttls", "username": "robot",
            "password": "s3cret", "from": "nta@example.org", "to": ["ops@example.org"],
            "ca_file": str(certificate / "cert.pem"), **more}


def test_mail_goes_through_starttls_with_a_password(signed_in, certificate):
    sink = SmtpSink(certificate)
    channel = add(signed_in, "email", **mail_settings(sink, certificate))
    assert try_it(signed_in, channel) == {"delivered": True, "message": ""}
    message = email.message_from_bytes(sink.mail, policy=email.policy.default)
    assert message["to"] == "ops@example.org" and message["from"] == "nta@example.org"
    assert base64.b64encode(b"\0robot\0s3cret").decode() in " ".join(sink.commands)
    assert b"AUTH" not in sink.clear_bytes


def test_mail_is_refused_to_a_server_that_drops_tls_or_is_not_trusted(signed_in, certificate):
    stripped = SmtpSink(certificate, offer_tls=False)
    channel = add(signed_in, "email", **mail_settings(stripped, certificate))
    assert try_it(signed_in, channel)["delivered"] is False
    assert stripped.mail is None and b"AUTH" not in stripped.clear_bytes
    stranger = SmtpSink(certificate)
    channel = add(signed_in, "email", **mail_settings(stranger, certificate, ca_file=""))
    answer = try_it(signed_in, channel)
    assert answer["delivered"] is False and "s3cret" not in answer["message"]
    wrong = SmtpSink(certificate, answers={"AUTH": "535 wrong password"})
    channel = add(signed_in, "email", **mail_settings(wrong, certificate))
    answer = try_it(signed_in, channel)
    assert answer["delivered"] is False and "s3cret" not in answer["message"]


def test_webhook_is_signed(signed_in):
    sink = WebSink()
    channel = add(signed_in, "webhook", url=f"http://127.0.0.1:{sink.port}/hook", secret="key",
                  allowed_networks=["127.0.0.0/8"])
    assert try_it(signed_in, channel)["delivered"]
    _, headers, body = sink.requests[0]
    signed = headers["X-Nta-Timestamp"].encode() + b"." + body
    assert headers["X-Nta-Signature"] == "v1=" + hmac.new(b"key", signed, hashlib.sha256).hexdigest()
    assert json.loads(body)["kind"] == "test"


def test_webhook_reaches_nothing_inside(signed_in):
    sink = WebSink()
    for host in ("127.0.0.1", "2130706433", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]",
                 "[::ffff:7f00:1]", "[fe80::1]", "[fd00::1]", "[64:ff9b::7f00:1]", "10.0.0.1",
                 "169.254.169.254", "0.0.0.0"):
        assert refused(signed_in, url=f"http://{host}:{sink.port}/"), host
    # A name of the machine's own: looked up when something is sent, and refused then.
    answer = signed_in.call("POST", CHANNELS, {"name": "Name", "kind": "webhook", "settings": {
        "url": f"http://localhost:{sink.port}/"}}, signed_in.token)
    if answer.status == 201:
        answer = try_it(signed_in, answer.json()["id"])
        assert answer["delivered"] is False and "no public address" in answer["message"]
    else:
        assert answer.status == 400
    assert not sink.requests


def test_webhook_follows_no_redirect_inside(signed_in):
    inner = WebSink()
    outer = WebSink(302, [("Location", f"http://127.0.0.1:{inner.port}/secret")])
    channel = add(signed_in, "webhook", url=f"http://127.0.0.1:{outer.port}/",
                  allowed_networks=["127.0.0.0/8"])
    answer = try_it(signed_in, channel)
    assert answer["delivered"] is False and "redirect" in answer["message"]
    assert outer.requests and not inner.requests


def test_syslog_speaks_rfc_5424(signed_in):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(10)
        channel = add(signed_in, "syslog", host="127.0.0.1", port=udp.getsockname()[1], facility=16)
        assert try_it(signed_in, channel)["delivered"]
        datagram = udp.recv(65536)
    # PRI, version 1, an RFC 3339 time, host, application, process, message id, data, UTF-8 text.
    assert re.fullmatch(rb"<1(2[89]|3[0-5])>1 \d{4}-\d\d-\d\dT[\d:.]+Z \S+ nta - \S+ (-|\[.*\]) "
                        rb"\xef\xbb\xbf.+", datagram, re.DOTALL), datagram


def test_alerts_of_failed_sign_ins_go_out_by_their_route_and_wait_over_a_restart(start):
    server = start()
    server.token = server.set_up()["token"]
    sink = WebSink(status=503)
    channel = add(server, "webhook", url=f"http://127.0.0.1:{sink.port}/", allowed_networks=["127.0.0.0/8"])
    assert server.call("PUT", "/api/v1/notification-routes", {"routes": [
        {"channel": channel, "min_severity": "high", "classes": ["brute_force"]}]}, server.token).status == 200
    for _ in range(12):
        assert server.login("root", "wrong", source="127.0.0.9").status == 401
    wait_for(lambda: sink.requests)
    news = json.loads(sink.requests[0][2])
    assert news["alert"]["class"] == "brute_force" and news["alert"]["entity"]["source"] == "127.0.0.9"
    alerts = server.call("GET", "/api/anomalies", token=server.token).json()["alerts"]
    assert [alert["class"] for alert in alerts] == ["brute_force"]
    threats = server.call("GET", "/api/v1/threats", token=server.token).json()["threats"]
    assert threats[0]["class"] == "brute_force" and threats[0]["sources"][0]["address"] == "127.0.0.9"
    bell = server.call("GET", "/api/v1/notifications", token=server.token).json()
    assert bell["unread"] == 1 and bell["notifications"][0]["alert"] == alerts[0]["id"]
    status = server.call("GET", CHANNELS, token=server.token).json()["channels"][0]["status"]
    assert status["failed_attempts"] >= 1 and status["queued"] == 1
    assert server.stop() == 0
    # What could not be delivered waits on disk for the next start.
    again = start()
    token = again.login().json()["token"]
    status = again.call("GET", CHANNELS, token=token).json()["channels"][0]["status"]
    assert status["queued"] + status["delivered"] == 1


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
