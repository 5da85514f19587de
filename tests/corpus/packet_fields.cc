// packet_fields FILE: what Decode() says of each packet, as CSV.
#include <cstdio>
#include <string>

#include "nta/capture/pcap_file_reader.h"
#include "nta/packet/decode.h"

namespace {

std::string Row(const nta::DecodedPacket& packet) {
  std::string row = std::to_string(packet.wire_bytes) + ',' + std::to_string(packet.captured_bytes);
  row += packet.has_vlan ? ',' + std::to_string(packet.vlan) : ",";
  if (!packet.has_ip()) return row + ",,,,,,,,,,,";
  row += ',' + packet.source.ToString() + ',' + packet.destination.ToString();
  row += ',' + std::to_string(packet.protocol) + ',' + std::to_string(packet.hop_limit);
  row += packet.has_ports ? ',' + std::to_string(packet.source_port) + ',' +
                                std::to_string(packet.destination_port)
                          : ",,";
  row += ',' + std::to_string(packet.tcp_flags);
  row += packet.has_icmp ? ',' + std::to_string(packet.icmp_type) : ",";
  row += ',' + std::to_string(packet.payload_bytes);
  row += ',' + std::to_string(packet.tunnels) + (packet.is_later_fragment ? ",later" : ",");
  return row + ',' + std::string(ToString(packet.reason));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto reader = nta::PcapFileReader::Open(argv[1]);
  if (!reader.ok()) return 1;
  std::puts(
      "len,caplen,vlan,src,dst,protocol,ttl,sport,dport,tcp_flags,icmp_type,payload,tunnels,"
      "fragment,reason");
  nta::PacketBatch batch;
  while (true) {
    const auto result = (*reader)->Read(batch);
    for (const nta::PacketView& packet : batch) {
      std::puts(Row(nta::Decode(packet)).c_str());
    }
    if (!result.ok() || *result == nta::ReadResult::kEnd) return 0;
  }
}
