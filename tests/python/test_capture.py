"""Capture files and sources: compression, interfaces, comments, several at once."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess

import pytest
from conftest import SECOND, START, udp

import nta


def test_compressed_captures_read_like_plain_ones(sample, tmp_path):
    expected = nta.read_flows(sample)
    packed = tmp_path / "sample.pcap.gz"
    packed.write_bytes(gzip.compress(sample.read_bytes()))
    flows = nta.read_flows(packed)
    assert flows.ledger == expected.ledger and len(flows) == len(expected)
    assert flows.stats.capture.bytes_read == flows.stats.capture.bytes_total == packed.stat().st_size


def test_a_damaged_compressed_capture_gives_what_could_be_read(sample, tmp_path):
    packed = tmp_path / "cut.gz"
    packed.write_bytes(gzip.compress(sample.read_bytes())[:-1000])
    with pytest.raises(nta.DataLossError, match="ends early") as caught:
        nta.read_flows(packed)
    assert caught.value.flows.ledger.received > 1000


def test_limits_of_decompression_can_be_set(sample, tmp_path):
    packed = tmp_path / "sample.gz"
    packed.write_bytes(gzip.compress(sample.read_bytes()))
    with pytest.raises(nta.ResourceExhaustedError, match="max_decompressed_bytes"):
        list(nta.PcapFileReader(packed, max_decompressed_bytes=100_000))
    reader = nta.PcapFileReader(packed, max_compression_ratio=None, max_decompressed_bytes=None)
    assert len(list(reader)) == 2748


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_what_the_writers_write_reads_back(tmp_path, compression):
    path = tmp_path / "made.pcap"
    packets = [nta.Packet(udp(payload=bytes(i)), START + i * SECOND) for i in range(100)]
    with nta.PcapFileWriter(path, compression=compression) as writer:
        for packet in packets:
            writer.write(packet)
    with nta.PcapFileReader(path) as reader:
        read = list(reader)
        assert [(p.time, p.data) for p in read] == [(p.time, p.data) for p in packets]
        assert reader.stats().bytes_read == path.stat().st_size


def test_writers_refuse_what_there_is_not(tmp_path):
    with pytest.raises(nta.InvalidArgumentError, match="none, gzip or zstd"):
        nta.PcapFileWriter(tmp_path / "x", compression="rar")
    with pytest.raises(nta.InvalidArgumentError, match="within 1 and 9"):
        nta.PcapFileWriter(tmp_path / "x", compression="gzip", compression_level=10)
    writer = nta.PcapngFileWriter(tmp_path / "x")
    with pytest.raises(nta.InvalidArgumentError, match="interface 3"):
        writer.write(nta.Packet(udp(), START, interface_id=3))
    with pytest.raises(nta.InvalidArgumentError):
        writer.write(nta.Packet(udp(), START), "x" * 65536)
    writer.close()
    writer.close()
    with pytest.raises(nta.FailedPreconditionError, match="closed"):
        writer.write(nta.Packet(udp(), START))


@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_pcapng_keeps_interfaces_comments_and_drops(tmp_path, compression):
    path = tmp_path / "made.pcapng"
    interfaces = [nta.CaptureInterface("eth0", "uplink", snap_length=1000), nta.CaptureInterface("tun0", link_type="raw")]
    lossy = nta.MemorySource(capacity_bytes=1)
    assert not lossy.push(udp(), START) and not lossy.push(udp(), START)
    assert lossy.read() == []
    with nta.PcapngFileWriter(path, interfaces=interfaces[:1], compression=compression) as writer:
        writer.write(nta.Packet(udp(), START))
        assert writer.add_interface(interfaces[1]) == 1
        writer.write(nta.Packet(udp()[14:], START + 1, "raw", interface_id=1), "lost its way \u2603")
        commented = nta.Packet(udp(), START + 2)
        assert commented.comment is None
        commented.comment = "seen twice"
        writer.write(commented)
        writer.set_drops(1, lossy.stats())
    reader = nta.PcapFileReader(path)
    assert [i.name for i in reader.interfaces()] == ["eth0"], "before its first packet"
    packets = list(reader)
    assert [p.comment for p in packets] == [None, "lost its way \u2603", "seen twice"]
    assert [p.interface_id for p in packets] == [0, 1, 0]
    assert reader.stats().dropped_buffer == 2
    eth0, tun0 = reader.interfaces()
    assert eth0.to_dict() == {
        "name": "eth0",
        "description": "uplink",
        "link_type": "ethernet",
        "snap_length": 1000,
        "ticks_per_second": SECOND,
    }
    assert (tun0.name, tun0.link_type) == ("tun0", "raw")
    copy = tmp_path / "copy.pcapng"
    with nta.PcapngFileWriter(copy, interfaces=reader.interfaces()) as writer:
        for packet in packets:
            writer.write(packet)
    assert [p.comment for p in nta.PcapFileReader(copy)] == [p.comment for p in packets]
    if shutil.which("tshark"):
        shown = subprocess.run(
            ["tshark", "-r", path, "-T", "fields", "-e", "frame.interface_name", "-e", "frame.comment"],
            capture_output=True, text=True, check=True,
        )
        assert shown.stdout.splitlines() == ["eth0\t", "tun0\tlost its way \u2603", "eth0\tseen twice"]


def test_comments_that_are_not_utf8_are_shown_as_far_as_they_are(tmp_path):
    path = tmp_path / "x.pcapng"
    with nta.PcapngFileWriter(path) as writer:
        writer.write(nta.Packet(udp(), START), "abcd")
    path.write_bytes(path.read_bytes().replace(b"abcd", b"a\xff\xfed"))
    assert nta.PcapFileReader(path).read()[0].comment == "a\ufffd\ufffdd"


def test_several_files_are_one_source_in_the_order_of_time(write_capture, tmp_path):
    frames = [udp(sport=i + 1) for i in range(100)]
    whole = list(nta.PcapFileReader(write_capture(frames)))
    paths = []
    for name, part in (("even", whole[::2]), ("odd", whole[1::2])):
        paths.append(tmp_path / f"{name}.pcap")
        with nta.PcapFileWriter(paths[-1]) as writer:
            for packet in part:
                writer.write(packet)
    source = nta.MultiSource([nta.PcapFileReader(path) for path in paths])
    assert not source.is_live and isinstance(source, nta.PacketSource)
    assert source.name == f"{paths[0]}, {paths[1]}"
    packets = list(source)
    assert [p.data for p in packets] == frames
    assert [p.interface_id for p in packets] == [0, 1] * 50
    assert [i.name for i in source.interfaces()] == [str(path) for path in paths]
    assert [stats.received for stats in source.member_stats()] == [50, 50]
    assert source.stats().received == 100
    assert nta.read_flows(paths).ledger.received == 100
    with pytest.raises(nta.NotFoundError):
        nta.read_flows([paths[0], tmp_path / "none.pcap"])
    with pytest.raises(nta.InvalidArgumentError):
        nta.read_flows([])


def test_a_source_belongs_to_one_multi_source_at_a_time(sample):
    reader = nta.PcapFileReader(sample)
    both = nta.MultiSource([reader])
    with pytest.raises(nta.FailedPreconditionError, match="is being read"):
        reader.read()
    with pytest.raises(nta.FailedPreconditionError, match="is being read"):
        nta.MultiSource([reader])
    both.close()
    assert len(reader.read()) > 0
    with pytest.raises(TypeError):
        nta.MultiSource(["sample.pcap"])


def test_a_pipeline_reads_several_sources(sample):
    pipeline = nta.Pipeline(nta.MultiSource([nta.PcapFileReader(sample), nta.PcapFileReader(sample)]))
    flows = sum(len(batch.flows) for batch in pipeline)
    assert pipeline.stats().ledger.received == 2 * 2748
    assert flows >= len(nta.read_flows(sample))


def test_live_options_are_checked():
    with pytest.raises(nta.InvalidArgumentError, match="adapter_unsynced"):
        nta.LiveCapture("lo", timestamps="gps")
    with pytest.raises(nta.InvalidArgumentError, match="fail or reopen"):
        nta.LiveCapture("lo", outage="panic")
    with pytest.raises(nta.NotFoundError, match="no-such0"):
        nta.list_timestamp_sources("no-such0")


NAMESPACE_SCRIPT = r"""
import json, socket, subprocess, nta
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
capture = nta.LiveCapture("lo", filter="udp", timeout=0.05, outage="reopen", delivery="immediate")
both = nta.MultiSource([capture], timeout=0.05)
result = {"sources": nta.list_timestamp_sources("lo"), "interfaces": [i.to_dict() for i in both.interfaces()]}
def send(text):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(text, ("127.0.0.1", 9))
def receive():
    for _ in range(200):
        packets = both.read()
        if packets:
            return nta.decode(packets[0]).payload.decode()
send(b"before")
result["before"] = receive()
subprocess.run(["ip", "link", "set", "lo", "down"], check=True)
while both.stats().outages == 0:
    assert both.read() == []
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
time = -1
while both.stats().outage_time != time:
    time = both.stats().outage_time
    assert both.read() == []
send(b"after")
result["after"] = receive()
result["outages"] = both.stats().outages
print(json.dumps(result))
"""


def test_live_capture_survives_its_interface(tmp_path):
    import sys

    inside = subprocess.run(
        ["unshare", "-Urn", sys.executable, "-c", NAMESPACE_SCRIPT], capture_output=True, text=True, timeout=60
    ) if shutil.which("unshare") and shutil.which("ip") else None
    if inside is None or "Operation not permitted" in inside.stderr:
        pytest.skip("this machine allows no network namespaces: nothing captured")
    assert inside.returncode == 0, inside.stderr
    result = json.loads(inside.stdout)
    assert (result["before"], result["after"], result["outages"]) == ("before", "after", 1)
    assert result["sources"][0] == "host"
    assert result["interfaces"][0]["name"] == "lo" and result["interfaces"][0]["snap_length"] == 1920
