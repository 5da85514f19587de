// Packets of floods and of ordinary traffic, decoded, without bytes.
#ifndef NTA_TESTS_DETECT_PACKETS_H_
#define NTA_TESTS_DETECT_PACKETS_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

#include "nta/detect/detector.h"
#include "nta/packet/decode.h"

namespace nta::testing {

inline Timestamp PacketTime(Duration since_start) {
  return Timestamp(std::chrono::seconds(1'700'000'000)) + since_start;
}

inline DecodedPacket Ip(Duration at, const IpAddress& from, const IpAddress& to,
                        std::uint8_t protocol, std::uint32_t bytes = 60) {
  DecodedPacket packet;
  packet.time = PacketTime(at);
  packet.wire_bytes = packet.captured_bytes = bytes;
  packet.ip_version = from.is_v4() ? 4 : 6;
  packet.protocol = protocol;
  packet.ip_bytes = bytes - 14;
  packet.source = from;
  packet.destination = to;
  return packet;
}

inline DecodedPacket Tcp(Duration at, const IpAddress& from, std::uint16_t from_port,
                         const IpAddress& to, std::uint16_t to_port, std::uint8_t flags,
                         std::uint32_t bytes = 60) {
  DecodedPacket packet = Ip(at, from, to, kProtocolTcp, bytes);
  packet.has_ports = packet.has_tcp_header = true;
  packet.source_port = from_port;
  packet.destination_port = to_port;
  packet.tcp_flags = flags;
  return packet;
}

inline DecodedPacket Udp(Duration at, const IpAddress& from, std::uint16_t from_port,
                         const IpAddress& to, std::uint16_t to_port, std::uint32_t bytes = 120) {
  DecodedPacket packet = Ip(at, from, to, kProtocolUdp, bytes);
  packet.has_ports = true;
  packet.source_port = from_port;
  packet.destination_port = to_port;
  return packet;
}

inline DecodedPacket Ping(Duration at, const IpAddress& from, const IpAddress& to) {
  DecodedPacket packet = Ip(at, from, to, kProtocolIcmp, 98);
  packet.has_icmp = true;
  packet.icmp_type = 8;
  return packet;
}

inline void SortByTime(std::vector<DecodedPacket>& packets) {
  std::stable_sort(packets.begin(), packets.end(),
                   [](const auto& a, const auto& b) { return a.time < b.time; });
}

// In bursts of `burst` packets, as a pipeline would give them.
inline std::vector<Alert> AlertsOfPackets(Detector& detector,
                                          const std::vector<DecodedPacket>& packets,
                                          std::size_t burst = 64) {
  std::vector<Alert> alerts;
  const std::vector<PacketView> views(std::min(burst, packets.size()));
  for (std::size_t at = 0; at < packets.size(); at += burst) {
    const std::size_t size = std::min(burst, packets.size() - at);
    const auto part = std::span(packets).subspan(at, size);
    detector.ObservePackets(std::span(views).first(size), part, alerts);
    detector.AdvanceTo(part.back().time, alerts);
  }
  detector.Finish(alerts);
  return alerts;
}

}  // namespace nta::testing

#endif  // NTA_TESTS_DETECT_PACKETS_H_
