from __future__ import annotations

import datetime
import ipaddress
import os

import pytest
from conftest import SECOND, START, tcp, udp

import nta


def test_sample_capture_is_read_whole(sample):
    flows = nta.read_flows(sample)
    assert flows.ledger.received == 2748
    assert flows.ledger.balances()
    assert flows.ledger.dropped == flows.ledger.filtered == 0
    assert flows.stats.flow_table.ended == len(flows)
    # Everything but ARP (50 packets) and what has no ports to name is in a flow.
    assert sum(flow.packets for flow in flows) == flows.stats.flow_table.packets
    busiest = [f for f in flows if "198.51.100.80" in (f.source_address, f.destination_address)]
    assert sum(f.packets for f in busiest) == 1552
    assert sum(f.wire_bytes for f in busiest) == 1051283


@pytest.mark.parametrize("convert", [str, os.fsencode, lambda path: path])
def test_paths_of_every_kind_are_taken(sample, convert):
    assert len(nta.read_flows(convert(sample))) > 0


def test_record_says_what_was_counted(write_capture):
    path = write_capture([
        udp(sport=1000, dport=53, payload=b"12345", vlan=7),
        udp("192.0.2.2", "192.0.2.1", 53, 1000, b"123", vlan=7),
    ])
    (flow,) = nta.read_flows(path)
    assert (flow.source_address, flow.source_port) == ("192.0.2.1", 1000)
    assert (flow.destination_address, flow.destination_port) == ("192.0.2.2", 53)
    assert flow.protocol == 17 and flow.protocol_name == "udp"
    assert flow.vlan == 7
    assert (flow.forward_packets, flow.reverse_packets, flow.packets) == (1, 1, 2)
    assert (flow.forward_wire_bytes, flow.forward_ip_bytes, flow.forward_payload_bytes) == (51, 33, 5)
    assert (flow.reverse_wire_bytes, flow.reverse_ip_bytes, flow.reverse_payload_bytes) == (49, 31, 3)
    assert flow.wire_bytes == 100
    assert (flow.first_seen, flow.last_seen) == (START, START + 1_000_000)
    assert flow.duration == pytest.approx(0.001)
    assert flow.outcome == "answered" and flow.end_reason == "forced_end"
    assert flow.source_ip == ipaddress.IPv4Address("192.0.2.1")
    assert flow.first_seen_datetime == datetime.datetime.fromtimestamp(
        START // SECOND, datetime.timezone.utc
    )
    assert flow.to_dict()["source_address"] == "192.0.2.1"
    assert "source_port=1000" in repr(flow)


def test_vlan_is_none_without_a_tag_and_addresses_are_rfc_5952(write_capture):
    (flow,) = nta.read_flows(write_capture([udp("2001:db8:0:0::1", "2001:db8::2")]))
    assert flow.vlan is None
    assert (flow.source_address, flow.ip_version) == ("2001:db8::1", 6)
    assert flow.source_ip == ipaddress.IPv6Address("2001:db8::1")


def test_options_reach_the_meter(tmp_path):
    path = tmp_path / "gap.pcap"
    with nta.PcapFileWriter(path) as writer:
        for second in (0, 10, 11):
            writer.write(udp(), START + second * SECOND)
    assert len(nta.read_flows(path)) == 1
    assert [f.packets for f in nta.read_flows(path, idle_timeout=5.0)] == [1, 2]
    assert len(nta.read_flows(path, active_timeout=0.5)) == 3
    assert len(nta.read_flows(path, where="dport=54")) == 0


def test_cap_ends_flows_for_lack_of_resources(write_capture):
    path = write_capture(udp(sport=port) for port in range(1, 11))
    flows = nta.read_flows(path, max_flows=4)
    assert len(flows) == 10
    assert flows.stats.flow_table.evicted == 6
    assert [f.end_reason for f in flows].count("lack_of_resources") == 6


@pytest.mark.parametrize("option", [
    {"idle_timeout": -1.0}, {"idle_timeout": float("nan")}, {"active_timeout": 1e300},
    {"max_flows": 0}, {"view": "sideways"},
])  # fmt: skip
def test_options_out_of_range_are_refused(sample, option):
    with pytest.raises(nta.InvalidArgumentError):
        nta.read_flows(sample, **option)


def test_damaged_capture_raises_and_hands_over_what_was_read(sample, damaged_capture):
    with pytest.raises(nta.DataLossError) as caught:
        nta.read_flows(damaged_capture)
    assert caught.value.code == "DATA_LOSS"
    assert caught.value.flows.ledger.received == 2747
    assert len(caught.value.flows) >= len(nta.read_flows(sample)) - 1


def test_empty_capture_has_no_flows(write_capture):
    flows = nta.read_flows(write_capture([]))
    assert len(flows) == 0 and list(flows) == []
    assert flows.ledger.received == 0
    assert flows.to_csv().count("\n") == 1


def test_batch_is_a_sequence(write_capture):
    flows = nta.read_flows(write_capture(udp(sport=port) for port in range(1, 6)))
    ports = [f.source_port for f in flows]
    assert sorted(ports) == [1, 2, 3, 4, 5]
    assert flows[0].source_port == ports[0] and flows[-1] == flows[4]
    assert [f.source_port for f in flows[1:4]] == ports[1:4]
    assert [f.source_port for f in flows[::-2]] == ports[::-2]
    for index in (5, -6):
        with pytest.raises(IndexError):
            flows[index]
    joined = nta.FlowBatch([flows, flows[0]])
    assert len(joined) == 6 and joined[5] == flows[0]
    assert [f.source_port for f in flows.where("sport>=4")] == [p for p in ports if p >= 4]
    assert flows[:2].ledger is None


def test_records_can_be_made_and_changed():
    flow = nta.FlowRecord(source_address="2001:DB8::1", destination_address=ipaddress.ip_address("::2"),
                          protocol=6, destination_port=443, first_seen="2026-01-01T00:00:00Z")  # fmt: skip
    assert flow.source_address == "2001:db8::1" and flow.destination_address == "::2"
    flow.end_reason = "idle_timeout"
    assert flow.end_reason == "idle_timeout"
    assert flow != nta.FlowRecord()
    with pytest.raises(TypeError, match="colour"):
        nta.FlowRecord(colour="red")
    with pytest.raises(TypeError, match="packets"):
        nta.FlowRecord(packets=3)
    with pytest.raises(nta.InvalidArgumentError):
        flow.source_address = "999.1.1.1"
    with pytest.raises(nta.InvalidArgumentError):
        flow.outcome = "splendid"
    with pytest.raises(TypeError):
        flow.source_address = 3


def test_filter_matches_and_says_where_it_is_wrong():
    flow = nta.FlowRecord(source_address="10.1.2.3", destination_address="192.0.2.1", protocol=6,
                          destination_port=443)  # fmt: skip
    assert nta.FlowFilter("src=10.0.0.0/8 and dport in (80,443)").matches(flow)
    assert not nta.FlowFilter("not proto=tcp").matches(flow)
    assert nta.FlowFilter("").matches(flow)
    with pytest.raises(nta.InvalidArgumentError) as caught:
        nta.FlowFilter("src=10.0.0.0/8 and dprt=80")
    assert caught.value.position == 19
    assert isinstance(caught.value, ValueError)


def test_csv_is_that_of_the_interface(write_capture):
    header, line = nta.read_flows(write_capture([tcp()])).to_csv().splitlines()
    row = dict(zip(header.split(","), line.split(",")))
    assert row["first_seen"] == str(START) and row["source_address"] == "192.0.2.1"
    assert row["forward_tcp_flags"] == "2" and row["vlan"] == ""
