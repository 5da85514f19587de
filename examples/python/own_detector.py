"""own_detector.py FILE: a detector in Python: flows that carry much more one way than the other."""

import sys

import nta


class Upload(nta.Detector):
    name = "upload"

    def __init__(self, min_bytes):
        self.min_bytes = min_bytes

    def observe(self, event):
        flow = event.flow
        if event.type != "ended" or flow.forward_payload_bytes < self.min_bytes:
            return None
        if flow.forward_payload_bytes < 10 * flow.reverse_payload_bytes:
            return None
        return nta.Alert(
            alert_class="exfiltration",
            severity="low",
            source=flow.source_address,
            destination=flow.destination_address,
            observed=flow.forward_payload_bytes,
            unit="bytes",
            summary=f"{flow.source_address} sent {flow.forward_payload_bytes} bytes "
            f"to {flow.destination_address} and got {flow.reverse_payload_bytes}",
        )


pipeline = nta.Pipeline(nta.PcapFileReader(sys.argv[1]), detectors=[Upload(min_bytes=10_000)])
for batch in pipeline:
    for alert in batch.alerts:
        print(alert.to_json())
print(pipeline.stats().ledger, file=sys.stderr)
