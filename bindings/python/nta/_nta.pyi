import builtins
import datetime
import ipaddress
import os
from typing import Any, Callable, Callable, Iterable, Iterator, List, Mapping, Optional, Sequence, Union, overload

import numpy as np
from typing_extensions import Buffer

from ._interfaces import Detector, PacketSource
from ._results import ConversationResult, SeriesResult, TopResult
from ._time import TimeLike

_Path = Union[str, bytes, os.PathLike[str], os.PathLike[bytes]]
_Address = Union[str, ipaddress.IPv4Address, ipaddress.IPv6Address]
_Where = Union[None, str, FlowFilter]
_Evidence = Union[int, float, str, list[str]]

__version__: str
OUTCOMES: tuple[str, ...]
END_REASONS: tuple[str, ...]
TCP_STATES: tuple[str, ...]
APPLICATIONS: tuple[str, ...]
CATEGORIES: tuple[str, ...]
EVIDENCES: tuple[str, ...]

def parse_timestamp(text: str) -> int: ...
def format_timestamp(time: TimeLike) -> str: ...
def protocol_name(protocol: int) -> str: ...
def pack_address(address: _Address) -> bytes: ...
def format_addresses(column: Buffer) -> list[str]: ...
def list_interfaces() -> list[Interface]: ...
def list_timestamp_sources(interface: str) -> list[str]: ...
def read_flows(
    path: Union[_Path, Sequence[_Path]],
    *,
    idle_timeout: float = ...,
    active_timeout: float = ...,
    closed_timeout: float = ...,
    max_flows: int = ...,
    max_memory_bytes: int = ...,
    view: str = ...,
    defragment: bool = ...,
    statistics: bool = ...,
    first_packets: int = ...,
    entropy_bytes: int = ...,
    where: _Where = ...,
    applications: bool = ...,
) -> FlowBatch: ...
@overload
def decode(packet: Packet, *, view: str = ..., max_headers: int = ...) -> DecodedPacket: ...
@overload
def decode(
    data: Buffer,
    link_type: Union[str, int] = ...,
    *,
    time: TimeLike = ...,
    wire_bytes: Optional[int] = ...,
    view: str = ...,
    max_headers: int = ...,
) -> DecodedPacket: ...

class Packet:
    def __init__(
        self,
        data: Buffer,
        time: TimeLike,
        link_type: Union[str, int] = ...,
        wire_bytes: Optional[int] = ...,
        interface_id: int = ...,
    ) -> None: ...
    @property
    def data(self) -> bytes: ...
    @property
    def time(self) -> int: ...
    @property
    def datetime(self) -> datetime.datetime: ...
    @property
    def link_type(self) -> str: ...
    @property
    def wire_bytes(self) -> int: ...
    @property
    def captured_bytes(self) -> int: ...
    @property
    def interface_id(self) -> int: ...
    comment: Optional[str]
    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...

class FiveTuple:
    @property
    def source_address(self) -> str: ...
    @property
    def source_port(self) -> int: ...
    @property
    def destination_address(self) -> str: ...
    @property
    def destination_port(self) -> int: ...
    @property
    def protocol(self) -> int: ...
    def to_dict(self) -> dict[str, Any]: ...

class ArpHeader:
    @property
    def operation(self) -> int: ...
    @property
    def sender_mac(self) -> str: ...
    @property
    def sender(self) -> str: ...
    @property
    def target_mac(self) -> str: ...
    @property
    def target(self) -> str: ...
    def to_dict(self) -> dict[str, Any]: ...

class DecodedPacket:
    @property
    def time(self) -> int: ...
    @property
    def wire_bytes(self) -> int: ...
    @property
    def captured_bytes(self) -> int: ...
    @property
    def interface_id(self) -> int: ...
    @property
    def outcome(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def truncated(self) -> bool: ...
    @property
    def source_mac(self) -> Optional[str]: ...
    @property
    def destination_mac(self) -> Optional[str]: ...
    @property
    def ether_type(self) -> Optional[int]: ...
    @property
    def vlan(self) -> Optional[int]: ...
    @property
    def tunnels(self) -> tuple[str, ...]: ...
    @property
    def ip_version(self) -> Optional[int]: ...
    @property
    def protocol(self) -> Optional[int]: ...
    @property
    def hop_limit(self) -> Optional[int]: ...
    @property
    def traffic_class(self) -> Optional[int]: ...
    @property
    def ip_bytes(self) -> Optional[int]: ...
    @property
    def source_address(self) -> Optional[str]: ...
    @property
    def destination_address(self) -> Optional[str]: ...
    @property
    def is_fragment(self) -> bool: ...
    @property
    def is_later_fragment(self) -> bool: ...
    @property
    def more_fragments(self) -> bool: ...
    @property
    def fragment_id(self) -> Optional[int]: ...
    @property
    def fragment_offset(self) -> Optional[int]: ...
    @property
    def source_port(self) -> Optional[int]: ...
    @property
    def destination_port(self) -> Optional[int]: ...
    @property
    def tcp_flags(self) -> Optional[int]: ...
    @property
    def tcp_window(self) -> Optional[int]: ...
    @property
    def tcp_sequence(self) -> Optional[int]: ...
    @property
    def tcp_acknowledgment(self) -> Optional[int]: ...
    @property
    def icmp_type(self) -> Optional[int]: ...
    @property
    def icmp_code(self) -> Optional[int]: ...
    @property
    def payload_bytes(self) -> int: ...
    @property
    def payload(self) -> bytes: ...
    @property
    def quoted(self) -> Optional[FiveTuple]: ...
    @property
    def arp(self) -> Optional[ArpHeader]: ...
    def to_dict(self) -> dict[str, Any]: ...

class CaptureStats:
    @property
    def received(self) -> int: ...
    @property
    def received_bytes(self) -> int: ...
    @property
    def filtered(self) -> int: ...
    @property
    def dropped_buffer(self) -> int: ...
    @property
    def dropped_interface(self) -> int: ...
    @property
    def bytes_read(self) -> int: ...
    @property
    def bytes_total(self) -> int: ...
    @property
    def outages(self) -> int: ...
    @property
    def outage_time(self) -> float: ...
    def to_dict(self) -> dict[str, Any]: ...

class _NativeSource:
    def read(self) -> Optional[list[Packet]]: ...
    def __iter__(self) -> Iterator[Packet]: ...
    def close(self) -> None: ...
    def stats(self) -> CaptureStats: ...
    def interfaces(self) -> list[CaptureInterface]: ...
    @property
    def is_live(self) -> bool: ...
    @property
    def name(self) -> str: ...
    def __exit__(self, *exception: object) -> None: ...

class PcapFileReader(_NativeSource):
    def __init__(
        self,
        path: _Path,
        *,
        max_compression_ratio: Optional[int] = ...,
        max_decompressed_bytes: Optional[int] = ...,
    ) -> None: ...
    def __enter__(self) -> PcapFileReader: ...

class LiveCapture(_NativeSource):
    def __init__(
        self,
        interface: str,
        *,
        filter: str = ...,
        snap_length: Optional[int] = ...,
        ring_bytes: int = ...,
        delivery: str = ...,
        scope: str = ...,
        timeout: float = ...,
        timestamps: str = ...,
        outage: str = ...,
    ) -> None: ...
    def __enter__(self) -> LiveCapture: ...

class MultiSource(_NativeSource):
    def __init__(
        self,
        sources: Sequence[_NativeSource],
        *,
        timeout: float = ...,
        reorder_window: float = ...,
    ) -> None: ...
    def __enter__(self) -> MultiSource: ...
    @property
    def sources(self) -> list[_NativeSource]: ...
    def member_stats(self) -> list[CaptureStats]: ...

class MemorySource(_NativeSource):
    def __init__(
        self, *, name: str = ..., capacity_bytes: int = ..., timeout: float = ...
    ) -> None: ...
    def __enter__(self) -> MemorySource: ...
    @overload
    def push(self, packet: Packet) -> bool: ...
    @overload
    def push(
        self,
        data: Buffer,
        time: TimeLike,
        link_type: Union[str, int] = ...,
        wire_bytes: Optional[int] = ...,
    ) -> bool: ...

class PcapFileWriter:
    def __init__(
        self,
        path: _Path,
        *,
        link_type: Union[str, int] = ...,
        snap_length: int = ...,
        compression: str = ...,
        compression_level: Optional[int] = ...,
    ) -> None: ...
    @overload
    def write(self, packet: Packet) -> None: ...
    @overload
    def write(self, data: Buffer, time: TimeLike, wire_bytes: Optional[int] = ...) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> PcapFileWriter: ...
    def __exit__(self, *exception: object) -> None: ...

class PcapngFileWriter:
    def __init__(
        self,
        path: _Path,
        *,
        interfaces: Sequence[CaptureInterface] = ...,
        application: str = ...,
        compression: str = ...,
        compression_level: Optional[int] = ...,
    ) -> None: ...
    def add_interface(self, interface: CaptureInterface) -> int: ...
    def write(self, packet: Packet, comment: Optional[str] = ...) -> None: ...
    def set_drops(self, interface_id: int, stats: CaptureStats) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> PcapngFileWriter: ...
    def __exit__(self, *exception: object) -> None: ...

class CaptureInterface:
    def __init__(
        self,
        name: str = ...,
        description: str = ...,
        link_type: Union[str, int] = ...,
        snap_length: Optional[int] = ...,
    ) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def link_type(self) -> str: ...
    @property
    def snap_length(self) -> Optional[int]: ...
    @property
    def ticks_per_second(self) -> int: ...
    def to_dict(self) -> dict[str, Any]: ...

class Interface:
    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def addresses(self) -> list[str]: ...
    @property
    def is_up(self) -> bool: ...
    @property
    def is_loopback(self) -> bool: ...
    def to_dict(self) -> dict[str, Any]: ...

class FlowRecord:
    def __init__(
        self,
        *,
        first_seen: TimeLike = ...,
        last_seen: TimeLike = ...,
        protocol: int = ...,
        source_address: _Address = ...,
        source_port: int = ...,
        destination_address: _Address = ...,
        destination_port: int = ...,
        vlan: Optional[int] = ...,
        forward_packets: int = ...,
        forward_wire_bytes: int = ...,
        forward_ip_bytes: int = ...,
        forward_payload_bytes: int = ...,
        reverse_packets: int = ...,
        reverse_wire_bytes: int = ...,
        reverse_ip_bytes: int = ...,
        reverse_payload_bytes: int = ...,
        forward_tcp_flags: int = ...,
        reverse_tcp_flags: int = ...,
        outcome: str = ...,
        end_reason: str = ...,
        tcp_state: str = ...,
        icmp_type: Optional[int] = ...,
        icmp_code: Optional[int] = ...,
        application: str = ...,
        category: str = ...,
        evidence: str = ...,
        metadata: dict[str, str] = ...,
    ) -> None: ...
    first_seen: int
    last_seen: int
    protocol: int
    source_address: str
    source_port: int
    destination_address: str
    destination_port: int
    vlan: Optional[int]
    forward_packets: int
    forward_wire_bytes: int
    forward_ip_bytes: int
    forward_payload_bytes: int
    reverse_packets: int
    reverse_wire_bytes: int
    reverse_ip_bytes: int
    reverse_payload_bytes: int
    forward_tcp_flags: int
    reverse_tcp_flags: int
    outcome: str
    end_reason: str
    tcp_state: str
    icmp_type: Optional[int]
    icmp_code: Optional[int]
    application: str
    category: str
    evidence: str
    metadata: dict[str, str]
    @property
    def statistics(self) -> Optional[dict[str, Any]]: ...
    @property
    def community_id(self) -> str: ...
    @property
    def ip_version(self) -> int: ...
    @property
    def protocol_name(self) -> str: ...
    @property
    def packets(self) -> int: ...
    @property
    def wire_bytes(self) -> int: ...
    @property
    def duration(self) -> float: ...
    @property
    def first_seen_datetime(self) -> datetime.datetime: ...
    @property
    def last_seen_datetime(self) -> datetime.datetime: ...
    @property
    def source_ip(self) -> Union[ipaddress.IPv4Address, ipaddress.IPv6Address]: ...
    @property
    def destination_ip(self) -> Union[ipaddress.IPv4Address, ipaddress.IPv6Address]: ...
    def to_dict(self) -> dict[str, Any]: ...

class FlowEvent:
    @property
    def type(self) -> str: ...
    @property
    def time(self) -> int: ...
    @property
    def flow(self) -> FlowRecord: ...
    def to_dict(self) -> dict[str, Any]: ...

class FlowFilter:
    def __init__(self, text: _Where = ...) -> None: ...
    def matches(self, flow: FlowRecord) -> bool: ...

class FlowTableStats:
    @property
    def packets(self) -> int: ...
    @property
    def ignored(self) -> int: ...
    @property
    def started(self) -> int: ...
    @property
    def ended(self) -> int: ...
    @property
    def ended_idle(self) -> int: ...
    @property
    def ended_active(self) -> int: ...
    @property
    def ended_tcp(self) -> int: ...
    @property
    def ended_forced(self) -> int: ...
    @property
    def evicted(self) -> int: ...
    @property
    def evicted_answered(self) -> int: ...
    @property
    def time_backwards(self) -> int: ...
    @property
    def active(self) -> int: ...
    @property
    def capacity(self) -> int: ...
    @property
    def memory_bytes(self) -> int: ...
    def to_dict(self) -> dict[str, Any]: ...

class FragmentStats:
    @property
    def first_fragments(self) -> int: ...
    @property
    def attributed(self) -> int: ...
    @property
    def unattributed(self) -> int: ...
    @property
    def evicted(self) -> int: ...
    def to_dict(self) -> dict[str, Any]: ...

class PacketLedger:
    @property
    def received(self) -> int: ...
    @property
    def decoded(self) -> int: ...
    @property
    def malformed(self) -> int: ...
    @property
    def unsupported(self) -> int: ...
    @property
    def filtered(self) -> int: ...
    @property
    def dropped(self) -> int: ...
    def balances(self) -> bool: ...
    def to_dict(self) -> dict[str, Any]: ...

class PipelineStats:
    @property
    def ledger(self) -> PacketLedger: ...
    @property
    def capture(self) -> CaptureStats: ...
    @property
    def flow_table(self) -> FlowTableStats: ...
    @property
    def fragments(self) -> FragmentStats: ...
    @property
    def alerts(self) -> int: ...
    @property
    def decode_reasons(self) -> dict[str, int]: ...
    @property
    def unsupported(self) -> dict[str, int]: ...
    def to_dict(self) -> dict[str, Any]: ...

class Alert:
    def __init__(
        self,
        *,
        id: str = ...,
        time: TimeLike = ...,
        detector: str = ...,
        alert_class: str = ...,
        severity: str = ...,
        score: float = ...,
        observed: float = ...,
        expected: float = ...,
        unit: str = ...,
        source: Optional[_Address] = ...,
        destination: Optional[_Address] = ...,
        service: Optional[str] = ...,
        window_seconds: float = ...,
        evidence: Mapping[str, _Evidence] = ...,
        technique: str = ...,
        state: str = ...,
        count: int = ...,
        summary: str = ...,
        confidence: float = ...,
        band_low: Optional[float] = ...,
        band_high: Optional[float] = ...,
        first_seen: TimeLike = ...,
        last_seen: TimeLike = ...,
        peers: Sequence[tuple[str, float]] = ...,
        advice: str = ...,
        suppressed_by: str = ...,
    ) -> None: ...
    id: str
    time: int
    detector: str
    alert_class: str
    severity: str
    score: float
    observed: float
    expected: float
    unit: str
    source: Optional[str]
    destination: Optional[str]
    service: Optional[str]
    window_seconds: float
    evidence: dict[str, _Evidence]
    technique: str
    state: str
    count: int
    summary: str
    confidence: float
    band_low: Optional[float]
    band_high: Optional[float]
    first_seen: int
    last_seen: int
    peers: list[tuple[str, float]]
    advice: str
    suppressed_by: str
    @property
    def datetime(self) -> datetime.datetime: ...
    def to_dict(self) -> dict[str, Any]: ...
    def to_json(self) -> str: ...

class _NativeDetector:
    @property
    def name(self) -> str: ...
    @property
    def memory_bytes(self) -> int: ...
    @property
    def memory_limit_bytes(self) -> int: ...
    @property
    def evictions(self) -> int: ...
    def save(self) -> bytes: ...
    def load(self, state: bytes) -> None: ...

class PortScanDetector(_NativeDetector):
    def __init__(
        self,
        *,
        benign_success: float = ...,
        scanner_success: float = ...,
        false_positive_rate: float = ...,
        detection_rate: float = ...,
        min_ports: int = ...,
        min_hosts: int = ...,
        min_pinged_hosts: int = ...,
        window: float = ...,
        answer_timeout: float = ...,
        quiet_close: float = ...,
        max_sources: int = ...,
        max_pending: int = ...,
        max_contacts: int = ...,
        max_alerts_per_hour: int = ...,
        reopen_within: float = ...,
        sensitivity: str = ...,
        hash_seed: Optional[int] = ...,
    ) -> None: ...

class FloodDetector(_NativeDetector):
    def __init__(
        self,
        *,
        min_syn_rate: float = ...,
        min_udp_rate: float = ...,
        min_icmp_rate: float = ...,
        min_amplification_rate: float = ...,
        min_crowd_rate: float = ...,
        alerts_per_day: float = ...,
        max_destinations: int = ...,
        max_prefixes: int = ...,
        max_alerts_per_hour: int = ...,
        reopen_within: float = ...,
        sensitivity: str = ...,
        hash_seed: Optional[int] = ...,
    ) -> None: ...

class BruteForceDetector(_NativeDetector):
    def __init__(
        self,
        *,
        min_failures: int = ...,
        min_web_failures: int = ...,
        forgive_one: float = ...,
        min_spray_failures: int = ...,
        min_spray_hosts: int = ...,
        min_distributed_failures: int = ...,
        min_distributed_sources: int = ...,
        failures_before_success: int = ...,
        max_entries: int = ...,
        max_alerts_per_hour: int = ...,
        reopen_within: float = ...,
        sensitivity: str = ...,
    ) -> None: ...

class ArpSpoofDetector(_NativeDetector):
    def __init__(
        self,
        *,
        contested_within: float = ...,
        min_silent_targets: int = ...,
        forgive_one: float = ...,
        answer_timeout: float = ...,
        max_addresses: int = ...,
        max_alerts_per_hour: int = ...,
        reopen_within: float = ...,
        sensitivity: str = ...,
    ) -> None: ...

class DhcpDetector(_NativeDetector):
    def __init__(
        self,
        *,
        min_messages: int = ...,
        learn_servers: float = ...,
        max_servers: int = ...,
        max_alerts_per_hour: int = ...,
        reopen_within: float = ...,
        sensitivity: str = ...,
    ) -> None: ...

class PolicyDetector(_NativeDetector):
    def __init__(
        self,
        *,
        local_networks: Iterable[str] = ...,
        internal_tcp_ports: Iterable[int] = ...,
        internal_udp_ports: Iterable[int] = ...,
        allowed_sources: Iterable[str] = ...,
        block_lists: Iterable[str] = ...,
        blocked: Iterable[str] = ...,
        reload_every: float = ...,
        max_block_entries: int = ...,
        hold: float = ...,
        max_alerts_per_hour: int = ...,
        reopen_within: float = ...,
        sensitivity: str = ...,
    ) -> None: ...

def default_detectors(
    *,
    disabled: set[str] = ...,
    block_lists: Sequence[str] = ...,
    settings: Mapping[str, Mapping[str, Any]] = ...,
) -> list[_NativeDetector]: ...
def detector_catalogue() -> list[dict[str, Any]]: ...
def default_detector_names() -> list[str]: ...

class BeaconDetector(_NativeDetector):
    def __init__(
        self,
        *,
        min_calls: int = ...,
        min_pause: float = ...,
        max_pause: float = ...,
        min_span: float = ...,
        min_score: float = ...,
        min_bits: float = ...,
        max_prevalence: float = ...,
        allowed_ports: Iterable[int] = ...,
        allowed_domains: Iterable[str] = ...,
        max_pairs: int = ...,
        max_destinations: int = ...,
        max_alerts_per_hour: int = ...,
        reopen_within: float = ...,
        sensitivity: str = ...,
    ) -> None: ...

class DnsTunnelDetector(_NativeDetector):
    def __init__(
        self,
        *,
        min_names: int = ...,
        min_bytes: int = ...,
        min_score: float = ...,
        window: float = ...,
        quiet_close: float = ...,
        allowed_domains: Iterable[str] = ...,
        max_pairs: int = ...,
        max_alerts_per_hour: int = ...,
        reopen_within: float = ...,
        sensitivity: str = ...,
    ) -> None: ...

class ExfiltrationDetector(_NativeDetector):
    def __init__(
        self,
        *,
        min_bytes: int = ...,
        min_ratio: float = ...,
        min_growth: float = ...,
        newcomer: float = ...,
        max_pairs: int = ...,
        max_hosts: int = ...,
        alerts_per_day: float = ...,
        min_bits: float = ...,
        max_alerts_per_hour: int = ...,
        reopen_within: float = ...,
        sensitivity: str = ...,
    ) -> None: ...

class RarePeerDetector(_NativeDetector):
    def __init__(
        self,
        *,
        warm_up: float = ...,
        min_contacts: int = ...,
        memory: float = ...,
        max_contacts: int = ...,
        generation: float = ...,
        max_sources: int = ...,
        quiet_close: float = ...,
        alerts_per_day: float = ...,
        min_bits: float = ...,
        max_alerts_per_hour: int = ...,
        reopen_within: float = ...,
        sensitivity: str = ...,
    ) -> None: ...

class BaselineDetector(_NativeDetector):
    def __init__(
        self,
        *,
        interface_bin: float = ...,
        host_bin: float = ...,
        max_delay: float = ...,
        warm_up: float = ...,
        regime_change: float = ...,
        max_interfaces: int = ...,
        max_hosts: int = ...,
        max_services: int = ...,
        alerts_per_day: float = ...,
        min_bits: float = ...,
        max_alerts_per_hour: int = ...,
        reopen_within: float = ...,
        sensitivity: str = ...,
    ) -> None: ...

class FlowAnomalyDetector(_NativeDetector):
    def __init__(
        self,
        *,
        loda: bool = ...,
        half_space_trees: bool = ...,
        autoencoders: bool = ...,
        warm_up_flows: int = ...,
        warm_up: float = ...,
        window: float = ...,
        min_flows: int = ...,
        unusual_bits: float = ...,
        max_sources: int = ...,
        quiet_close: float = ...,
        alerts_per_day: float = ...,
        min_bits: float = ...,
        max_alerts_per_hour: int = ...,
        reopen_within: float = ...,
        sensitivity: str = ...,
        models: Iterable[Any] = ...,
    ) -> None: ...

class SeriesScore:
    @property
    def score(self) -> float: ...
    @property
    def bits(self) -> float: ...
    @property
    def expected(self) -> float: ...
    @property
    def band_low(self) -> float: ...
    @property
    def band_high(self) -> float: ...
    @property
    def aspect(self) -> str: ...
    @property
    def is_warm(self) -> bool: ...

class SeriesScorer:
    def __init__(
        self,
        *,
        detail: str = ...,
        refractory: float = ...,
        refractory_bits: float = ...,
        surprise_bits: float = ...,
        range_bits: float = ...,
        warm_up: int = ...,
        gate_bits: float = ...,
        regime_change: float = ...,
    ) -> None: ...
    def add(self, time: TimeLike, value: float) -> SeriesScore: ...
    def expected(self, time: TimeLike) -> float: ...
    @property
    def memory_bytes(self) -> int: ...
    def save(self) -> bytes: ...
    def load(self, state: bytes) -> None: ...

class EdgeScorer:
    def __init__(
        self,
        *,
        width: int = ...,
        decay: float = ...,
        merge_threshold: float = ...,
        horizon: int = ...,
        hash_seed: int = ...,
    ) -> None: ...
    def add(self, source: int, destination: int, tick: int) -> float: ...
    @property
    def memory_bytes(self) -> int: ...
    def save(self) -> bytes: ...
    def load(self, state: bytes) -> None: ...

class VectorScore:
    @property
    def bits(self) -> float: ...
    @property
    def is_warm(self) -> bool: ...
    @property
    def is_learnt(self) -> bool: ...

class VectorScorer:
    def __init__(
        self,
        *,
        dimensions: int,
        models: Iterable[Any] = ...,
        loda: bool = ...,
        half_space_trees: bool = ...,
        autoencoders: bool = ...,
        warm_up: int = ...,
        gate_bits: float = ...,
        quarantine_time: float = ...,
        max_quarantined: int = ...,
        window: int = ...,
        source_share: float = ...,
        target_share: float = ...,
        free_duplicates: int = ...,
        seed: int = ...,
    ) -> None: ...
    def add(
        self,
        features: Sequence[float],
        source: int = 0,
        time: Optional[TimeLike] = None,
        target: int = 0,
    ) -> VectorScore: ...
    def score(self, features: Sequence[float]) -> VectorScore: ...
    def explain(self, features: Sequence[float]) -> list[tuple[int, float]]: ...
    def reject(self, source: int) -> None: ...
    def freeze(self, frozen: bool = True) -> None: ...
    @property
    def quarantined(self) -> int: ...
    @property
    def memory_bytes(self) -> int: ...
    def save(self) -> bytes: ...
    def load(self, state: bytes) -> None: ...

def dns_tunnel_score(name: str) -> float: ...
def beacon_score(
    intervals: Sequence[float], sizes: Sequence[float] = ...
) -> dict[str, float]: ...
def flow_feature_names() -> list[str]: ...

class RuleDetector(_NativeDetector):
    def __init__(
        self,
        expression: str,
        *,
        id: str = ...,
        title: str = ...,
        severity: str = ...,
        close_below: float = ...,
        hold: float = ...,
    ) -> None: ...
    @property
    def expression(self) -> str: ...
    @property
    def title(self) -> str: ...

def check_rule(expression: str) -> dict[str, Any]: ...

class AlertFilter:
    def __init__(self, suppressions: Iterable[dict[str, Any]]) -> None: ...
    def apply(self, alerts: Iterable[Alert]) -> list[Alert]: ...
    def replace(self, suppressions: Iterable[dict[str, Any]]) -> None: ...
    @property
    def counts(self) -> dict[str, dict[str, Any]]: ...

class BacktestReport:
    flows: int
    packets: int
    late_flows: int
    since: int
    until: int
    days: float
    span_seconds: float
    covers_a_day: bool
    alerts: int
    hidden: int
    alerts_per_day: float
    by_class: dict[str, int]
    by_severity: dict[str, int]
    by_detector: dict[str, int]
    by_day: dict[str, int]
    kept: list[Alert]
    def score_for(self, wanted_per_day: float) -> float: ...
    def notes(self) -> list[str]: ...
    def compare(self, after: BacktestReport) -> dict[str, Any]: ...
    def to_dict(self) -> dict[str, Any]: ...

def backtest(
    detector: Any,
    source: Any,
    *,
    since: Any = ...,
    until: Any = ...,
    suppressions: Iterable[dict[str, Any]] = ...,
    max_alerts: int = ...,
) -> BacktestReport: ...
def suggest_threshold(
    rule: RuleDetector,
    source: Any,
    *,
    wanted_per_day: float = ...,
    since: Any = ...,
    until: Any = ...,
    suppressions: Iterable[dict[str, Any]] = ...,
) -> dict[str, Any]: ...
def suggest_sensitivity(
    source: Any,
    detectors: Sequence[str] = ...,
    *,
    settings: dict[str, dict[str, Any]] = ...,
    wanted_per_day: float = ...,
    since: Any = ...,
    until: Any = ...,
    suppressions: Iterable[dict[str, Any]] = ...,
) -> dict[str, Any]: ...

class NotificationChannel:
    @property
    def kind(self) -> str: ...
    def send(self, alert: Alert) -> None: ...
    def test(self) -> None: ...

class EmailChannel(NotificationChannel):
    def __init__(
        self,
        host: str,
        *,
        port: int = ...,
        security: str = ...,
        username: str = ...,
        password: str = ...,
        sender: str,
        recipients: Sequence[str],
        ca_file: str = ...,
        timeout: float = ...,
    ) -> None: ...

class WebhookChannel(NotificationChannel):
    def __init__(
        self,
        url: str,
        *,
        secret: str = ...,
        allowed_networks: Sequence[str] = ...,
        ca_file: str = ...,
        timeout: float = ...,
    ) -> None: ...

class SyslogChannel(NotificationChannel):
    def __init__(
        self,
        host: str,
        *,
        port: int = ...,
        transport: str = ...,
        facility: int = ...,
        host_name: str = ...,
    ) -> None: ...

def verify_webhook(
    secret: str,
    timestamp: int,
    body: bytes,
    signature: str,
    now: int,
    tolerance: float = ...,
) -> bool: ...

class Column:
    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...

class FlowBatch(Sequence[FlowRecord]):
    def __init__(self, flows: Iterable[Union[FlowRecord, FlowBatch]] = ...) -> None: ...
    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, index: int) -> FlowRecord: ...
    @overload
    def __getitem__(self, index: slice) -> FlowBatch: ...
    def __iter__(self) -> Iterator[FlowRecord]: ...
    def where(self, where: _Where) -> FlowBatch: ...
    def columns(self) -> dict[str, Column]: ...
    def to_numpy(self) -> dict[str, np.ndarray[Any, Any]]: ...
    def to_csv(self, *, header: bool = ...) -> str: ...
    def to_json_lines(self) -> str: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: Optional[object] = ...) -> object: ...
    @property
    def nbytes(self) -> int: ...
    @property
    def stats(self) -> Optional[PipelineStats]: ...
    @property
    def ledger(self) -> Optional[PacketLedger]: ...
    @property
    def capture(self) -> Optional[dict[str, int]]: ...

class Table:
    def __len__(self) -> int: ...
    def columns(self) -> dict[str, Union[Column, list[str]]]: ...
    def row(self, index: int) -> dict[str, Any]: ...
    def values(self, name: str) -> list[Any]: ...
    @property
    def names(self) -> list[str]: ...
    def __arrow_c_schema__(self) -> object: ...
    def __arrow_c_stream__(self, requested_schema: Optional[object] = ...) -> object: ...

class FlowPages(Iterator[FlowBatch]):
    def __iter__(self) -> FlowPages: ...
    def __next__(self) -> FlowBatch: ...
    @property
    def cursor(self) -> Optional[str]: ...

class Batch:
    @property
    def flows(self) -> FlowBatch: ...
    @property
    def alerts(self) -> list[Alert]: ...
    @property
    def packets(self) -> int: ...
    @property
    def time(self) -> int: ...
    @property
    def datetime(self) -> datetime.datetime: ...

class Pipeline:
    def __init__(
        self,
        source: Union[PacketSource, _NativeSource],
        *,
        detectors: Iterable[Union[Detector, _NativeDetector]] = ...,
        idle_timeout: float = ...,
        active_timeout: float = ...,
        closed_timeout: float = ...,
        max_flows: int = ...,
        max_memory_bytes: int = ...,
        view: str = ...,
        defragment: bool = ...,
        statistics: bool = ...,
        first_packets: int = ...,
        entropy_bytes: int = ...,
        where: _Where = ...,
        batch_packets: int = ...,
        interval: float = ...,
        applications: bool = ...,
        evidence: bool = ...,
        ndpi: bool = ...,
    ) -> None: ...
    def write_evidence(self, alert_id: str, path: _Path) -> None: ...
    def __iter__(self) -> Pipeline: ...
    def __next__(self) -> Batch: ...
    def stop(self) -> None: ...
    def stats(self) -> PipelineStats: ...

class Backup:
    @property
    def name(self) -> str: ...
    @property
    def time(self) -> datetime.datetime: ...
    @property
    def stored_bytes(self) -> int: ...
    @property
    def content_bytes(self) -> int: ...
    @property
    def tool(self) -> str: ...
    @property
    def schema_version(self) -> int: ...
    @property
    def compression(self) -> str: ...
    @property
    def encrypted(self) -> bool: ...
    @property
    def verified(self) -> Optional[datetime.datetime]: ...
    @property
    def problem(self) -> str: ...

class BackupRepository:
    @staticmethod
    def open(directory: _Path) -> BackupRepository: ...
    @property
    def directory(self) -> str: ...
    def create(
        self,
        store: _Path,
        *,
        passphrase: Optional[str] = ...,
        compression: str = ...,
        extras: Mapping[str, bytes] = ...,
        progress: Optional[Callable[[str, float], object]] = ...,
    ) -> Backup: ...
    def list(self) -> builtins.list[Backup]: ...
    def get(self, name: str) -> Backup: ...
    def verify(
        self,
        name: str,
        *,
        passphrase: Optional[str] = ...,
        progress: Optional[Callable[[str, float], object]] = ...,
        store: Optional[_Path] = ...,
    ) -> Backup: ...
    def restore(
        self,
        name: str,
        store: _Path,
        *,
        passphrase: Optional[str] = ...,
        replace_foreign: bool = ...,
        progress: Optional[Callable[[str, float], object]] = ...,
    ) -> dict[str, Any]: ...
    def import_file(self, path: _Path) -> Backup: ...
    def path_of(self, name: str) -> str: ...
    def remove(self, name: str) -> None: ...
    def prune(
        self,
        *,
        last: int = ...,
        daily: int = ...,
        weekly: int = ...,
        monthly: int = ...,
        max_bytes: Optional[int] = ...,
        dry_run: bool = ...,
    ) -> tuple[builtins.list[Backup], builtins.list[Backup]]: ...

class Store:
    @staticmethod
    def open(path: _Path, *, query_timeout: float = ..., create: bool = ...) -> Store: ...
    def write(self, flows: Iterable[FlowRecord], alerts: Sequence[Alert] = ...) -> None: ...
    def flows(
        self,
        *,
        since: Optional[TimeLike] = ...,
        until: Optional[TimeLike] = ...,
        where: _Where = ...,
        limit: Optional[int] = ...,
        order: str = ...,
        progress: Optional[Callable[[float], object]] = ...,
        timeout: Optional[float] = ...,
    ) -> FlowBatch: ...
    def flow_pages(
        self,
        *,
        since: Optional[TimeLike] = ...,
        until: Optional[TimeLike] = ...,
        where: _Where = ...,
        page: int = ...,
        order: str = ...,
        cursor: str = ...,
    ) -> FlowPages: ...
    def alerts(
        self,
        *,
        since: Optional[TimeLike] = ...,
        until: Optional[TimeLike] = ...,
        alert_class: Optional[str] = ...,
        min_severity: Optional[str] = ...,
        limit: Optional[int] = ...,
    ) -> list[Alert]: ...
    def top(
        self,
        dimension: str = ...,
        *,
        by: str = ...,
        limit: int = ...,
        since: Optional[TimeLike] = ...,
        until: Optional[TimeLike] = ...,
        where: _Where = ...,
        progress: Optional[Callable[[float], object]] = ...,
        timeout: Optional[float] = ...,
    ) -> TopResult: ...
    def series(
        self,
        *,
        since: Optional[TimeLike] = ...,
        until: Optional[TimeLike] = ...,
        step: float = ...,
        by: Optional[str] = ...,
        measure: str = ...,
        address: Optional[_Address] = ...,
        where: _Where = ...,
        progress: Optional[Callable[[float], object]] = ...,
        timeout: Optional[float] = ...,
    ) -> SeriesResult: ...
    def names(
        self,
        addresses: Iterable[_Address],
        *,
        since: Optional[TimeLike] = ...,
        until: Optional[TimeLike] = ...,
        limit: int = ...,
        progress: Optional[Callable[[float], object]] = ...,
        timeout: Optional[float] = ...,
    ) -> dict[str, list[dict[str, Any]]]: ...
    def conversations(
        self,
        *,
        by: str = ...,
        limit: int = ...,
        since: Optional[TimeLike] = ...,
        until: Optional[TimeLike] = ...,
        where: _Where = ...,
        progress: Optional[Callable[[float], object]] = ...,
        timeout: Optional[float] = ...,
    ) -> ConversationResult: ...
    def summary(
        self,
        *,
        since: Optional[TimeLike] = ...,
        until: Optional[TimeLike] = ...,
        progress: Optional[Callable[[float], object]] = ...,
        timeout: Optional[float] = ...,
    ) -> dict[str, Any]: ...
    def export_flows(
        self,
        path: Union[_Path, int],
        *,
        since: Optional[TimeLike] = ...,
        until: Optional[TimeLike] = ...,
        where: _Where = ...,
        format: str = ...,
        progress: Optional[Callable[[float], object]] = ...,
    ) -> int: ...
    def import_flows(
        self,
        path: Union[_Path, int],
        *,
        format: str = ...,
        skip_wrong_lines: bool = ...,
        progress: Optional[Callable[[float], object]] = ...,
    ) -> dict[str, Any]: ...
    def mark_captured(self, since: TimeLike, until: TimeLike) -> None: ...
    def record_capture(
        self,
        time: TimeLike,
        *,
        packets_seen: int = ...,
        packets_dropped: int = ...,
        flows_evicted: int = ...,
        flows_dropped: int = ...,
    ) -> None: ...
    def retain(
        self,
        *,
        flow_age: Optional[float] = ...,
        alert_age: Optional[float] = ...,
        sample_age: Optional[float] = ...,
        incident_age: Optional[float] = ...,
        flow_bytes: Optional[int] = ...,
        alert_bytes: Optional[int] = ...,
        sample_bytes: Optional[int] = ...,
        incident_bytes: Optional[int] = ...,
        max_bytes: Optional[int] = ...,
        now: TimeLike = ...,
    ) -> dict[str, Any]: ...
    def preview_retain(
        self,
        *,
        flow_age: Optional[float] = ...,
        alert_age: Optional[float] = ...,
        sample_age: Optional[float] = ...,
        incident_age: Optional[float] = ...,
        flow_bytes: Optional[int] = ...,
        alert_bytes: Optional[int] = ...,
        sample_bytes: Optional[int] = ...,
        incident_bytes: Optional[int] = ...,
        max_bytes: Optional[int] = ...,
        now: TimeLike = ...,
    ) -> dict[str, Any]: ...
    def size(self) -> dict[str, int]: ...
    def usage(self) -> dict[str, Any]: ...
    def delete_before(self, time: TimeLike) -> int: ...
    def close(self) -> None: ...
    @property
    def path(self) -> str: ...
    @property
    def incidents(self) -> Incidents: ...
    def __enter__(self) -> Store: ...
    def __exit__(self, *exception: object) -> None: ...

class Secret:
    def __init__(self, text: str) -> None: ...
    def reveal(self) -> str: ...

class Logger:
    def __init__(self, level: str = ...) -> None: ...
    def add_file(
        self,
        path: _Path,
        *,
        format: str = ...,
        max_bytes: int = ...,
        max_age: float = ...,
        keep: int = ...,
        compression: str = ...,
    ) -> None: ...
    def add_stderr(self, format: str = ...) -> None: ...
    def add_syslog(self, socket_path: str = ..., *, app_name: str = ...) -> None: ...
    def add_callback(self, callback: Callable[[dict[str, Any]], None]) -> None: ...
    def debug(self, component: str, message: str, kind: str = ..., **fields: object) -> None: ...
    def info(self, component: str, message: str, kind: str = ..., **fields: object) -> None: ...
    def warning(self, component: str, message: str, kind: str = ..., **fields: object) -> None: ...
    def error(self, component: str, message: str, kind: str = ..., **fields: object) -> None: ...
    def rotate(self) -> None: ...
    def reopen(self) -> None: ...
    def flush(self) -> None: ...
    def stats(self) -> dict[str, int]: ...

def read_log(
    path: _Path,
    *,
    since: Optional[TimeLike] = ...,
    until: Optional[TimeLike] = ...,
    min_level: str = ...,
    component: str = ...,
    text: str = ...,
    order: str = ...,
    limit: Optional[int] = ...,
) -> list[dict[str, Any]]: ...

class AuditReport:
    @property
    def ok(self) -> bool: ...
    @property
    def integrity(self) -> str: ...
    @property
    def authenticity(self) -> str: ...
    @property
    def completeness(self) -> str: ...
    @property
    def chain(self) -> str: ...
    @property
    def files(self) -> int: ...
    @property
    def records(self) -> int: ...
    @property
    def bytes(self) -> int: ...
    @property
    def first_sequence(self) -> int: ...
    @property
    def last_sequence(self) -> int: ...
    @property
    def checkpoint_count(self) -> int: ...
    @property
    def faults(self) -> list[dict[str, Any]]: ...
    @property
    def summary(self) -> str: ...
    def to_json(self) -> str: ...

class AuditLog:
    @staticmethod
    def open(
        directory: _Path,
        *,
        verification_key: Optional[_Path] = ...,
        max_segment_bytes: int = ...,
        start_new_chain: bool = ...,
    ) -> AuditLog: ...
    def append(
        self,
        act: str,
        *,
        actor: str = ...,
        role: str = ...,
        address: str = ...,
        target: str = ...,
        outcome: str = ...,
        about: int = ...,
        details: dict[str, str] = ...,
        time: Optional[TimeLike] = ...,
    ) -> int: ...
    def rotate(self) -> None: ...
    def checkpoint(self) -> str: ...
    def state(self) -> dict[str, Any]: ...
    def close(self) -> None: ...
    def __enter__(self) -> AuditLog: ...
    def __exit__(self, *args: object) -> None: ...

def read_audit(
    directory: _Path,
    *,
    since: Optional[TimeLike] = ...,
    until: Optional[TimeLike] = ...,
    actor: str = ...,
    act: str = ...,
    outcome: Optional[str] = ...,
    text: str = ...,
    limit: Optional[int] = ...,
) -> list[dict[str, Any]]: ...
def verify_audit(
    directory: _Path,
    *,
    verification_key: Optional[_Path] = ...,
    checkpoints: Sequence[str] = ...,
) -> AuditReport: ...
def read_audit_checkpoints(path: _Path) -> list[str]: ...

# See nta.firewall.

class RuleSetValue:
    @staticmethod
    def from_json(text: str) -> RuleSetValue: ...
    def to_json(self) -> str: ...
    def problems(self, now: int) -> list[dict[str, Any]]: ...
    def diff_json(self, after: RuleSetValue) -> str: ...
    def diff_text(self, after: RuleSetValue) -> str: ...
    def evaluate(self, facts: dict[str, Any]) -> tuple[str, str, bool, str]: ...
    def words(self) -> list[str]: ...

class MemoryBackendValue:
    def __init__(self) -> None: ...
    def current(self, now: int) -> RuleSetValue: ...
    def replace(self, rules: RuleSetValue, now: int) -> None: ...
    def counters(self, now: int) -> list[dict[str, Any]]: ...
    def add(self, set: str, address: Any, expires: Optional[int], now: int) -> None: ...
    def remove(self, set: str, address: Any, now: int) -> None: ...
    def offer(self, facts: dict[str, Any], bytes: int) -> str: ...

class NftablesBackendValue:
    def __init__(self, table: str) -> None: ...
    def current(self, now: int) -> RuleSetValue: ...
    def replace(self, rules: RuleSetValue, now: int) -> None: ...
    def counters(self, now: int) -> list[dict[str, Any]]: ...
    def add(self, set: str, address: Any, expires: Optional[int], now: int) -> None: ...
    def remove(self, set: str, address: Any, now: int) -> None: ...
    def import_table(self, family: str, table: str) -> tuple[RuleSetValue, list[str]]: ...

class ResponseValue:
    def __init__(
        self, backend: MemoryBackendValue | NftablesBackendValue, allowed: list[str]
    ) -> None: ...
    def block(
        self,
        address: Any,
        protocol: Optional[str],
        port: Optional[int],
        seconds: Optional[float],
        reason: str,
        now: int,
    ) -> str: ...
    def unblock(self, address: Any, now: int) -> None: ...
    def blocks(self, now: int) -> list[str]: ...

def _check_firewall_rule(text: str) -> str: ...
def rehearse_json(rules: RuleSetValue, flows: Any, options: dict[str, Any]) -> str: ...

class HealthSample:
    @property
    def time(self) -> int: ...
    @property
    def problems(self) -> list[str]: ...
    def to_dict(self, since: Optional[HealthSample] = ...) -> dict[str, Any]: ...
    def values(self, since: Optional[HealthSample] = ...) -> dict[str, float]: ...

def health_sample(
    root: _Path = ..., *, paths: Sequence[str] = ..., time: Optional[TimeLike] = ...
) -> HealthSample: ...

class HealthWatch:
    def __init__(self, thresholds: Optional[Sequence[dict[str, Any]]] = ...) -> None: ...
    def observe(
        self, values: dict[str, float], time: Optional[TimeLike] = ...
    ) -> list[dict[str, Any]]: ...
    def active(self) -> list[dict[str, Any]]: ...
    @property
    def thresholds(self) -> list[dict[str, Any]]: ...

class Scheduler:
    def __init__(
        self, *, store: Optional[Store] = ..., clock: Optional[Callable[[], TimeLike]] = ...
    ) -> None: ...
    def add(
        self,
        name: str,
        work: Callable[[dict[str, Any]], Optional[str]],
        *,
        every: Optional[float] = ...,
        daily: Optional[str] = ...,
        zone: str = ...,
        missed: str = ...,
        description: str = ...,
        least: int = ...,
    ) -> None: ...
    def pause(self, name: str) -> None: ...
    def resume(self, name: str) -> None: ...
    def run_now(self, name: str) -> None: ...
    def set_timing(
        self,
        name: str,
        *,
        every: Optional[float] = ...,
        daily: Optional[str] = ...,
        zone: str = ...,
    ) -> None: ...
    def reload(self) -> None: ...
    def run_due(self) -> int: ...
    def jobs(self) -> list[dict[str, Any]]: ...
    @property
    def next_due(self) -> Optional[int]: ...

class Incidents:
    def create(
        self,
        title: str,
        *,
        author: str,
        description: str = ...,
        severity: str = ...,
        assignee: str = ...,
        time: Optional[TimeLike] = ...,
    ) -> dict[str, Any]: ...
    def get(self, id: str) -> dict[str, Any]: ...
    def list(
        self,
        *,
        states: Sequence[str] = ...,
        min_severity: Optional[str] = ...,
        assignee: Optional[str] = ...,
        text: str = ...,
        limit: int = ...,
    ) -> List[dict[str, Any]]: ...
    def change(
        self,
        id: str,
        version: int,
        *,
        author: str,
        title: Optional[str] = ...,
        description: Optional[str] = ...,
        severity: Optional[str] = ...,
        state: Optional[str] = ...,
        assignee: Optional[str] = ...,
        comment: Optional[str] = ...,
        time: Optional[TimeLike] = ...,
    ) -> dict[str, Any]: ...
    def comment(
        self, id: str, text: str, *, author: str, time: Optional[TimeLike] = ...
    ) -> dict[str, Any]: ...
    def link(
        self,
        id: str,
        kind: str,
        target: str,
        *,
        author: str,
        note: str = ...,
        since: Optional[TimeLike] = ...,
        until: Optional[TimeLike] = ...,
        time: Optional[TimeLike] = ...,
    ) -> dict[str, Any]: ...
    def add_evidence(
        self,
        id: str,
        name: str,
        data: bytes,
        *,
        author: str,
        media_type: str = ...,
        description: str = ...,
        time: Optional[TimeLike] = ...,
    ) -> dict[str, Any]: ...
    def evidence(self, id: str, number: int) -> bytes: ...
    def remove(self, id: str) -> None: ...
    def export(
        self, id: str, path: _Path, *, author: str, time: Optional[TimeLike] = ...
    ) -> None: ...
