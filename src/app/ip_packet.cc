#include "app/ip_packet.h"

#include <cstddef>

namespace nta::internal {
namespace {

constexpr std::size_t kIpv4Header = 20;
constexpr std::size_t kTcpHeader = 20;
constexpr std::size_t kUdpHeader = 8;
constexpr std::size_t kLongest = 65'535 - kIpv4Header - kTcpHeader;
constexpr std::uint8_t kHopLimit = 64;

class Writer {
 public:
  explicit Writer(std::vector<std::uint8_t>& bytes) : bytes_(bytes) {}

  Writer& U8(std::uint8_t value) {
    bytes_.push_back(value);
    return *this;
  }
  Writer& U16(std::size_t value) {
    return U8(static_cast<std::uint8_t>(value >> 8)).U8(static_cast<std::uint8_t>(value));
  }
  Writer& U32(std::uint32_t value) { return U16(value >> 16).U16(value & 0xffff); }
  template <typename Range>
  Writer& Append(const Range& range) {
    bytes_.insert(bytes_.end(), range.begin(), range.end());
    return *this;
  }

 private:
  std::vector<std::uint8_t>& bytes_;
};

//   0               1               2               3
//  | version, IHL  | TOS           | total length                  |   RFC 791
//  | identification                | flags, fragment offset        |
//  | TTL           | protocol      | header checksum               |
//  | source, destination                                           |
void WriteIpv4(const DecodedPacket& packet, std::size_t length, Writer& out) {
  out.U8(0x45).U8(0).U16(kIpv4Header + length).U32(0);
  out.U8(kHopLimit).U8(packet.protocol).U16(0);
  out.Append(packet.source.bytes()).Append(packet.destination.bytes());
}

//  | version, class, flow label                                    |   RFC 8200
//  | payload length                | next header   | hop limit     |
//  | source, destination                                           |
void WriteIpv6(const DecodedPacket& packet, std::size_t length, Writer& out) {
  out.U32(0x60000000).U16(length).U8(packet.protocol).U8(kHopLimit);
  out.Append(packet.source.bytes()).Append(packet.destination.bytes());
}

}  // namespace

void AsIpPacket(const DecodedPacket& packet, std::vector<std::uint8_t>& bytes) {
  bytes.clear();
  const bool is_udp = packet.has_ports && packet.protocol == kProtocolUdp;
  if ((!packet.is_tcp() && !is_udp) || packet.payload.size() > kLongest) return;
  if (packet.source.is_v4() != packet.destination.is_v4()) return;
  const std::size_t length = (is_udp ? kUdpHeader : kTcpHeader) + packet.payload.size();
  Writer out(bytes);
  packet.source.is_v4() ? WriteIpv4(packet, length, out) : WriteIpv6(packet, length, out);
  out.U16(packet.source_port).U16(packet.destination_port);
  if (is_udp) {
    out.U16(length).U16(0);
  } else {
    out.U32(packet.tcp_sequence).U32(packet.tcp_acknowledgment);
    out.U8(0x50).U8(packet.tcp_flags).U16(packet.tcp_window).U32(0);
  }
  out.Append(packet.payload);
}

}  // namespace nta::internal
