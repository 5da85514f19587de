"""A flow meter in plain Python that follows docs/flow_features.md, for comparison.

It shares nothing with the library: it reads pcap with struct, keeps every packet of a flow in a list and computes
each number from that list when the record ends.
"""
import base64
import hashlib
import ipaddress
import math
import struct
from dataclasses import dataclass, field

IDLE, CLOSED, FRAGMENTS = 120 * 10**9, 2 * 10**9, 30 * 10**9
FIN, SYN, RST, ACK = 1, 2, 4, 16
TUNNEL_IPIP, TUNNEL_GRE = 1, 2


@dataclass
class Packet:
    time: int
    wire_bytes: int
    source: tuple = None  # (address bytes, port)
    destination: tuple = None
    protocol: int = 0
    macs: tuple = None
    vlan: int = None
    hop_limit: int = 0
    dscp: int = 0
    ip_bytes: int = 0
    is_fragment: bool = False
    is_later: bool = False
    fragment_id: int = 0
    flags: int = 0
    sequence: int = None  # None without a whole TCP header
    acknowledgment: int = 0
    window: int = 0
    icmp: tuple = None
    payload_bytes: int = 0
    payload: bytes = b""
    quoted: object = None  # the packet that an ICMP error is about
    tunnels: int = 0


def read_pcap(path):
    data = open(path, "rb").read()
    magic = data[:4]
    order = "<" if magic in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    unit = 1 if magic in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1000
    assert struct.unpack(order + "I", data[20:24])[0] & 0xFFFF == 1, "Ethernet only"
    at = 24
    while at < len(data):
        seconds, fraction, captured, wire = struct.unpack(order + "IIII", data[at:at + 16])
        yield Packet(seconds * 10**9 + fraction * unit, wire), data[at + 16:at + 16 + captured]
        at += 16 + captured


def decode(packet, frame):
    """Fills in the packet; False when it is not of IP."""
    packet.macs = (frame[6:12], frame[0:6])
    ether_type, at = struct.unpack(">H", frame[12:14])[0], 14
    if ether_type == 0x8100:
        tag, ether_type = struct.unpack(">HH", frame[14:18])
        packet.vlan, at = tag & 0xFFF, 18
    if ether_type not in (0x0800, 0x86DD):
        return False
    decode_ip(packet, frame[at:])
    return True


def decode_ip(packet, data):
    if data[0] >> 4 == 4:
        header = (data[0] & 15) * 4
        total, packet.fragment_id, offset = struct.unpack(">HHH", data[2:8])
        packet.ip_bytes, packet.hop_limit, packet.protocol = total, data[8], data[9]
        packet.dscp = data[1] >> 2
        source, destination = data[12:16], data[16:20]
        packet.is_later = offset & 0x1FFF != 0
        packet.is_fragment = packet.is_later or offset & 0x2000 != 0
    else:
        header, total = 40, struct.unpack(">H", data[4:6])[0] + 40
        packet.ip_bytes, packet.hop_limit, packet.protocol = total, data[7], data[6]
        packet.dscp = (struct.unpack(">H", data[0:2])[0] >> 4 & 0xFF) >> 2
        source, destination = data[8:24], data[24:40]
        if packet.protocol == 44:
            packet.protocol, offset = data[40], struct.unpack(">H", data[42:44])[0]
            packet.fragment_id, packet.is_later = struct.unpack(">I", data[44:48])[0], offset & 0xFFF8 != 0
            packet.is_fragment, header = packet.is_later or offset & 1 != 0, 48
    packet.source, packet.destination = (source, 0), (destination, 0)
    body, size = data[header:total], total - header
    if not packet.is_later and packet.protocol == 4:
        packet.tunnels |= TUNNEL_IPIP
        return decode_ip(packet, body)
    if not packet.is_later and packet.protocol == 47:
        packet.tunnels |= TUNNEL_GRE
        return decode_ip(packet, body[4:])
    decode_transport(packet, body, size)


def decode_transport(packet, body, size):
    header = 0
    if packet.is_later:
        pass
    elif packet.protocol in (6, 17):
        ports = struct.unpack(">HH", body[:4])
        packet.source, packet.destination = (packet.source[0], ports[0]), (packet.destination[0], ports[1])
        header = 8
        if packet.protocol == 6:
            if len(body) < 20:
                return  # quoted by an ICMP error
            packet.sequence, packet.acknowledgment = struct.unpack(">II", body[4:12])
            header, packet.flags = (body[12] >> 4) * 4, body[13]
            packet.window = struct.unpack(">H", body[14:16])[0]
    elif packet.protocol in (1, 58):
        packet.icmp, header = (body[0], body[1]), 8
        errors = (3, 11) if packet.protocol == 1 else (1, 3)
        if body[0] in errors and (packet.protocol, *packet.icmp) != (1, 3, 4):
            packet.quoted = Packet(packet.time, 0)
            decode_ip(packet.quoted, body[8:])
    packet.payload_bytes, packet.payload = max(size - header, 0), body[header:]


def moments(numbers):
    count = len(numbers)
    if count == 0:
        return {"count": 0, "minimum": 0, "maximum": 0, "mean": 0.0, "deviation": 0.0}
    total, squares = sum(numbers), sum(n * n for n in numbers)
    return {"count": count, "minimum": min(numbers), "maximum": max(numbers), "mean": float(total) / count,
            "deviation": math.sqrt(float(count * squares - total * total)) / count}


def gaps(packets):
    return [max(b.time - a.time, 0) for a, b in zip(packets, packets[1:])]


def entropy(packets, limit):
    payload = b"".join(p.payload for p in packets)[:limit]
    if not payload:
        return None
    total = 0.0
    for byte in range(256):
        count = payload.count(bytes([byte]))
        if count:
            total += float(count) * math.log2(count)
    return math.log2(len(payload)) - total / len(payload)


class Sequence:
    """Which numbers of a direction were seen: disjoint intervals, by numbers that do not wrap."""

    def __init__(self):
        self.seen = None

    def restart(self, sequence, length, initial):
        self.seen, self.base, self.initial = [[0, length]], sequence, initial
        return "new"

    def add(self, packet):
        is_syn, is_fin = packet.flags & SYN != 0, packet.flags & FIN != 0
        length = packet.payload_bytes + is_syn + is_fin
        if self.seen is None:
            return self.restart(packet.sequence, length, is_syn)
        highest = self.seen[-1][1]
        ahead = (packet.sequence - (self.base + highest) + 2**31) % 2**32 - 2**31
        begin = highest + ahead
        first_number = self.initial and begin == self.seen[0][0]
        if abs(ahead) > 2**30 or length > 2**30 or (is_syn and not first_number):
            return self.restart(packet.sequence, length, is_syn)
        if length == 0 or (packet.payload_bytes == length == 1 and ahead == -1):
            return "new"
        unseen = self.missing(begin, begin + length)
        self.insert(begin, begin + length)
        if not unseen:
            return "again"
        return "late" if unseen[0] < highest else "new"

    def missing(self, begin, end):
        """The first number of each part of [begin, end) that was not seen."""
        parts, at = [], begin
        for low, high in self.seen:
            if at < min(low, end):
                parts.append(at)
            at = max(at, high)
        if at < end:
            parts.append(at)
        return parts

    def insert(self, begin, end):
        merged = []
        for low, high in sorted(self.seen + [[begin, end]]):
            if merged and low <= merged[-1][1]:
                merged[-1][1] = max(merged[-1][1], high)
            else:
                merged.append([low, high])
        while len(merged) > 5:  # more than four holes: the lowest counts as seen
            merged[0:2] = [[merged[0][0], merged[1][1]]]
        self.seen = merged


@dataclass
class Flow:
    source: tuple
    destination: tuple
    protocol: int
    vlan: int
    icmp: tuple
    packets: list = field(default_factory=list)  # of the record: (packet, is_forward, what its numbers are)
    flags: list = field(default_factory=lambda: [0, 0])  # of the flow
    record_flags: list = field(default_factory=lambda: [0, 0])
    sequences: list = field(default_factory=lambda: [Sequence(), Sequence()])
    requests: list = field(default_factory=lambda: [None, None])
    answer: int = None
    round_trips: list = field(default_factory=lambda: [None, None])
    last_seen: int = 0
    is_closed: bool = False
    outcome: str = "unknown"

    def turn(self):
        self.source, self.destination = self.destination, self.source
        for both in (self.flags, self.record_flags, self.sequences, self.requests):
            both.reverse()
        self.packets = [(p, not forward, kind) for p, forward, kind in self.packets]


class Meter:
    def __init__(self, first_packets, entropy_bytes, active_timeout):
        self.first_packets, self.entropy_bytes, self.active = first_packets, entropy_bytes, active_timeout
        self.flows, self.fragments, self.records = {}, {}, []

    def run(self, path):
        now = 0
        for packet, frame in read_pcap(path):
            if decode(packet, frame):
                self.defragment(packet)
                now = packet.time
                self.add(packet)
        for flow in list(self.flows.values()):
            if not self.expire(flow, now):
                self.report(flow, "forced_end")
        return self.records

    def defragment(self, packet):
        key = (packet.source[0], packet.destination[0], packet.fragment_id, packet.protocol)
        if packet.is_fragment and not packet.is_later and packet.protocol in (6, 17):
            self.fragments[key] = (packet.time, packet.source[1], packet.destination[1])
        first = self.fragments.get(key)
        if packet.is_later and first and packet.time - first[0] <= FRAGMENTS:
            packet.source, packet.destination = (packet.source[0], first[1]), (packet.destination[0], first[2])

    def expire(self, flow, now):
        silent = flow.last_seen + (CLOSED if flow.is_closed else IDLE)
        if flow.packets:
            active = min(p.time for p, _, _ in flow.packets) + self.active
            if active < silent and active <= now:
                self.report(flow, "active_timeout")
                flow.packets, flow.record_flags = [], [0, 0]
                if flow.outcome == "pending":
                    flow.outcome = "unknown"
        if silent > now:
            return False
        self.report(flow, "end_of_flow" if flow.is_closed else "idle_timeout")
        return True

    @staticmethod
    def key(packet):
        return frozenset((packet.source, packet.destination)), packet.protocol

    def unreachable(self, quoted):
        flow = self.flows.get(self.key(quoted))
        if not flow or quoted.source != flow.source:
            return
        if self.expire(flow, quoted.time):
            del self.flows[self.key(quoted)]
        elif flow.packets and flow.outcome == "pending":
            flow.outcome = "unreachable"

    def add(self, packet):
        if packet.quoted:
            self.unreachable(packet.quoted)
        is_syn_ack = packet.protocol == 6 and packet.flags & (SYN | ACK | RST) == SYN | ACK
        key = self.key(packet)
        flow = self.flows.get(key)
        if flow and self.expire(flow, packet.time):
            flow = None
        if flow and flow.is_closed and packet.flags & (SYN | ACK) == SYN:
            self.report(flow, "end_of_flow")
            flow = None
        if flow is None:
            flow = Flow(packet.source, packet.destination, packet.protocol, packet.vlan, packet.icmp)
            asks = (packet.flags & (SYN | ACK | RST) == SYN if packet.protocol == 6 else
                    packet.icmp[0] in ((8, 13) if packet.protocol == 1 else (128, 135)) if packet.icmp else True)
            flow.outcome = "pending" if asks else "unknown"
            if is_syn_ack:
                flow.turn()
            self.flows[key] = flow
        elif is_syn_ack and packet.source == flow.source and not flow.flags[0] & SYN:
            has_payload = any(p.payload_bytes for p, _, _ in flow.packets)
            if not has_payload and any(forward for _, forward, _ in flow.packets):
                flow.turn()
        self.count(flow, packet)

    def count(self, flow, packet):
        forward = packet.source == flow.source
        side = 0 if forward else 1
        kind = None
        if packet.sequence is not None and not packet.is_fragment and not packet.flags & RST:
            self.handshake(flow, packet, side)
            kind = flow.sequences[side].add(packet)
        flow.packets.append((packet, forward, kind))
        flow.flags[side] |= packet.flags
        flow.record_flags[side] |= packet.flags
        flow.last_seen = max(flow.last_seen, packet.time)
        if not forward and flow.outcome == "pending":
            flow.outcome = "refused" if packet.flags & RST else "answered"
        if packet.flags & RST or flow.record_flags[0] & flow.record_flags[1] & FIN:
            flow.is_closed = True

    def handshake(self, flow, packet, side):
        if flow.round_trips[1] is not None:
            return
        what = packet.flags & (SYN | ACK)
        other = flow.sequences[1 - side]
        acknowledged = other.seen and (packet.acknowledgment - other.base - 1) % 2**32 < other.seen[-1][1]
        if what == SYN:
            if (flow.round_trips[0] if side == 0 else flow.answer) is None:
                flow.requests[side] = packet.time
        elif side == 1 and what == SYN | ACK and acknowledged:
            if flow.requests[0] is not None and flow.round_trips[0] is None:
                flow.round_trips[0] = packet.time - flow.requests[0]
            flow.answer = packet.time
        elif side == 0 and what == ACK and acknowledged and flow.answer is not None:
            flow.round_trips[1] = packet.time - flow.answer

    def report(self, flow, reason):
        if not flow.packets:
            return
        first_seen = min(p.time for p, _, _ in flow.packets)
        record = {
            "first_seen": first_seen, "last_seen": max(p.time for p, _, _ in flow.packets),
            "protocol": flow.protocol,
            "source_address": str(ipaddress.ip_address(flow.source[0])), "source_port": flow.source[1],
            "destination_address": str(ipaddress.ip_address(flow.destination[0])),
            "destination_port": flow.destination[1], "vlan": flow.vlan, "outcome": flow.outcome,
            "end_reason": reason, "tcp_state": tcp_state(flow),
            "icmp": {"type": flow.icmp[0], "code": flow.icmp[1]} if flow.icmp else None,
            "community_id": community_id(flow), "statistics": self.statistics(flow, first_seen)}
        for side, name in enumerate(("forward", "reverse")):
            packets = [p for p, forward, _ in flow.packets if forward == (side == 0)]
            record[name + "_packets"] = len(packets)
            record[name + "_wire_bytes"] = sum(p.wire_bytes for p in packets)
            record[name + "_ip_bytes"] = sum(p.ip_bytes for p in packets)
            record[name + "_payload_bytes"] = sum(p.payload_bytes for p in packets)
            record[name + "_tcp_flags"] = flow.record_flags[side]
        self.records.append(record)

    def statistics(self, flow, first_seen):
        packets = [p for p, _, _ in flow.packets]
        first, forward, _ = flow.packets[0]
        macs = first.macs if forward else first.macs[::-1]
        tunnels = 0
        for packet in packets:
            tunnels |= packet.tunnels
        return {
            "forward": self.direction([entry for entry in flow.packets if entry[1]]),
            "reverse": self.direction([entry for entry in flow.packets if not entry[1]]),
            "inter_arrival": moments(gaps(packets)),
            "destination_round_trip": flow.round_trips[0], "source_round_trip": flow.round_trips[1],
            "source_mac": macs[0].hex(":"), "destination_mac": macs[1].hex(":"), "tunnels": tunnels,
            "first_packets": [{"offset": p.time - first_seen, "ip_bytes": p.ip_bytes,
                               "payload_bytes": p.payload_bytes, "is_forward": forward}
                              for p, forward, _ in flow.packets[:self.first_packets]]}

    def direction(self, entries):
        packets = [p for p, _, _ in entries]
        kinds = [kind for _, _, kind in entries]
        return {
            "ip_length": moments([p.ip_bytes for p in packets]), "inter_arrival": moments(gaps(packets)),
            "hop_limit_minimum": min((p.hop_limit for p in packets), default=0),
            "hop_limit_maximum": max((p.hop_limit for p in packets), default=0),
            "dscp": packets[0].dscp if packets else 0, "fragments": sum(p.is_fragment for p in packets),
            "retransmissions": kinds.count("again"), "out_of_order": kinds.count("late"),
            "zero_windows": sum(kind is not None and p.window == 0 and not p.flags & (SYN | FIN)
                                for p, _, kind in entries),
            "resets": sum(p.flags & RST != 0 for p in packets),
            "payload_entropy": entropy(packets, self.entropy_bytes)}


def tcp_state(flow):
    source, destination = flow.flags
    if flow.protocol != 6:
        return None
    if (source | destination) & RST:
        return "reset"
    finished = (source & FIN) + (destination & FIN)
    if finished:
        return "closed" if finished == 2 else "closing"
    if destination & (SYN | ACK) == SYN | ACK:
        return "established" if source & ACK else "syn_received"
    if not source & SYN:
        return "midstream"
    return "established" if destination else "syn_sent"


def community_id(flow):
    pairs = {1: ((8, 0), (10, 9), (13, 14), (15, 16), (17, 18)),
             58: ((128, 129), (130, 131), (133, 134), (135, 136), (139, 140), (144, 145))}
    a, b = flow.source, flow.destination
    ordered, ports = True, flow.protocol in (6, 17, 132)
    if flow.icmp:
        answers = dict(pairs[flow.protocol])
        answers.update({reply: request for request, reply in pairs[flow.protocol]})
        ordered, ports = flow.icmp[0] in answers, True
        a, b = (a[0], flow.icmp[0]), (b[0], answers.get(*flow.icmp))
    if ordered:
        a, b = sorted((a, b))
    text = bytes(2) + a[0] + b[0] + bytes([flow.protocol, 0]) + (struct.pack(">HH", a[1], b[1]) if ports else b"")
    return "1:" + base64.b64encode(hashlib.sha1(text).digest()).decode()
