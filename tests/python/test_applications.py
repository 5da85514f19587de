"""What flows carry and by what addresses are known, through a store: tops, series, names, filters, CSV."""

import csv
import io
import json

import pytest

import nta

HOSTILE = [
    "<script>alert(1)</script>", "=cmd|\' /C calc\'!A0", "a\r\nb: c", "nul\0.example", "x" * 65536, "\U0001f600.example",
    "gro.elpmaxe\u202emoc.knab\u2066", "\x1b[31mred", "c1\x85\x9b.example",
]  # fmt: skip


def flow(name="", application="tls", evidence="payload", category="video", **more):
    metadata = {"destination_name": name} if name else {}
    metadata.update(more.pop("fingerprints", {}))
    return nta.FlowRecord(
        first_seen="2026-11-22T08:00:00Z", last_seen="2026-11-22T08:00:10Z", protocol=6,
        source_address="10.0.0.1", source_port=50000, destination_address="192.0.2.1", destination_port=443,
        forward_packets=1, forward_wire_bytes=100, application=application, evidence=evidence,
        category=category, metadata=metadata, **more,
    )  # fmt: skip


@pytest.fixture
def store():
    with nta.Store.open(":memory:") as opened:
        yield opened


def test_top_category_and_series_by_application_say_what_is_guessed(store):
    store.write([flow(), flow(evidence="port"), flow(application="unknown", category="unknown", evidence="none")])
    top = store.top("category", by="flows")
    assert [(row["key"], row["flows"], row["guessed_flows"]) for row in top] == [("video", 2, 1)]
    assert top.source == "rollup" and top.other["flows"] == 1
    assert "guessed_flows" not in store.top("address")[0]
    series = store.series(by="application", measure="flows")
    assert series.lines == {"tls": [2], "unknown": [1]}
    assert series.guessed == {"tls": [1]}
    with pytest.raises(ValueError, match="application"):
        store.series(by="colour")


def test_names_tell_since_when_they_were_known(store):
    store.write([flow("www.example.org")])
    names = store.names(["192.0.2.1", "10.0.0.1"])
    assert names["10.0.0.1"] == []
    assert [(n["name"], n["origin"]) for n in names["192.0.2.1"]] == [("www.example.org", "known_as")]
    assert names["192.0.2.1"][0]["last_seen"] - names["192.0.2.1"][0]["first_seen"] == 10_000_000_000
    with pytest.raises(ValueError):
        store.names([])


def test_filters_by_name_and_evidence(store):
    store.write([flow("www.example.org"), flow(evidence="port")])
    assert len(store.flows(where="name=*.example.org")) == 1
    assert len(store.flows(where="evidence=port")) == 1
    assert len(store.flows(where="category=video and evidence!=port")) == 1


@pytest.mark.parametrize("field", ["ja3", "ja3s", "ja4", "hassh", "hassh_server"])
def test_filters_by_fingerprint(store, tmp_path, field):
    store.write([flow(fingerprints={field: "t13d1516h2_8daaf6152771_b186095e22b6"}), flow()])
    assert len(store.flows(where=f"{field}=T13D*_b186095e22b6")) == 1
    assert len(store.flows(where=f"{field}!=t13d*")) == 1
    assert store.top("application", where=f"{field}=*").total["flows"] == 1
    with pytest.raises(ValueError, match="has no order"):
        store.flows(where=f"{field}<t13")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_texts_at_every_door(store, name):
    batch = nta.FlowBatch([flow(name)])
    store.write(batch)
    (known,) = store.names(["192.0.2.1"])["192.0.2.1"]
    kept = known["name"]
    assert len(kept.encode()) <= 1024
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u202a\u202e\u2066\u2069" for c in kept)
    assert store.flows()[0].metadata["destination_name"] == kept
    assert json.loads(batch.to_json_lines())["metadata"]["destination_name"] == kept
    (row,) = csv.DictReader(io.StringIO(batch.to_csv()))
    assert row["application"] == "tls"
