"""Network traffic analysis: packets to flows, alerts and columns.

    import nta

    flows = nta.read_flows("day.pcap")
    flows.to_numpy()["forward_wire_bytes"].sum()

    for batch in nta.Pipeline(nta.LiveCapture("eth0"), detectors=[nta.PortScanDetector()]):
        for alert in batch.alerts:
            print(alert)

Times are integer nanoseconds since 1970-01-01 UTC, durations are seconds as float, addresses are
str in RFC 5952 form.
"""

from ._errors import (
    AlreadyExistsError,
    DataLossError,
    DeadlineExceededError,
    Error,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    OutOfRangeError,
    PermissionDeniedError,
    ResourceExhaustedError,
    UnavailableError,
    UnimplementedError,
)
from ._interfaces import Detector, PacketSource
from ._nta import (
    END_REASONS,
    OUTCOMES,
    Alert,
    ArpHeader,
    Batch,
    CaptureStats,
    Column,
    DecodedPacket,
    FiveTuple,
    FlowBatch,
    FlowEvent,
    FlowFilter,
    FlowRecord,
    FlowTableStats,
    FragmentStats,
    Interface,
    LiveCapture,
    MemorySource,
    Packet,
    PacketLedger,
    PcapFileReader,
    PcapFileWriter,
    Pipeline,
    PipelineStats,
    PortScanDetector,
    Store,
    __version__,
    decode,
    format_addresses,
    format_timestamp,
    list_interfaces,
    pack_address,
    protocol_name,
    read_flows,
)
from ._results import SeriesResult, TopResult
from ._time import TimeLike, to_datetime, to_nanoseconds

__all__ = [
    "END_REASONS",
    "OUTCOMES",
    "Alert",
    "AlreadyExistsError",
    "ArpHeader",
    "Batch",
    "CaptureStats",
    "Column",
    "DataLossError",
    "DeadlineExceededError",
    "DecodedPacket",
    "Detector",
    "Error",
    "FailedPreconditionError",
    "FiveTuple",
    "FlowBatch",
    "FlowEvent",
    "FlowFilter",
    "FlowRecord",
    "FlowTableStats",
    "FragmentStats",
    "Interface",
    "InvalidArgumentError",
    "LiveCapture",
    "MemorySource",
    "NotFoundError",
    "OutOfRangeError",
    "Packet",
    "PacketLedger",
    "PacketSource",
    "PcapFileReader",
    "PcapFileWriter",
    "PermissionDeniedError",
    "Pipeline",
    "PipelineStats",
    "PortScanDetector",
    "ResourceExhaustedError",
    "SeriesResult",
    "Store",
    "TimeLike",
    "TopResult",
    "UnavailableError",
    "UnimplementedError",
    "__version__",
    "decode",
    "format_addresses",
    "format_timestamp",
    "list_interfaces",
    "pack_address",
    "protocol_name",
    "read_flows",
    "to_datetime",
    "to_nanoseconds",
]
