"""FlowBatch in Arrow libraries. They come from PyPI; each test is skipped, by name, without its own."""

from __future__ import annotations

import gc

import pytest
from conftest import udp

import nta


@pytest.fixture(scope="module")
def flows(sample):
    return nta.read_flows(sample)


@pytest.fixture
def tagged(write_capture):
    return nta.read_flows(
        write_capture([udp(vlan=0), udp(sport=2, vlan=4095), udp("2001:db8::1", "2001:db8::2")])
    )


def test_capsules_have_the_names_of_the_specification(flows):
    assert 'capsule object "arrow_schema"' in repr(flows.__arrow_c_schema__())
    assert 'capsule object "arrow_array_stream"' in repr(flows.__arrow_c_stream__())
    assert 'capsule object "arrow_array_stream"' in repr(flows.__arrow_c_stream__(None))


def test_capsules_that_nobody_takes_are_released(flows):
    for _ in range(1000):
        flows.__arrow_c_schema__()
        flows.__arrow_c_stream__()

TEXTS = (
    "server_name", "source_name", "destination_name", "alpn", "ja3", "ja3s", "ja4", "hassh", "hassh_server", "user_agent",
    "user_name",
)  # fmt: skip


class TestPyArrow:
    @pytest.fixture(autouse=True)
    def pa(self):
        self.pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")

    def test_types_are_those_of_the_columns(self, flows):
        pa, schema = self.pa, self.pa.table(flows).schema
        names = pa.dictionary(pa.uint8(), pa.string())
        assert schema.field("first_seen").type == pa.timestamp("ns", "UTC")
        assert schema.field("source_address").type == pa.string()
        assert schema.field("source_port").type == pa.uint16()
        assert schema.field("forward_wire_bytes").type == pa.uint64()
        assert schema.field("vlan").type == pa.uint16() and schema.field("vlan").nullable
        assert not schema.field("protocol").nullable
        assert schema.field("end_reason").type == names and schema.field("outcome").type == names
        assert pa.schema(flows) == schema
        assert schema.names == list(flows.columns()) + list(TEXTS)
        assert schema.field("application").type == pa.dictionary(pa.uint16(), pa.string())
        assert schema.field("icmp_type").type == pa.uint8() and schema.field("icmp_type").nullable
        assert schema.field("server_name").type == pa.string()

    def test_values_are_those_of_the_records(self, flows):
        table = self.pa.table(flows)
        table.validate(full=True)
        for name in table.column_names:
            if name in ("first_seen", "last_seen"):
                values = table[name].cast(self.pa.int64()).to_pylist()
            else:
                values = table[name].to_pylist()
            if name in TEXTS:
                assert values == [flow.metadata.get(name) for flow in flows], name
            else:
                assert values == [getattr(flow, name) for flow in flows], name

    def test_metadata_and_statistics_have_columns(self, sample):
        record = nta.FlowRecord(application="tls", metadata={"server_name": "é.example"}, icmp_type=8)
        table = self.pa.table(nta.FlowBatch([nta.FlowRecord(), record]))
        table.validate(full=True)
        assert table["server_name"].to_pylist() == [None, "é.example"]
        assert table["icmp_type"].to_pylist() == [None, 8]
        assert table["application"].to_pylist() == ["unknown", "tls"]
        flows = nta.read_flows(sample, statistics=True)
        table = self.pa.table(flows)
        table.validate(full=True)
        means = [flow.statistics["forward"]["ip_length"]["mean"] for flow in flows]
        assert table["forward_ip_length_mean"].to_pylist() == means
        part = flows.where("port=1 and port=2")
        assert self.pa.table(part).schema == table.schema

    def test_vlan_is_null_where_there_is_none(self, tagged):
        table = self.pa.table(tagged)
        table.validate(full=True)
        assert sorted(table["vlan"].to_pylist(), key=str) == [0, 4095, None]
        assert table["vlan"].null_count == 1

    def test_many_rows_come_in_several_batches(self, tagged):
        many = nta.FlowBatch([tagged] * (2**20 // 3 + 1))
        table = self.pa.table(many)
        assert table["source_address"].num_chunks == 2
        assert len(table) == len(many)
        assert table["vlan"].null_count == len(many) // 3
        assert table["source_port"].chunk(1)[-1].as_py() == many[-1].source_port

    def test_numbers_are_not_copied(self, flows):
        pytest.importorskip("numpy")
        column = self.pa.table(flows)["forward_packets"].chunk(0)
        array = flows.to_numpy()["forward_packets"]
        assert column.buffers()[1].address == array.ctypes.data

    def test_tables_outlive_the_batch(self, sample):
        table = self.pa.table(nta.read_flows(sample))
        column = table["reverse_packets"]
        del table
        gc.collect()
        others = [nta.read_flows(sample) for _ in range(3)]
        assert column.to_pylist() == [f.reverse_packets for f in others[0]]

    def test_empty_batch_is_an_empty_table(self):
        table = self.pa.table(nta.FlowBatch())
        assert len(table) == 0 and "first_seen" in table.column_names

    def test_parquet_round_trip(self, tagged, tmp_path):
        import pyarrow.parquet as parquet

        table = self.pa.table(tagged)
        parquet.write_table(table, tmp_path / "flows.parquet")
        assert parquet.read_table(tmp_path / "flows.parquet").to_pylist() == table.to_pylist()


def test_polars_reads_a_batch(flows):
    pl = pytest.importorskip("polars", reason="polars is not installed")
    frame = pl.DataFrame(flows)
    assert frame.height == len(flows)
    assert frame["forward_wire_bytes"].sum() == sum(f.forward_wire_bytes for f in flows)
    assert frame["source_address"].to_list() == [f.source_address for f in flows]
    assert frame["end_reason"].cast(pl.String).to_list() == [f.end_reason for f in flows]
    assert frame["vlan"].null_count() == len(flows)
    assert str(frame["first_seen"].dtype) == "Datetime(time_unit='ns', time_zone='UTC')"
    rows = pl.from_arrow(flows)  # since polars 2 a series of structs
    assert (rows.struct.unnest() if isinstance(rows, pl.Series) else rows).equals(frame)


def test_duckdb_queries_a_batch(flows):
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    relation = duckdb.from_arrow(flows)
    rows = relation.aggregate("end_reason::varchar, count(*), sum(forward_wire_bytes)").fetchall()
    assert sum(count for _, count, _ in rows) == len(flows)
    assert sum(total for _, _, total in rows) == sum(f.forward_wire_bytes for f in flows)
    assert {name for name, _, _ in rows} == {f.end_reason for f in flows}


@pytest.fixture
def answers(tmp_path, flows):
    with nta.Store.open(tmp_path / "nta.db") as store:
        store.write(flows)
        yield {
            "top": store.top("address", limit=5),
            "ports": store.top("destination_port", limit=5),
            "series": store.series(),
            "conversations": store.conversations(limit=5),
        }


def test_answers_of_a_store_are_tables_of_pyarrow(answers):
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    for name, answer in answers.items():
        table = pa.table(answer)
        table.validate(full=True)
        assert len(table) == len(answer), name
        assert table.column_names == list(answer.columns()), name
        assert pa.schema(answer) == table.schema, name
    top = pa.table(answers["top"])
    assert top["bytes"].to_pylist() == [row["bytes"] for row in answers["top"]]
    assert pa.table(answers["ports"])["sent_bytes"].null_count == len(answers["ports"])
    assert pa.types.is_timestamp(pa.table(answers["series"]).schema.field("time").type)


def test_answers_of_a_store_are_frames_of_polars(answers):
    pl = pytest.importorskip("polars", reason="polars is not installed")
    for name, answer in answers.items():
        frame = pl.DataFrame(answer)
        assert frame.height == len(answer) and frame.columns == list(answer.columns()), name
    pairs = pl.DataFrame(answers["conversations"])
    assert (pairs["bytes"] == pairs["bytes_from_a"] + pairs["bytes_from_b"]).all()


def test_answers_of_a_store_are_asked_by_duckdb(answers):
    duckdb = pytest.importorskip("duckdb", reason="duckdb is not installed")
    for name, answer in answers.items():
        assert duckdb.from_arrow(answer).count("*").fetchall() == [(len(answer),)], name
    rows = duckdb.from_arrow(answers["top"]).aggregate("max(bytes)").fetchall()
    assert rows == [(max(row["bytes"] for row in answers["top"]),)]
