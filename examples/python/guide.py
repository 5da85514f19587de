"""The snippets of docs/python.md as one program; day.pcap and cut.pcap are in the working directory."""

import nta

flows = nta.read_flows("day.pcap")
print(len(flows), "flows,", flows.ledger.received, "packets")
for flow in flows[:3]:
    print(flow.source_address, "->", flow.destination_address, flow.wire_bytes)
web = flows.where("proto=tcp and dport in (80,443)")

columns = flows.to_numpy()
total = columns["forward_wire_bytes"].sum() + columns["reverse_wire_bytes"].sum()
lasted = columns["last_seen"] - columns["first_seen"]  # timedelta64[ns]
scans = columns["outcome"] == nta.OUTCOMES.index("refused")
names = nta.format_addresses(columns["source_address"][scans])

with nta.PcapFileReader("day.pcap") as reader:
    pipeline = nta.Pipeline(reader, detectors=[nta.PortScanDetector(min_ports=50)])
    for batch in pipeline:
        for alert in batch.alerts:
            print(alert.severity, alert.state, alert.summary)
print(pipeline.stats().ledger)

class Quiet(nta.Detector):
    def observe(self, event):
        flow = event.flow
        if event.type == "ended" and flow.outcome == "pending":
            return nta.Alert(alert_class="policy", source=flow.source_address, summary="nobody answered")

for batch in nta.Pipeline(nta.PcapFileReader("day.pcap"), detectors=[Quiet()]):
    unanswered = [alert.source for alert in batch.alerts]

rule = nta.RuleDetector("count() > 100 per source_address in 60s where proto=tcp", severity="high")
report = nta.backtest(rule, nta.PcapFileReader("day.pcap"))  # or a store, with since and until
print(report.alerts, "alerts in", report.flows, "flows,", report.by_class)
known = nta.AlertFilter([{"id": "lab", "sources": ["192.0.2.0/24"], "reason": "our own scanner"}])
hidden = [alert.id for alert in known.apply(report.kept) if alert.suppressed_by]

scorer = nta.SeriesScorer()  # EdgeScorer and VectorScorer for contacts and for vectors of features
scores = [scorer.add(minute * 60_000_000_000, value).bits for minute, value in enumerate([10, 12, 11, 90])]

with nta.Store.open("nta.db") as store:
    store.write(flows)
    recent = store.flows(since="2026-11-22T08:00:00Z", where="dst=198.51.100.0/24")
    for row in store.top("source_address", by="bytes", limit=5):
        print(row["key"], row["bytes"])
    series = store.series(since="2026-11-22T08:21:00Z", until="2026-11-22T08:23:00Z", measure="packets")
    tcp = series.to_numpy()["tcp"]  # one number a minute, -1 where nothing was captured
    pairs = store.conversations(by="packets", where="proto=tcp", limit=5).to_numpy()
    print(series.source, series.capture["packets_dropped"], "dropped", pairs["a"][0], pairs["b"][0])

with nta.Store.open("filled.db") as store:
    nta.fill_store(store, nta.Pipeline(nta.PcapFileReader("day.pcap"), detectors=nta.default_detectors()))
    for page in store.flow_pages(where="dport=443", page=1000):
        largest = page.to_numpy()["forward_wire_bytes"].max()

packet = nta.decode(bytes.fromhex("4500001c00000000401100000a0000010a00003514e900350008") + b"\0\0", "raw")
assert (packet.source_address, packet.destination_port) == ("10.0.0.1", 53)
with nta.PcapFileWriter("few.pcap") as writer:
    for packet in nta.PcapFileReader("day.pcap"):
        if packet.wire_bytes > 1000:
            writer.write(packet)

reader = nta.PcapFileReader("day.pcap")
with nta.PcapngFileWriter("marked.pcapng.zst", interfaces=reader.interfaces(), compression="zstd") as writer:
    for packet in reader:
        if nta.decode(packet).destination_port == 53:
            packet.comment = "a question"
        writer.write(packet)

both = nta.MultiSource([nta.PcapFileReader("day.pcap"), nta.PcapFileReader("marked.pcapng.zst")])
for batch in nta.Pipeline(both):
    stats = both.stats()
    print(f"{stats.bytes_read / stats.bytes_total:.0%}")

try:
    flows = nta.read_flows("cut.pcap")
except nta.DataLossError as error:
    flows = error.flows  # everything before the damage
