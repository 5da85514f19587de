"""find_scans.py FILE | --interface NAME: port scans and host sweeps as they are found."""

import sys

import nta

source = (
    nta.LiveCapture(sys.argv[2]) if sys.argv[1] == "--interface" else nta.PcapFileReader(sys.argv[1])
)
with source:
    for batch in nta.Pipeline(source, detectors=[nta.PortScanDetector()]):
        for alert in batch.alerts:
            print(alert.datetime.isoformat(), alert.severity, alert.state, alert.summary)
