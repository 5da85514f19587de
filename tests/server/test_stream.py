"""The live stream over real connections."""

import json
import socket
import time

import pytest

from conftest import Answer


class Stream:
    """Reads server-sent events."""

    def __init__(self, server, token, timeout=20):
        answer = server.call("POST", "/api/v1/stream/ticket", token=token)
        assert answer.status == 200, answer.body
        self.ticket = answer.json()["ticket"]
        self.connection = server.connect(timeout=timeout)
        self.connection.request("GET", "/api/v1/stream?ticket=" + self.ticket)
        self.response = self.connection.getresponse()

    @property
    def status(self):
        return self.response.status

    def event(self):
        """The next event as (name, data); None at the end of the stream."""
        name = None
        while True:
            line = self.response.readline()
            if not line:
                return None
            line = line.decode().rstrip("\n")
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                return name, json.loads(line.removeprefix("data: "))

    def wait_for(self, wanted, count=1):
        found = []
        while len(found) < count:
            event = self.event()
            assert event is not None, "the stream ended"
            if event[0] == wanted:
                found.append(event[1])
        return found

    def close(self):
        self.connection.sock.close() if self.connection.sock else None
        self.response.close()
        self.connection.close()


@pytest.fixture
def replaying(start, capture):
    server = start("--pcap", capture)
    server.tokens = server.set_up()
    server.token = server.tokens["token"]
    return server


def test_a_stream_begins_with_hello_and_samples_follow_each_second(replaying):
    stream = Stream(replaying, replaying.token)
    assert stream.response.getheader("Content-Type") == "text/event-stream"
    name, hello = stream.event()
    assert name == "hello"
    assert hello["capture"]["kind"] == "replay" and hello["capture"]["state"] == "running"
    samples = stream.wait_for("sample", 3)
    times = [sample["time"] for sample in hello["samples"] + samples]
    assert times == sorted(set(times))
    assert all(sample["seconds"] == 1 for sample in samples)
    assert set(samples[0]["protocols"]) == {"tcp", "udp", "icmp", "other"}


def test_talkers_come_with_the_addresses_of_the_last_minute(replaying):
    stream = Stream(replaying, replaying.token)
    deadline = time.monotonic() + 20
    while not (talkers := stream.wait_for("talkers")[0])["talkers"] and time.monotonic() < deadline:
        pass
    assert talkers["window_seconds"] == 60
    assert {"address", "wire_bytes", "packets", "sent_wire_bytes", "received_wire_bytes"} <= set(talkers["talkers"][0])


def test_a_ticket_opens_one_stream(signed_in):
    stream = Stream(signed_in, signed_in.token)
    assert stream.status == 200
    assert signed_in.call("GET", "/api/v1/stream?ticket=" + stream.ticket).status == 401


def test_signing_out_ends_the_stream(signed_in):
    stream = Stream(signed_in, signed_in.token)
    assert stream.event()[0] == "hello"
    assert signed_in.call("POST", "/api/v1/logout", {}, token=signed_in.token).status == 204
    started = time.monotonic()
    while stream.event() is not None:
        pass
    assert time.monotonic() - started < 2


def test_the_ninth_stream_of_a_user_is_refused_until_one_closes(signed_in):
    streams = [Stream(signed_in, signed_in.token) for _ in range(9)]
    assert [stream.status for stream in streams] == [200] * 8 + [503]
    assert int(streams[8].response.getheader("Retry-After")) >= 1
    for stream in streams[:8]:
        stream.event()
    streams[0].close()
    deadline = time.monotonic() + 10
    while (status := Stream(signed_in, signed_in.token).status) != 200 and time.monotonic() < deadline:
        pass
    assert status == 200


def test_a_stalled_client_holds_up_nobody(replaying):
    stalled = []
    for _ in range(6):
        ticket = replaying.call("POST", "/api/v1/stream/ticket", token=replaying.token).json()["ticket"]
        peer = socket.socket()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        peer.connect(("127.0.0.1", replaying.port))
        peer.sendall(f"GET /api/v1/stream?ticket={ticket} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        stalled.append(peer)
    quick = Stream(replaying, replaying.token)
    started = time.monotonic()
    quick.wait_for("sample", 3)
    assert time.monotonic() - started < 10
    assert replaying.call("GET", "/api/v1/me", token=replaying.token).status == 200
    for peer in stalled:
        peer.close()
