"""Captures made packet by packet, and the sample capture (tests/data/README.md)."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Callable, Iterable

import pytest

import nta

ROOT = Path(__file__).resolve().parents[2]
SECOND = 1_000_000_000
START = 1_700_000_000 * SECOND


@pytest.fixture(scope="session")
def sample() -> Path:
    return ROOT / "tests" / "data" / "sample.pcap"


def udp(source: str = "192.0.2.1", destination: str = "192.0.2.2", sport: int = 1000,
        dport: int = 53, payload: bytes = b"", vlan: int | None = None) -> bytes:
    """An Ethernet frame with IPv4 and UDP."""
    segment = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload
    return _frame(source, destination, 17, segment, vlan)


def tcp(source: str = "192.0.2.1", destination: str = "192.0.2.2", sport: int = 1000,
        dport: int = 80, flags: int = 0x02) -> bytes:
    segment = struct.pack("!HHIIBBHHH", sport, dport, 1, 0, 5 << 4, flags, 65535, 0, 0)
    return _frame(source, destination, 6, segment, None)


def _frame(source: str, destination: str, protocol: int, segment: bytes, vlan: int | None) -> bytes:
    import ipaddress

    a, b = ipaddress.ip_address(source), ipaddress.ip_address(destination)
    if a.version == 6:
        ether_type = 0x86DD
        network = struct.pack("!IHBB", 6 << 28, len(segment), protocol, 64) + a.packed + b.packed
    else:
        ether_type = 0x0800
        network = struct.pack(
            "!BBHHHBBH4s4s", 0x45, 0, 20 + len(segment), 1, 0, 64, protocol, 0, a.packed, b.packed
        )
    tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
    macs = bytes.fromhex("020000000001020000000002")
    return macs + tag + struct.pack("!H", ether_type) + network + segment


@pytest.fixture
def write_capture(tmp_path: Path) -> Callable[..., Path]:
    """write_capture(frames): a capture of these frames, a millisecond apart."""

    def write(frames: Iterable[bytes], name: str = "made.pcap") -> Path:
        path = tmp_path / name
        with nta.PcapFileWriter(path) as writer:
            for i, frame in enumerate(frames):
                writer.write(frame, START + i * 1_000_000)
        return path

    return write


@pytest.fixture
def damaged_capture(sample: Path, tmp_path: Path) -> Path:
    """The sample, cut inside its last record."""
    path = tmp_path / "damaged.pcap"
    path.write_bytes(sample.read_bytes()[:-3])
    return path
