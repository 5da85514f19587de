from __future__ import annotations

import datetime
import os
import threading

import pytest

import nta

SINCE = "2026-11-22T08:21:00Z"
UNTIL = "2026-11-22T08:23:00Z"


@pytest.fixture(scope="module")
def flows(sample):
    return nta.read_flows(sample)


@pytest.fixture
def store(tmp_path, flows):
    with nta.Store.open(tmp_path / "nta.db") as store:
        store.write(flows)
        yield store


def test_flows_come_back_as_they_went_in(store, flows):
    key = lambda f: (f.last_seen, f.first_seen, f.source_address, f.source_port, f.destination_port)
    stored = store.flows(order="oldest")
    assert sorted(stored, key=key) == sorted(flows, key=key)
    assert [f.last_seen for f in stored] == sorted(f.last_seen for f in flows)


def test_pages_are_joined(tmp_path, flows):
    many = nta.FlowBatch([flows] * (25_000 // len(flows)))
    with nta.Store.open(tmp_path / "many.db") as store:
        store.write(many)
        assert len(store.flows()) == len(many) > 20_000
        assert len(store.flows(limit=12_345)) == 12_345
        assert len(store.flows(limit=0)) == 0


def test_flows_are_chosen_by_filter_and_time(store, flows):
    where = "dst=198.51.100.22 and proto=tcp"
    assert len(store.flows(where=where)) == len(flows.where(where)) > 100
    assert len(store.flows(where=nta.FlowFilter(where))) == len(flows.where(where))
    middle = sorted(f.last_seen for f in flows)[len(flows) // 2]
    before, after = store.flows(until=middle), store.flows(since=middle)
    assert len(before) + len(after) == len(flows)
    assert all(f.last_seen < middle for f in before)
    aware = datetime.datetime(2026, 11, 22, 8, 21, tzinfo=datetime.timezone.utc)
    assert len(store.flows(since=aware, until=UNTIL)) == len(flows)
    assert len(store.flows(until="2026-11-22T08:00:00Z")) == 0


def test_wrong_queries_are_refused(store):
    with pytest.raises(nta.InvalidArgumentError) as caught:
        store.flows(where="dport>>80")
    assert caught.value.position is not None
    for wrong in (lambda: store.flows(since="yesterday"), lambda: store.flows(order="best"),
                  lambda: store.top("colour"), lambda: store.top(by="weight"),
                  lambda: store.top(limit=0), lambda: store.series(step=0.5),
                  lambda: store.series(by="colour")):  # fmt: skip
        with pytest.raises(nta.InvalidArgumentError):
            wrong()


def test_top_names_the_busiest_host(store, flows):
    top = store.top("address", by="bytes", limit=3)
    assert len(top) == 3
    assert top[0]["key"] == "198.51.100.80"
    assert top[0]["bytes"] == 1051283 and top[0]["packets"] == 1552
    assert top[0]["bytes"] >= top[1]["bytes"] >= top[2]["bytes"]
    assert top[0]["sent_bytes"] + top[0]["received_bytes"] == top[0]["bytes"]
    assert top.total["flows"] == len(flows)
    assert top.source in ("rollup", "raw")
    ports = store.top("destination_port", by="flows", where="proto=tcp and src=192.0.2.66")
    assert ports[0]["key"] == "22" and ports[0]["sent_bytes"] is None
    assert [row["key"] for row in store.top("protocol", by="flows")][0] == "tcp"


def test_series_adds_up(store, flows):
    series = store.series(since=SINCE, until=UNTIL, by=None)
    assert series.step == 60 and len(series.times) == 2
    assert series.times[0] == nta.to_nanoseconds(SINCE)
    assert sum(v or 0 for v in series.lines["all"]) == sum(f.wire_bytes for f in flows)
    split = store.series(since=SINCE, until=UNTIL, measure="packets")
    assert {"tcp", "udp", "icmp"} <= set(split.lines)


def test_summary_tells_totals(store, flows):
    summary = store.summary(since=SINCE, until=UNTIL)
    assert summary["flows"] == len(flows)
    assert summary["bytes"] == sum(f.wire_bytes for f in flows)
    assert summary["protocols"][0]["key"] == "tcp"
    assert summary["alerts"] == 0


def test_alerts_come_back_in_their_latest_state(tmp_path, sample):
    with nta.Store.open(tmp_path / "alerts.db") as store:
        pipeline = nta.Pipeline(nta.PcapFileReader(sample), detectors=[nta.PortScanDetector()])
        raised = []
        for batch in pipeline:
            store.write(batch.flows, batch.alerts)
            raised += batch.alerts
        last = {alert.id: alert for alert in raised}
        stored = store.alerts()
        assert {alert.id: alert for alert in stored} == last
        assert len(store.alerts(alert_class="port_scan")) == 1
        assert len(store.alerts(limit=1)) == 1
        assert store.alerts(min_severity="critical", alert_class="host_sweep") == []
        assert store.summary()["alerts"] == len(last)


def test_records_are_written_from_any_iterable(tmp_path):
    with nta.Store.open(tmp_path / "made.db") as store:
        store.write(nta.FlowRecord(first_seen=SINCE, last_seen=SINCE, source_port=i) for i in range(3))
        assert sorted(f.source_port for f in store.flows()) == [0, 1, 2]
        with pytest.raises((TypeError, RuntimeError)):
            store.write([1, 2])
        assert store.delete_before(UNTIL) == 3
        assert len(store.flows()) == 0


def test_file_stays_and_opens_again(tmp_path, flows):
    with nta.Store.open(tmp_path / "nta.db") as store:
        store.write(flows)
    with nta.Store.open(tmp_path / "nta.db") as store:
        assert len(store.flows()) == len(flows)


def test_closed_store_is_refused(tmp_path):
    store = nta.Store.open(tmp_path / "nta.db")
    store.close()
    store.close()
    with pytest.raises(nta.FailedPreconditionError, match="closed"):
        store.flows()


def test_what_is_no_store_is_refused(tmp_path, sample):
    with pytest.raises(nta.DataLossError):
        nta.Store.open(sample)
    with pytest.raises(nta.NotFoundError):
        nta.Store.open(tmp_path / "no" / "such" / "directory" / "nta.db")


def test_threads_share_a_store(tmp_path, flows):
    errors = []
    with nta.Store.open(tmp_path / "shared.db") as store:

        def write():
            try:
                for _ in range(5):
                    store.write(flows)
                    store.top("address")
            except Exception as error:
                errors.append(error)

        threads = [threading.Thread(target=write) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert len(store.flows()) == 15 * len(flows)


@pytest.mark.parametrize("name", ["flows.csv", "flows.jsonl"])
def test_export_and_import_give_the_same_flows(store, flows, tmp_path, name):
    done = []
    path = tmp_path / name
    form = path.suffix[1:]
    assert store.export_flows(path, format=form, progress=done.append) == len(flows)
    assert done and all(0 <= d <= 1 for d in done)
    with nta.Store.open(":memory:") as copy:
        report = copy.import_flows(path, format=form)
        assert report == {"lines": len(flows), "flows": len(flows), "wrong_lines": 0, "errors": [], "hints": []}
        again = tmp_path / ("again" + path.suffix)
        copy.export_flows(again, format=form)
        assert sorted(again.read_text().splitlines()) == sorted(path.read_text().splitlines())
    assert store.export_flows(path, where="proto=udp", format=form) == len(store.flows(where="proto=udp"))


def test_an_import_names_wrong_lines_and_stores_nothing(tmp_path):
    path = tmp_path / "flows.jsonl"
    path.write_text("{}\nnot JSON\n")
    with nta.Store.open(":memory:") as store:
        report = store.import_flows(path, format="jsonl")
        assert (report["flows"], report["wrong_lines"]) == (0, 2)
        assert [line for line, _ in report["errors"]] == [1, 2]
        with pytest.raises(nta.NotFoundError):
            store.import_flows(tmp_path / "missing.csv")
        with pytest.raises(ValueError):
            store.import_flows(path, format="xml")


def test_what_progress_raises_stops_an_export(store, tmp_path):
    def stop(_):
        raise KeyError("enough")

    with pytest.raises(KeyError):
        store.export_flows(tmp_path / "flows.csv", progress=stop)


def test_an_export_that_fails_leaves_what_was_there(store, tmp_path):
    def stop(_):
        raise KeyError("enough")

    path = tmp_path / "out" / "flows.csv"
    path.parent.mkdir()
    with pytest.raises(KeyError):
        store.export_flows(path, progress=stop)
    assert list(path.parent.iterdir()) == []
    path.write_text("of yesterday")
    with pytest.raises(KeyError):
        store.export_flows(path, progress=stop)
    assert path.read_text() == "of yesterday" and list(path.parent.iterdir()) == [path]
    with pytest.raises(nta.Error, match="out2"):
        store.export_flows(tmp_path / "out2" / "flows.csv")
    assert store.export_flows(path) == len(path.read_text().splitlines()) - 1
    link = tmp_path / "link.csv"
    link.symlink_to(path)
    store.export_flows(link, where="bytes<0")
    assert link.is_symlink() and len(path.read_text().splitlines()) == 1


def test_a_store_is_not_made_when_nobody_wants_it_made(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing.db"):
        nta.Store.open(tmp_path / "missing.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_answers_are_columns(store, flows):
    np = pytest.importorskip("numpy")
    top = store.top("address", limit=3)
    columns = top.to_numpy()
    assert list(columns) == ["key", "bytes", "packets", "flows", "sent_bytes", "received_bytes"]
    assert columns["bytes"].dtype == np.uint64 and columns["bytes"].shape == (3,)
    assert [int(b) for b in columns["bytes"]] == [row["bytes"] for row in top]
    assert list(columns["key"]) == [row["key"] for row in top]
    assert not columns["bytes"].flags.writeable
    ports = store.top("destination_port").to_numpy()
    assert (ports["sent_bytes"] == -1).all()
    series = store.series(since="2026-11-22T08:20:00Z", until=UNTIL).to_numpy()
    assert series["time"].dtype == np.dtype("datetime64[ns]") and series["time"].shape == (3,)
    assert series["tcp"][0] == -1 and series["tcp"][1:].sum() == sum(
        f.wire_bytes for f in flows if f.protocol == 6
    )
    pairs = store.conversations(limit=5).to_numpy()
    assert (pairs["bytes"] == pairs["bytes_from_a"] + pairs["bytes_from_b"]).all()
    memory = memoryview(store.summary()["protocols"].columns()["flows"])
    assert memory.readonly and sum(memory) == len(flows)


def test_columns_outlive_their_answer(store):
    pytest.importorskip("numpy")
    column = store.top("address", limit=3).to_numpy()["bytes"]
    assert int(column[0]) == 1051283


def test_conversations_have_both_directions(store, flows):
    answer = store.conversations(by="packets", limit=1000)
    assert answer.source == "raw" and answer.total["flows"] == len(flows)
    assert sum(row["packets"] for row in answer) == sum(f.packets for f in flows)
    row = answer[0]
    between = [f for f in flows if {f.source_address, f.destination_address} == {row["a"], row["b"]}]
    assert row["flows"] == len(between)
    assert row["flows_from_a"] == sum(f.source_address == row["a"] for f in between)
    assert row["bytes_from_a"] == sum(
        f.forward_wire_bytes if f.source_address == row["a"] else f.reverse_wire_bytes for f in between
    )
    few = store.conversations(where="dport=22")
    assert 0 < few.total["flows"] < len(flows)


def test_answers_say_what_was_lost_and_what_is_other(store, flows):
    store.record_capture("2026-11-22T08:21:30Z", packets_seen=100, packets_dropped=9, flows_evicted=2)
    store.record_capture("2026-11-22T08:21:40Z", flows_dropped=1)
    lost = {"packets_seen": 100, "packets_dropped": 9, "flows_evicted": 2, "flows_dropped": 1}
    between = {"since": SINCE, "until": UNTIL}
    for answer in (store.flows(**between), store.top(**between), store.series(**between),
                   store.conversations(**between)):  # fmt: skip
        assert answer.capture == lost
    assert store.summary(**between)["capture"] == lost
    assert store.flows(until=SINCE).capture["packets_seen"] == 0
    assert nta.FlowBatch().capture is None
    ports = store.top("destination_port", limit=1000)
    assert ports.other["flows"] + sum(row["flows"] for row in ports) <= len(flows)
    assert store.top("protocol").other is None


def test_pages_go_on_where_they_ended(store, flows):
    pages = store.flow_pages(order="oldest", page=100)
    first = next(pages)
    assert len(first) == 100 and pages.cursor
    rest = list(store.flow_pages(order="oldest", page=100, cursor=pages.cursor))
    assert len(first) + sum(map(len, rest)) == len(flows)
    assert [f.last_seen for page in [first, *rest] for f in page] == sorted(f.last_seen for f in flows)
    assert list(store.flow_pages(until=SINCE)) == []
    with pytest.raises(nta.InvalidArgumentError):
        next(store.flow_pages(page=10_001))


def test_questions_are_stopped(store):
    with pytest.raises(ZeroDivisionError):
        store.conversations(progress=lambda done: 1 / 0)
    with pytest.raises(nta.DeadlineExceededError):
        store.conversations(timeout=0)
    heard = []
    store.top(where="proto=tcp", progress=heard.append, timeout=10)
    assert heard and all(0 <= done <= 1 for done in heard)


def test_an_export_never_writes_over_its_own_store(store, flows, tmp_path):
    path = tmp_path / "own.db"
    with nta.Store.open(path) as own:
        own.write(flows)
        (tmp_path / "link.csv").symlink_to(path)
        os.link(path, tmp_path / "hard.csv")
        for name in ("own.db", "own.db-wal", "own.db-reserve", "link.csv", "hard.csv", "../" + tmp_path.name + "/own.db"):
            with pytest.raises(nta.InvalidArgumentError, match="belongs to the store"):
                own.export_flows(tmp_path / name)
        assert own.export_flows(tmp_path / "other.csv") == len(flows)
    with nta.Store.open(path) as own:
        assert own.size()["flows"] == len(flows)


def test_flows_go_through_file_descriptors(store, flows, tmp_path):
    with open(tmp_path / "out.csv", "wb") as out:
        out.write(b"")
        assert store.export_flows(out.fileno()) == len(flows)
    with nta.Store.open(":memory:") as copy, open(tmp_path / "out.csv", "rb") as text:
        assert copy.import_flows(text.fileno())["flows"] == len(flows)
    reading, writing = os.pipe()
    os.close(reading)
    try:
        with pytest.raises(BrokenPipeError):
            store.export_flows(writing)
    finally:
        os.close(writing)


def test_an_import_of_nothing_says_so(flows, tmp_path):
    for text in ("", flows.to_csv().splitlines()[0] + "\n"):
        path = tmp_path / "empty.csv"
        path.write_text(text)
        with nta.Store.open(":memory:") as empty:
            report = empty.import_flows(path)
            assert report["flows"] == 0
            assert report["hints"][-1] == "The file has no flows in it: 0 flows were imported."


def test_top_by_server_name_and_vlan(sample):
    with nta.Store.open(":memory:") as store:
        store.write(nta.read_flows(sample, applications=True))
        names = store.top("server_name", by="flows")
        assert names.source == "raw" and len(names) > 0 and names.other["flows"] > 0
        first = names[0]
        assert store.top("protocol", where=f'server_name="{first["key"]}"').total["flows"] == first["flows"]
        assert store.top("vlan").total == names.total


def test_a_summary_of_everything_tells_what_is_kept(store, flows):
    everything = store.summary()
    asked = store.summary(since=SINCE, until=UNTIL)
    assert everything["flows"] == len(flows)
    assert asked["since"] <= everything["since"] < everything["until"] <= asked["until"]


def test_each_kind_is_kept_within_its_bytes(tmp_path, flows):
    with nta.Store.open(tmp_path / "kinds.db") as store:
        store.write(flows)
        usage = store.usage()
        assert usage["flows"]["count"] == len(flows) and usage["flows"]["bytes"] > 0
        assert usage["alerts"] == {"count": 0, "bytes": usage["alerts"]["bytes"]}
        assert usage["incidents"] == {"count": 0, "bytes": 0} and usage["other_bytes"] > 0
        preview = store.preview_retain(flow_bytes=1, max_bytes=1, now="2026-11-22T09:00:00Z")
        assert preview["flows"] == 0 and preview["flows_by_bytes"] > 0 and preview["over_max_bytes"]
        assert {"samples", "incidents", "alerts_by_bytes", "incidents_by_bytes"} <= preview.keys()
        gone = store.retain(flow_bytes=1, alert_bytes=1 << 20, sample_bytes=1 << 20, incident_age=86400)
        assert gone["flows_deleted"] == len(flows) and gone["incidents_deleted"] == 0
        with pytest.raises(nta.InvalidArgumentError):
            store.retain(incident_age=60)


def test_retention_deletes_what_is_old(store, flows):
    kept = store.retain(now="2026-11-22T09:00:00Z")
    assert kept["flows_deleted"] == 0
    gone = store.retain(flow_age=3600, now="2026-11-22T12:00:00Z")
    assert gone["flows_deleted"] == len(flows) and store.size()["flows"] == 0


def test_a_pipeline_fills_a_store(tmp_path, sample, flows):
    with nta.Store.open(tmp_path / "filled.db") as store:
        pipeline = nta.Pipeline(nta.PcapFileReader(sample), detectors=[nta.PortScanDetector()])
        counts = nta.fill_store(store, pipeline)
        assert counts["flows"] == store.size()["flows"] == len(flows)
        assert counts["packets_seen"] == flows.ledger.received and counts["alerts"] > 0
        assert store.summary()["capture"]["packets_seen"] == flows.ledger.received
        assert {alert.alert_class for alert in store.alerts()} >= {"port_scan"}


def test_a_damaged_capture_fills_a_store_up_to_the_damage(tmp_path, sample):
    cut = tmp_path / "cut.pcap"
    content = open(sample, "rb").read()
    cut.write_bytes(content[: len(content) // 2])
    with nta.Store.open(tmp_path / "half.db") as store:
        with pytest.raises(nta.DataLossError):
            nta.fill_store(store, nta.Pipeline(nta.PcapFileReader(cut)))
        assert store.size()["flows"] > 0


def test_an_import_hints_at_what_the_file_lacks(tmp_path, store, flows):
    plain = tmp_path / "plain.csv"
    plain.write_text(flows.to_csv())
    with nta.Store.open(tmp_path / "other.db") as other:
        assert "outcome and tcp_state" in other.import_flows(plain)["hints"][0]
        store.export_flows(tmp_path / "all.csv")
        assert other.import_flows(tmp_path / "all.csv")["hints"] == []
        statistics = ["forward_dscp,community_id"] + ["0,x"] * len(flows)
        lines = zip(plain.read_text().splitlines(), statistics)
        plain.write_text("".join(f"{a},{b}\n" for a, b in lines))
        report = other.import_flows(plain)
        assert report["flows"] == len(flows) and "2 columns" in report["hints"][0]
