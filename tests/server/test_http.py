"""HTTP as it comes over the socket: framing, limits, slow peers, headers."""

import re
import socket
import time

import pytest

from conftest import Answer

SECURITY_HEADERS = {
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
}


def exchange(server, data, source="127.0.0.1", timeout=20):
    """Sends bytes, and reads until the server closes or falls silent for a second."""
    with socket.create_connection(("127.0.0.1", server.port), timeout, source_address=(source, 0)) as connection:
        received = b""
        try:
            connection.sendall(data)
            connection.settimeout(1)
            while chunk := connection.recv(65536):
                received += chunk
        except (socket.timeout, ConnectionResetError, BrokenPipeError):
            pass
        return received


def statuses(received):
    """The statuses of all answers in what was received. libmicrohttpd 0.9.75 repeats the head of its own error pages."""
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", received)]


def test_every_answer_carries_the_security_headers(signed_in):
    for method, path, token in [("GET", "/", None), ("GET", "/api/v1/me", signed_in.token), ("GET", "/api/v1/me", None),
                                ("GET", "/api/v1/nothing", None), ("PUT", "/api/v1/me", None), ("GET", "/healthz", None),
                                ("GET", "/api/v1/openapi.json", None), ("GET", "/missing.js", None), ("GET", "/%zz", None)]:
        answer = signed_in.call(method, path, token=token)
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers.get(name) == value, (path, name)
        if path.startswith("/api"):
            assert answer.headers["cache-control"] == "no-store"


def test_head_answers_like_get_without_a_body(signed_in):
    get = signed_in.call("GET", "/api/v1/me", token=signed_in.token)
    head = signed_in.call("HEAD", "/api/v1/me", token=signed_in.token)
    assert head.status == 200 and head.body == b""
    assert head.headers["content-length"] == get.headers["content-length"]


def test_connections_are_kept_and_pipelined_requests_answered_in_order(server):
    received = exchange(server, b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /api/v1/me HTTP/1.1\r\nHost: a\r\n\r\n"
                                b"GET /api/v1/setup HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert statuses(received) == [200, 401, 200]


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.mark.parametrize("head", [
    b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
    b"Content-Length: 5\r\nContent-Length: 6\r\n",
    b"Content-Length: 5\r\nContent-Length: 5\r\n",
    b"Content-Length: 5, 5\r\n",
    b"Content-Length: +5\r\n",
    b"Content-Length: 0x5\r\n",
    b"Content-Length: 5_0\r\n",
    b"Content-Length: -5\r\n",
    b"Content-Length: 99999999999999999999999\r\n",
    b"Content-Length:\r\n",
    b"Transfer-Encoding: xchunked\r\n",
    b"Transfer-Encoding: chunked, identity\r\n",
    b"Transfer-Encoding: identity\r\n",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    b"Transfer-Encoding : chunked\r\n",
    b"Content-Length : 5\r\n",
    b"Host: b\r\n",
    b"Bad Name: x\r\n",
    b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n",
], ids=lambda head: head.decode().strip().replace("\r\n", " | "))
def test_a_request_whose_end_is_not_certain_is_refused_and_the_connection_closed(server, head):
    received = exchange(server, b"POST /api/login HTTP/1.1\r\nHost: a\r\n" + head + b"\r\n0\r\n\r\n" + SMUGGLED)
    assert set(statuses(received)) <= {400, 413}, received


@pytest.mark.parametrize("request_bytes", [
    b"GET /healthz HTTP/1.1\r\n\r\n",
    b"GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /%C0%AE%C0%AE/etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n",
], ids=["no host", "nul", "overlong utf-8", "no slash", "fragment"])
def test_a_wrong_head_is_refused(server, request_bytes):
    assert set(statuses(exchange(server, request_bytes))) == {400}


def test_garbage_is_answered_with_an_error_or_nothing(server):
    for data in [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\r\n\r\n\r\n\r\n", b"GET\r\n\r\n", b"\0" * 5000,
                 b"GET / HTTP/9.9\r\nHost: a\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"]:
        assert all(status >= 400 for status in statuses(exchange(server, data))), data
    assert server.call("GET", "/healthz").status == 200


def test_paths_lead_nowhere_in_the_file_system(server):
    for path in [b"/../../../../etc/passwd", b"/..%2f..%2f..%2fetc/passwd", b"/assets/../../../etc/passwd", b"//etc/passwd",
                 b"/%2e%2e/%2e%2e/etc/passwd", b"/....//....//etc/passwd", b"/etc/passwd"]:
        assert b"root:" not in exchange(server, b"GET " + path + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")


def test_a_large_body_is_refused_before_it_is_read(server):
    received = exchange(server, b"POST /api/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                                b"Content-Length: 65537\r\n\r\n")
    assert statuses(received) == [413]


def test_a_body_of_64_kib_is_read(server):
    body = b'{"username":"a","password":"' + b"x" * (65536 - 30) + b'"}'
    assert len(body) == 65536
    assert server.call("POST", "/api/login", body, headers={"Content-Type": "application/json"}).status == 401


def test_a_large_chunked_body_is_refused(server):
    chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
    received = exchange(server, b"POST /api/login HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 5 + b"0\r\n\r\n")
    assert statuses(received) == [413]


def test_large_heads_are_refused(server):
    many = b"".join(b"X-%d: y\r\n" % i for i in range(10_000))
    assert statuses(exchange(server, b"GET / HTTP/1.1\r\nHost: a\r\n" + many + b"\r\n"))[:1] in ([431], [413], [])
    one = b"X: " + b"y" * 100_000 + b"\r\n"
    assert statuses(exchange(server, b"GET / HTTP/1.1\r\nHost: a\r\n" + one + b"\r\n"))[:1] in ([431], [413], [])
    assert statuses(exchange(server, b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n"))[:1] in ([414], [])
    assert server.call("GET", "/healthz").status == 200


def test_range_bombs_are_ignored(server):
    ranges = ",".join("0-" for _ in range(500))
    answer = server.call("GET", "/", headers={"Range": "bytes=" + ranges})
    assert answer.status == 200


def test_slow_and_idle_peers_do_not_keep_others_waiting(server):
    slow = []
    for host in range(2, 5):
        for _ in range(100):
            peer = socket.create_connection(("127.0.0.1", server.port), 20, source_address=(f"127.0.0.{host}", 0))
            peer.sendall(b"POST /api/login HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n")
            slow.append(peer)
    started = time.monotonic()
    connection = server.connect()
    for _ in range(200):
        connection.request("GET", "/healthz")
        assert Answer(connection.getresponse()).status == 200
    assert time.monotonic() - started < 5
    connection.close()
    for peer in slow:
        peer.close()


def test_one_address_cannot_take_all_connections(server):
    peers = []
    for _ in range(300):
        peer = socket.create_connection(("127.0.0.1", server.port), 20, source_address=("127.0.0.2", 0))
        peers.append(peer)
    assert server.call("GET", "/healthz").status == 200
    for peer in peers:
        peer.close()


def test_a_request_that_trickles_in_is_cut_off(server):
    with socket.create_connection(("127.0.0.1", server.port), 60) as peer:
        peer.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
        peer.settimeout(0.5)
        started = time.monotonic()
        ended = False
        while not ended and time.monotonic() - started < 20:
            try:
                peer.sendall(b"X: y\r\n")
                ended = peer.recv(1) == b""
            except socket.timeout:
                pass
            except (ConnectionResetError, BrokenPipeError):
                ended = True
        assert ended
        assert time.monotonic() - started < 15


def test_forwarded_addresses_do_not_change_the_limit(start):
    server = start(limits=[])
    answers = []
    connection = server.connect()
    for i in range(100):
        forged = {"X-Forwarded-For": f"10.0.0.{i}", "Forwarded": f"for=10.0.0.{i}", "X-Real-IP": f"10.0.0.{i}"}
        connection.request("GET", "/api/v1/me", headers=forged)
        answers.append(Answer(connection.getresponse()))
    refused = [answer for answer in answers if answer.status == 429]
    assert refused and all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    assert server.call("GET", "/api/v1/me", source="127.0.0.9").status == 401
