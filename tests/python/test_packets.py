from __future__ import annotations

import datetime

import pytest
from conftest import SECOND, START, tcp, udp

import nta


def test_decode_reads_ports_and_payload():
    packet = nta.decode(udp(sport=5353, dport=53, payload=b"query", vlan=12))
    assert (packet.source_address, packet.destination_address) == ("192.0.2.1", "192.0.2.2")
    assert (packet.source_port, packet.destination_port) == (5353, 53)
    assert (packet.ip_version, packet.protocol, packet.hop_limit) == (4, 17, 64)
    assert packet.vlan == 12 and packet.ether_type == 0x0800
    assert packet.source_mac == "02:00:00:00:00:02"
    assert packet.payload == b"query" and packet.payload_bytes == 5
    assert packet.outcome == "decoded" and packet.reason == "none"
    assert packet.tcp_flags is None and packet.arp is None and packet.quoted is None
    assert packet.to_dict()["source_port"] == 5353


def test_decode_reads_tcp_and_ipv6():
    packet = nta.decode(tcp("2001:db8::1", "2001:db8::2", flags=0x12))
    assert packet.ip_version == 6 and packet.tcp_flags == 0x12 and packet.tcp_sequence == 1


def test_what_a_packet_does_not_have_is_none():
    packet = nta.decode(b"\x01" * 6)
    assert packet.outcome == "malformed" and packet.reason == "truncated_link"
    assert packet.source_address is None and packet.ip_version is None
    assert packet.source_port is None and packet.payload == b""
    assert nta.decode(b"abc", link_type=4711).outcome == "unsupported"


def test_decode_takes_packets_and_anything_like_bytes():
    frame = udp()
    expected = nta.decode(frame).to_dict()
    assert nta.decode(bytearray(frame)).to_dict() == expected
    assert nta.decode(memoryview(frame)).to_dict() == expected
    packet = nta.decode(nta.Packet(frame, START, wire_bytes=9000))
    assert packet.truncated and packet.wire_bytes == 9000 and packet.time == START
    raw = nta.decode(frame[14:], "raw")
    assert raw.source_address == "192.0.2.1" and raw.source_mac is None


def test_decode_refuses_what_is_not_bytes():
    with pytest.raises(TypeError):
        nta.decode("text")
    with pytest.raises(nta.InvalidArgumentError, match="carrier_pigeon"):
        nta.decode(b"", link_type="carrier_pigeon")
    with pytest.raises(nta.InvalidArgumentError):
        nta.decode(b"12345", wire_bytes=3)


def test_every_prefix_of_a_frame_decodes():
    for frame in (udp(payload=b"x" * 20, vlan=3), tcp("2001:db8::1", "2001:db8::2")):
        for end in range(len(frame)):
            assert nta.decode(frame[:end]).captured_bytes == end


def test_packet_owns_its_bytes():
    data = bytearray(udp())
    packet = nta.Packet(data, START)
    data[:] = bytes(len(data))
    assert packet.data == udp() and len(packet) == len(data)
    assert packet.link_type == "ethernet" and packet.time == START
    view = memoryview(packet)
    del packet
    assert bytes(view) == udp() and view.readonly


def test_times_are_taken_in_many_forms():
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=datetime.timezone.utc)
    nanoseconds = int(moment.timestamp()) * SECOND + 678901000
    assert nta.Packet(b"", moment).time == nanoseconds
    assert nta.Packet(b"", "2026-01-02T03:04:05.678901Z").time == nanoseconds
    assert nta.Packet(b"", "2026-01-02T04:04:05.678901+01:00").time == nanoseconds
    assert nta.Packet(b"", nanoseconds).datetime == moment
    assert nta.to_nanoseconds("now") - nta.to_nanoseconds("-1h") == pytest.approx(3600 * SECOND, rel=1e-3)
    assert nta.format_timestamp(nanoseconds) == "2026-01-02T03:04:05.678901000Z"
    np = pytest.importorskip("numpy")
    assert nta.Packet(b"", np.datetime64(nanoseconds, "ns")).time == nanoseconds
    assert nta.Packet(b"", np.int64(5)).time == 5


@pytest.mark.parametrize("time", [
    "yesterday", "-1 fortnight", "-h", 2**63, datetime.datetime(2026, 1, 1),
    datetime.datetime(1500, 1, 1, tzinfo=datetime.timezone.utc),
])  # fmt: skip
def test_times_without_a_meaning_are_refused(time):
    with pytest.raises(nta.InvalidArgumentError):
        nta.Packet(b"", time)


@pytest.mark.parametrize("time", [None, 1.5, True, [1]])
def test_times_of_the_wrong_type_are_refused(time):
    with pytest.raises(TypeError):
        nta.Packet(b"", time)


def test_writer_and_reader_agree(tmp_path):
    path = tmp_path / "out.pcap"
    written = [nta.Packet(udp(sport=i), START + i, wire_bytes=1500) for i in range(300)]
    with nta.PcapFileWriter(path) as writer:
        for packet in written:
            writer.write(packet)
    read = list(nta.PcapFileReader(path))
    assert [(p.data, p.time, p.wire_bytes) for p in read] == [
        (p.data, p.time, p.wire_bytes) for p in written
    ]


def test_writer_refuses_what_the_file_cannot_hold(tmp_path):
    writer = nta.PcapFileWriter(tmp_path / "out.pcap")
    with pytest.raises(nta.InvalidArgumentError):
        writer.write(nta.Packet(b"", 0, link_type="raw"))
    with pytest.raises(nta.OutOfRangeError):
        writer.write(b"", "2200-01-01T00:00:00Z")
    with pytest.raises(TypeError):
        writer.write(b"")
    with pytest.raises(nta.InvalidArgumentError, match="wire_bytes"):
        writer.write(b"12345", 0, wire_bytes=4)
    writer.close()
    writer.close()
    with pytest.raises(nta.FailedPreconditionError, match="closed"):
        writer.write(b"", 0)
