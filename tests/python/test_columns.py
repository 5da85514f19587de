from __future__ import annotations

import gc
import os
import subprocess
import sys

import pytest
from conftest import START, udp

import nta

np = pytest.importorskip("numpy")


@pytest.fixture(scope="module")
def flows(sample):
    return nta.read_flows(sample)


def test_columns_say_what_the_records_say(flows):
    columns = flows.to_numpy()
    records = list(flows)
    for name in ("protocol", "source_port", "destination_port", "ip_version", "forward_packets",
                 "forward_wire_bytes", "reverse_ip_bytes", "reverse_payload_bytes",
                 "forward_tcp_flags"):  # fmt: skip
        assert columns[name].tolist() == [getattr(record, name) for record in records], name
    assert columns["first_seen"].dtype == "datetime64[ns]"
    assert columns["first_seen"].astype("int64").tolist() == [r.first_seen for r in records]
    assert nta.format_addresses(columns["source_address"]) == [r.source_address for r in records]
    assert [nta.END_REASONS[i] for i in columns["end_reason"]] == [r.end_reason for r in records]
    assert [nta.OUTCOMES[i] for i in columns["outcome"]] == [r.outcome for r in records]
    assert set(columns["vlan"].tolist()) == {-1}


def test_keys_are_the_names_of_the_records_fields(flows):
    for name in flows.to_numpy():
        assert hasattr(flows[0], name)


def test_enums_and_icmp_have_columns(flows):
    columns = flows.to_numpy()
    records = list(flows)
    for name, names in (("tcp_state", nta.TCP_STATES), ("application", nta.APPLICATIONS),
                        ("category", nta.CATEGORIES), ("evidence", nta.EVIDENCES)):  # fmt: skip
        assert [names[i] for i in columns[name]] == [getattr(r, name) for r in records], name
    assert {"closed", "reset", "none"} <= {r.tcp_state for r in records}
    for name in ("icmp_type", "icmp_code"):
        assert columns[name].tolist() == [
            -1 if getattr(r, name) is None else getattr(r, name) for r in records
        ]
    assert max(columns["icmp_type"]) >= 128


def test_statistics_have_columns_only_when_asked_for(sample, flows):
    assert "forward_ip_length_mean" not in flows.to_numpy()
    assert flows[0].statistics is None
    with_statistics = nta.read_flows(sample, statistics=True, first_packets=2, entropy_bytes=64)
    columns = with_statistics.to_numpy()
    for i in (0, 7, len(with_statistics) - 1):
        statistics = with_statistics[i].statistics
        assert len(statistics["first_packets"]) <= 2
        forward = statistics["forward"]
        assert columns["forward_ip_length_mean"][i] == forward["ip_length"]["mean"]
        assert columns["forward_inter_arrival_maximum"][i] == forward["inter_arrival"]["maximum"]
        round_trip = statistics["destination_round_trip"]
        assert columns["destination_round_trip"][i] == (-1 if round_trip is None else round_trip)
    assert np.isnan(columns["forward_payload_entropy"]).any()
    assert (columns["forward_payload_entropy"] > 2).any()
    part = with_statistics.where("port=1 and port=2")
    assert len(part) == 0
    assert set(part.to_numpy()) == set(columns)
    assert len(with_statistics[:3].to_numpy()["tunnels"]) == 3


def test_batches_of_a_pipeline_have_the_same_columns(sample):
    pipeline = nta.Pipeline(nta.PcapFileReader(sample), statistics=True, batch_packets=512)
    keys = {tuple(batch.flows.columns()) for batch in pipeline}
    assert len(keys) == 1
    assert "source_round_trip" in keys.pop()


def test_records_carry_metadata_both_ways():
    record = nta.FlowRecord(protocol=6, source_address="10.0.0.1", destination_address="10.0.0.2",
                            application="tls", category="web", evidence="payload", tcp_state="closed",
                            icmp_type=3, metadata={"server_name": "example.org", "alpn": "h2"})  # fmt: skip
    batch = nta.FlowBatch([nta.FlowRecord(), record])
    assert batch[1] == record
    assert batch[1].metadata == {"server_name": "example.org", "alpn": "h2"}
    assert batch[0].metadata == {}
    assert record.to_dict()["metadata"]["alpn"] == "h2"
    assert record.community_id.startswith("1:")
    assert len(batch.where("server_name=*.org and app=tls")) == 1
    with pytest.raises(nta.InvalidArgumentError):
        nta.FlowRecord(metadata={"server": "x"})
    with pytest.raises(nta.InvalidArgumentError):
        nta.FlowRecord(tcp_state="open")


def test_options_are_checked(sample):
    for options in ({"statistics": True, "first_packets": 256}, {"max_memory_bytes": 1}):
        with pytest.raises(nta.InvalidArgumentError):
            nta.read_flows(sample, **options)


def test_views_are_read_only_and_copy_nothing(flows):
    first, second = flows.to_numpy(), flows.to_numpy()
    for name, array in first.items():
        assert not array.flags.writeable
        assert np.shares_memory(array, second[name]), name
    with pytest.raises(ValueError):
        first["forward_packets"][0] = 1
    with pytest.raises((BufferError, TypeError)):
        memoryview(flows.columns()["protocol"])[0] = 1


def test_views_outlive_the_batch(sample):
    array = nta.read_flows(sample).to_numpy()["forward_wire_bytes"]
    view = memoryview(nta.read_flows(sample).columns()["forward_wire_bytes"])
    gc.collect()
    # Fill the freed memory, if it was freed.
    others = [nta.read_flows(sample) for _ in range(5)]
    assert array.sum() == sum(f.forward_wire_bytes for f in others[0])
    assert sum(view) == array.sum()


def test_empty_batch_has_empty_columns():
    columns = nta.FlowBatch().to_numpy()
    assert {array.shape for array in columns.values()} == {(0,)}
    assert columns["last_seen"].dtype == "datetime64[ns]"
    assert nta.format_addresses(columns["source_address"]) == []


def test_addresses_compare_and_keep_zero_bytes(write_capture):
    path = write_capture([udp("10.0.0.0", "2001:db8::1".replace("2001:db8::1", "10.0.0.1"))])
    column = nta.read_flows(path).to_numpy()["source_address"]
    assert column.dtype == "V16"
    assert column[0].tobytes() == nta.pack_address("10.0.0.0")
    assert len(nta.pack_address("10.0.0.0")) == 16
    values, counts = np.unique(column.view("u8").reshape(-1, 2), axis=0, return_counts=True)
    assert nta.format_addresses(values.copy().view("V16").ravel()) == ["10.0.0.0"]
    assert counts.tolist() == [1]


def test_address_texts_follow_strides_and_refuse_other_shapes(flows):
    column = flows.to_numpy()["destination_address"]
    assert nta.format_addresses(column[::3]) == nta.format_addresses(column)[::3]
    with pytest.raises(nta.InvalidArgumentError):
        nta.format_addresses(flows.to_numpy()["protocol"])
    assert nta.format_addresses(flows.columns()["source_address"])[0] == flows[0].source_address


def test_vlan_column(write_capture):
    path = write_capture([udp(vlan=0), udp(sport=2, vlan=4095), udp(sport=3)])
    assert sorted(nta.read_flows(path).to_numpy()["vlan"].tolist()) == [-1, 0, 4095]


@pytest.mark.skipif("asan" in os.environ.get("LD_PRELOAD", ""), reason="AddressSanitizer keeps freed memory")
def test_columns_leak_nothing(sample):
    flows = nta.read_flows(sample)

    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    def churn(rounds: int) -> None:
        for _ in range(rounds):
            nta.FlowBatch([flows] * 50).to_numpy()

    churn(20)
    before = resident()
    churn(200)  # 200 batches of about 2 MB each
    assert resident() - before < 20_000_000


def test_numpy_is_not_imported_before_it_is_needed():
    script = "import nta, sys; print('numpy' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"


def test_start_is_kept_to_the_nanosecond(write_capture):
    column = nta.read_flows(write_capture([udp()])).to_numpy()["first_seen"]
    assert column[0] == np.datetime64(START, "ns")
