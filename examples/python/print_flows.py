import sys

import nta

flows = nta.read_flows(sys.argv[1])
columns = flows.to_numpy()  # views of the C++ columns, no object per flow
print(len(flows), "flows,", columns["forward_wire_bytes"].sum(), "bytes from their sources")
for flow in flows.where("proto=tcp and dport in (80,443)")[:5]:
    print(flow.source_address, "->", flow.destination_address, flow.wire_bytes, "bytes")

for batch in nta.Pipeline(nta.PcapFileReader(sys.argv[1]), detectors=[nta.PortScanDetector()]):
    for alert in batch.alerts:
        print(alert.severity, alert.summary)
