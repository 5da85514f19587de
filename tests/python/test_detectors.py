"""The detectors of the library, from Python."""

import ipaddress
import struct

import pytest

import nta


def _checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _syn(number, time):
    source = (ipaddress.ip_address("198.51.0.0") + number * 7).packed
    destination = ipaddress.ip_address("10.0.0.2").packed
    tcp = struct.pack("!HHIIBBHHH", 1024 + number % 60000, 443, 1, 0, 5 << 4, 2, 65535, 0, 0)
    header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0, source, destination)
    header = header[:10] + struct.pack("!H", _checksum(header)) + header[12:]
    ethernet = b"\x02\0\0\0\0\x02\x02\0\0\0\0\x01\x08\0"
    return nta.Packet(ethernet + header + tcp, time=time)


class _Source:
    name = "flood"

    def __init__(self, packets):
        self._packets = packets

    def read(self):
        if not self._packets:
            return None
        burst, self._packets = self._packets[:500], self._packets[500:]
        return burst


def _flood(count=4000):
    start = 1_700_000_000_000_000_000
    return _Source([_syn(i, start + i * 1_000_000) for i in range(count)])


def _alerts(source, detectors, **options):
    return [
        alert for batch in nta.Pipeline(source, detectors=detectors, **options) for alert in batch.alerts
    ]


def test_a_flood_is_found_from_python():
    alerts = _alerts(_flood(), [nta.FloodDetector(min_syn_rate=100)])
    assert alerts[0].alert_class == "syn_flood"
    assert alerts[0].destination == "10.0.0.2"
    assert alerts[0].band_high is not None
    assert alerts[0].advice
    assert alerts[0].first_seen <= alerts[0].last_seen
    assert alerts[0].to_dict()["confidence"] > 0.9
    assert not _alerts(_flood(), [nta.FloodDetector(min_syn_rate=5000)])


def test_all_default_detectors_have_names_and_limits():
    detectors = nta.default_detectors()
    assert [detector.name for detector in detectors] == nta.default_detector_names()
    assert all(detector.memory_bytes <= detector.memory_limit_bytes for detector in detectors)
    assert {alert.alert_class for alert in _alerts(_flood(), detectors)} == {"syn_flood"}
    names = [detector.name for detector in nta.default_detectors(disabled={"flood"})]
    assert "flood" not in names and "port_scan" in names
    with pytest.raises(ValueError, match="no detector"):
        nta.default_detectors(disabled={"typo"})


def test_options_are_checked_by_name_and_type():
    for kind in (nta.FloodDetector, nta.BruteForceDetector, nta.ArpSpoofDetector, nta.DhcpDetector,
                 nta.PolicyDetector):
        assert issubclass(kind, nta.Detector)
        with pytest.raises(TypeError, match="has no option 'typo'"):
            kind(typo=1)
    with pytest.raises(TypeError, match="min_failures cannot be"):
        nta.BruteForceDetector(min_failures="many")
    with pytest.raises(ValueError):
        nta.PolicyDetector(local_networks=["10.0.0.0/33"])
    with pytest.raises(FileNotFoundError):
        nta.PolicyDetector(block_lists=["/does/not/exist"])


def test_block_lists_of_a_policy(tmp_path):
    blocked = tmp_path / "blocked.txt"
    blocked.write_text("10.0.0.2\n")
    detector = nta.PolicyDetector(block_lists=[str(blocked)], local_networks=["198.51.0.0/16"])
    alerts = _alerts(_flood(50), [detector])
    assert alerts[0].alert_class == "policy"
    assert "block list" in alerts[0].summary


def test_states_go_from_one_detector_to_another():
    first, second = nta.FloodDetector(), nta.FloodDetector()
    _alerts(_flood(500), [first])
    second.load(first.save())
    with pytest.raises(nta.Error):
        second.load(b"nonsense")


def test_a_python_detector_sees_packets():
    class Mine:
        name = "mine"
        packets = 0

        def observe(self, event):
            return None

        def observe_packets(self, packets):
            self.packets += len(packets)
            if self.packets == len(packets):
                return nta.Alert(summary=f"first of {packets[0].wire_bytes} bytes")
            return None

    mine = Mine()
    alerts = _alerts(_flood(1200), [mine])
    assert mine.packets == 1200
    assert [alert.summary for alert in alerts] == ["first of 54 bytes"]
    assert alerts[0].detector == "mine"
