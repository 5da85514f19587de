"""store_and_ask.py CAPTURE DATABASE: flows and alerts into a store, then questions to it."""

import sys

import nta

capture, database = sys.argv[1:]
with nta.Store.open(database) as store:
    for batch in nta.Pipeline(nta.PcapFileReader(capture), detectors=[nta.PortScanDetector()]):
        store.write(batch.flows, batch.alerts)

    print("busiest hosts")
    for row in store.top("address", by="bytes", limit=3):
        print(f"{row['bytes']:>12} {row['key']}")

    web = store.flows(where="proto=tcp and dport in (80,443)", order="bytes", limit=3)
    print("largest web flows")
    for flow in web:
        print(f"{flow.wire_bytes:>12} {flow.source_address} -> {flow.destination_address}")

    print("alerts")
    for alert in store.alerts():
        print(f"{alert.severity:>12} {alert}")
