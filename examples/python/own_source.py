"""own_source.py: packets that a program makes itself become flows."""

import struct

import nta


class Generator(nta.PacketSource):
    """Ten DNS-sized packets from each of three hosts."""

    def __init__(self):
        self.rounds = 10

    def read(self):
        if self.rounds == 0:
            return None  # the end; an empty list would mean "nothing yet"
        self.rounds -= 1
        return [nta.Packet(self.frame(host), time=self.rounds, link_type="raw") for host in (1, 2, 3)]

    def frame(self, host):
        udp = struct.pack("!HHHH", 5353, 53, 8, 0)
        return struct.pack("!BBHHHBBH4B4B", 0x45, 0, 28, 0, 0, 64, 17, 0,
                           10, 0, 0, host, 10, 0, 0, 53) + udp  # fmt: skip


for batch in nta.Pipeline(Generator()):
    for flow in batch.flows:
        print(flow)
