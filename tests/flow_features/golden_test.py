"""Compares every number of every flow that pcap_to_flows reports with what meter.py computes, exactly.

golden_test.py PCAP_TO_FLOWS CAPTURE...: the captures given, and ones that this test makes.
"""
import datetime
import json
import os
import random
import struct
import subprocess
import sys
import tempfile

import meter

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
SETTINGS = [{"first_packets": 16, "entropy_bytes": 0, "active_timeout": 1800},
            {"first_packets": 3, "entropy_bytes": 40, "active_timeout": 10},
            {"first_packets": 255, "entropy_bytes": 65535, "active_timeout": 0.5}]


class Capture:
    """Writes packets in the order in which they are added."""

    def __init__(self, path):
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1))

    def add(self, time, packet, *, from_client=True, vlan=None):
        macs = bytes.fromhex("02000000000a" "02000000000b")
        frame = macs if from_client else macs[6:] + macs[:6]
        if vlan is not None:
            frame += struct.pack(">HH", 0x8100, vlan)
        frame += struct.pack(">H", 0x0800 if packet[0] >> 4 == 4 else 0x86DD) + packet
        time = int(time)
        self.file.write(struct.pack("<IIII", time // 10**9, time % 10**9, len(frame), len(frame)) + frame)


def ipv4(source, destination, protocol, body, *, ttl=64, tos=0, ident=0, offset=0, more=False):
    flags = (0x2000 if more else 0) | offset // 8
    return struct.pack(">BBHHHBBH", 0x45, tos, 20 + len(body), ident, flags, ttl, protocol, 0) + bytes(
        source) + bytes(destination) + body


def ipv6(source, destination, protocol, body, *, hop_limit=64, traffic_class=0):
    return struct.pack(">IHBB", 6 << 28 | traffic_class << 20, len(body), protocol, hop_limit) + source + destination + body


def tcp(ports, flags, sequence, acknowledgment=0, payload=b"", window=1000):
    return struct.pack(">HHIIBBHHH", *ports, sequence % 2**32, acknowledgment % 2**32, 0x50, flags, window, 0, 0) + payload


def udp(ports, payload=b""):
    return struct.pack(">HHHH", *ports, 8 + len(payload), 0) + payload


CLIENT, SERVER = [10, 0, 0, 1], [10, 0, 0, 2]


def make_transport_cases(path):
    """Each rule of TCP, ICMP, fragments, tunnels and directions, by hand."""
    capture, at = Capture(path), [1_700_000_000 * 10**9]

    def send(flags, sequence, acknowledgment=0, payload=b"", port=1000, server=False, step=10**6, **options):
        at[0] += step
        ends = (SERVER, CLIENT) if server else (CLIENT, SERVER)
        ports = (80, port) if server else (port, 80)
        body = tcp(ports, flags, sequence, acknowledgment, payload, options.pop("window", 1000))
        capture.add(at[0], ipv4(*ends, 6, body, **options), from_client=not server)

    def handshake(port, client=100, server=900, **options):
        send(SYN, client, port=port, **options)
        send(SYN | ACK, server, client + 1, port=port, server=True, step=30 * 10**6, **options)
        send(ACK, client + 1, server + 1, port=port, step=2 * 10**6, **options)

    # Loss, reordering, more than four holes, both ends of the numbers.
    for port, first in ((1000, 100), (1001, 2**32 - 150)):
        handshake(port, first)
        for n in (1, 101, 301, 501, 701, 901, 1101, 1301, 201, 401, 601, 351, 1, 1250, 1350, 1399):
            send(ACK, first + n, 901, b"x" * 100, port)
        send(ACK, first + 1498, 901, b"y", port)  # a keep-alive
        send(ACK, first + 1498, 901, b"", port)
        for window in (0, 0, 5):
            send(ACK, 901, first + 1, b"", port, True, window=window)
        send(FIN | ACK, first + 1499, 901, b"", port)
        send(FIN | ACK, first + 1499, 901, b"", port, window=0)
        send(FIN | ACK, 901, first + 1500, b"", port, True)
        send(ACK, first + 1500, 902, b"", port)
    # A new connection by the same ports, at once; then one that is refused.
    handshake(1000, 5_000_000)
    send(SYN, 7, port=1002)
    send(RST | ACK, 0, 8, port=1002, server=True, window=0)
    # SYNs and SYN-ACKs again and again; an answer to another SYN; data in a SYN.
    for port, acknowledgment in ((1003, 101), (1004, 77)):
        send(SYN, 100, port=port)
        send(SYN, 100, port=port, step=10**9)
        send(SYN | ACK, 900, acknowledgment, port=port, server=True)
        send(SYN | ACK, 900, acknowledgment, port=port, server=True, step=10**9)
        send(SYN, 100, port=port)
        send(ACK, 101, 901, port=port)
        send(ACK, 101, 901, b"data", port=port)
    send(SYN, 100, 0, b"early", 1005)
    send(SYN | ACK, 900, 106, b"", 1005, True)
    send(ACK, 106, 901, b"", 1005)
    # Begun before the capture: from the middle, and with the SYN-ACK first or second.
    for sequence in (5000, 4900, 4800, 5100, 4700):
        send(ACK, sequence, 1, b"z" * 100, 1006)
    send(SYN | ACK, 900, 101, port=1007, server=True)
    send(ACK, 101, 901, port=1007)
    send(ACK, 500, 1, port=1008, server=True)
    send(SYN | ACK, 900, 101, port=1008, server=True)
    send(ACK, 101, 901, b"hello", 1008)
    send(SYN, 3_000_000_000, 0, b"", 1006)  # another connection without an end to the last one
    send(ACK, 3_000_000_001, 1, b"a" * 10, 1006)
    send(ACK, 1, 1, b"b" * 10, 1006)  # more than 2^30 away
    # TTL and DSCP change; time stamps run backwards a little.
    for index, (ttl, tos) in enumerate(((60, 0xB8), (64, 0), (58, 0xFF))):
        send(ACK, 100 + index, 1, b"q", 1009, ttl=ttl, tos=tos, step=-200_000 if index else 10**6)
    at[0] += 10**9
    # Echo and unreachable, both versions of IP.
    six = [bytes.fromhex("20010db8" + "00" * 11 + "0%d" % n) for n in (1, 2)]
    for kind in (8, 3, 5):
        capture.add(at[0], ipv4(CLIENT, [10, 0, 1, kind], 1, bytes([kind, 1, 0, 0, 0, 0, 0, 0]) + b"p" * 20))
    capture.add(at[0], ipv4([10, 0, 1, 8], CLIENT, 1, bytes(8) + b"p" * 20), from_client=False)
    capture.add(at[0], ipv6(*six, 58, bytes([128, 0, 0, 0, 0, 0, 0, 0]), traffic_class=0x28, hop_limit=9), vlan=7)
    capture.add(at[0] + 5, ipv6(*six[::-1], 58, bytes([129, 0, 0, 0, 0, 0, 0, 0])), from_client=False)
    capture.add(at[0] + 6, ipv4(CLIENT, SERVER, 46, b"rsvp"))
    # Fragments of UDP and TCP, and tunnels.
    whole = udp((700, 800), bytes(range(256)) * 4)
    for offset in (0, 400, 800):
        capture.add(at[0], ipv4(CLIENT, SERVER, 17, whole[offset:offset + 400], ident=9, offset=offset,
                                more=offset < 800))
    capture.add(at[0], ipv4(CLIENT, SERVER, 17, b"late", ident=10, offset=800))
    part = tcp((1010, 80), ACK, 1, 1, b"f" * 180, 0)
    capture.add(at[0], ipv4(CLIENT, SERVER, 6, part[:104], ident=11, more=True))
    capture.add(at[0], ipv4(CLIENT, SERVER, 6, part[104:], ident=11, offset=104))
    inner = ipv4([172, 16, 0, 1], [172, 16, 0, 2], 17, udp((5, 6), b"in"))
    capture.add(at[0], ipv4(CLIENT, SERVER, 47, bytes.fromhex("00000800") + inner))
    capture.add(at[0], ipv4(CLIENT, SERVER, 4, inner))


def make_random_conversations(path, seed):
    """Lossy, reordering, duplicating networks, with silences around the timeouts."""
    chance = random.Random(seed)
    packets = []
    for flow in range(120):
        start = 1_700_000_000 * 10**9 + chance.randrange(10 * 10**9)
        ports, six = (2000 + flow, chance.choice((22, 80, 443))), flow % 3 == 0
        ends = ([bytes([0xFD] + [0] * 13 + [flow, n]) for n in (1, 2)] if six
                else [bytes([10, 1, flow, n]) for n in (1, 2)])
        is_udp = flow % 4 == 3
        numbers = [chance.randrange(2**32), chance.randrange(2**32)]
        for step in range(chance.choice((1, 3, 20, 60))):
            start += int(chance.expovariate(1 / chance.choice((10**5, 10**7, 10**9)))) + 1
            if chance.random() < 0.01:
                start += chance.choice((1, 3, 100, 119, 125)) * 10**9
            side = 0 if step == 0 else chance.randrange(2)
            payload = chance.randbytes(chance.choice((0, 0, 1, 40, 600)))
            flags = ACK | (PSH if payload else 0)
            if step < 2 and chance.random() < 0.7:
                side, flags, payload = step, SYN | (ACK if step else 0), b""
            elif chance.random() < 0.02:
                flags = chance.choice((FIN | ACK, RST, FIN | ACK | PSH))
            length = len(payload) + (flags & SYN != 0) + (flags & FIN)
            body = (udp(ports[::-1] if side else ports, payload) if is_udp else
                    tcp(ports[::-1] if side else ports, flags, numbers[side], numbers[1 - side], payload,
                        chance.choice((0, 500, 65535))))
            numbers[side] = (numbers[side] + length) % 2**32
            addresses = ends[::-1] if side else ends
            packet = (ipv6 if six else ipv4)(*addresses, 17 if is_udp else 6, body)
            for copy in range(chance.choice((0,) + (1,) * 12 + (2,))):
                late = int(chance.expovariate(1 / 10**6)) if chance.random() < 0.15 or copy else 0
                packets.append((start + late, packet, side == 0))
    capture = Capture(path)
    for time, packet, from_client in sorted(packets, key=lambda entry: entry[0]):
        capture.add(time, packet, from_client=from_client)


def nanoseconds(text):
    whole, fraction = text.rstrip("Z").split(".")
    moment = datetime.datetime.fromisoformat(whole + "+00:00")
    return int(moment.timestamp()) * 10**9 + int(fraction)


def measured(program, path, settings):
    output = subprocess.run(
        [program, path, "--output", "json", "--statistics"] +
        [part for name, value in settings.items() for part in ("--" + name.replace("_", "-"), str(value))],
        check=True, capture_output=True, text=True).stdout
    records = [json.loads(line) for line in output.splitlines()]
    for record in records:
        record["first_seen"], record["last_seen"] = map(nanoseconds, (record["first_seen"], record["last_seen"]))
        for name in ("application", "category", "evidence", "metadata"):
            record.pop(name)
    return records


def ordered(records):
    return sorted(records, key=lambda r: (r["first_seen"], r["community_id"], r["protocol"], r["last_seen"],
                                          r["source_port"], r["forward_packets"]))


def differences(ours, expected, path=""):
    if isinstance(expected, dict) and isinstance(ours, dict):
        for key in sorted(set(ours) | set(expected)):
            yield from differences(ours.get(key, "absent"), expected.get(key, "absent"), path + "." + key)
    elif isinstance(expected, list) and isinstance(ours, list) and len(ours) == len(expected):
        for index, (a, b) in enumerate(zip(ours, expected)):
            yield from differences(a, b, f"{path}[{index}]")
    elif ours != expected:
        yield f"{path[1:]}: {ours}, expected {expected}"


def compare(program, path):
    numbers, wrong, kinds = 0, 0, {"retransmissions": 0, "out_of_order": 0, "zero_windows": 0, "resets": 0}
    for settings in SETTINGS:
        expected = ordered(meter.Meter(settings["first_packets"], settings["entropy_bytes"],
                                       int(settings["active_timeout"] * 10**9)).run(path))
        ours = ordered(measured(program, path, settings))
        if len(ours) != len(expected):
            print(f"{path}: {len(ours)} records, expected {len(expected)} with {settings}")
            wrong += 1
        for a, b in zip(ours, expected):
            numbers += sum(1 for _ in differences({}, b))
            for difference in differences(a, b):
                wrong += 1
                if wrong <= 20:
                    print(f"{path}: {b['source_address']}:{b['source_port']} -> {b['destination_address']}:"
                          f"{b['destination_port']} {settings}: {difference}")
            for name in kinds:
                kinds[name] += sum(b["statistics"][side][name] for side in ("forward", "reverse"))
    print(f"{os.path.basename(path)}: {len(expected)} records, {wrong} differences; {kinds}")
    return wrong, kinds


def main():
    program, captures = sys.argv[1], sys.argv[2:]
    with tempfile.TemporaryDirectory() as directory:
        cases = os.path.join(directory, "cases.pcap")
        make_transport_cases(cases)
        made = [cases]
        for seed in range(6):
            made.append(os.path.join(directory, f"random{seed}.pcap"))
            make_random_conversations(made[-1], seed)
        results = [compare(program, path) for path in captures + made]
    wrong = sum(wrong for wrong, _ in results)
    for name in ("retransmissions", "out_of_order", "zero_windows", "resets"):
        if sum(kinds[name] for _, kinds in results) < 20:
            print(f"the captures hold too few {name} to test them")
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
