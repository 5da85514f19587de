// FlowStatistics: how the packets of a flow were made and timed. docs/flow_features.md defines each
// number.
//
//   nta::FlowTable::Create({.statistics = nta::FlowStatisticsOptions{}});
//   flow.statistics->forward.inter_arrival.mean
#ifndef NTA_FLOW_FLOW_STATISTICS_H_
#define NTA_FLOW_FLOW_STATISTICS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "nta/net/mac_address.h"
#include "nta/net/time.h"

namespace nta {

struct FlowStatisticsOptions {
  // Packets of which size, direction and time are kept (SPLT): 0 to 255.
  std::size_t first_packets = 16;
  // Payload bytes of each direction that the entropy is taken of: 0 (none) to 65,535. Takes 1 KiB a
  // flow.
  std::size_t entropy_bytes = 0;
};

// Of a sample of whole numbers; everything is 0 when count is 0.
struct Moments {
  std::uint64_t count = 0;
  std::uint64_t minimum = 0;
  std::uint64_t maximum = 0;
  double mean = 0;
  double deviation = 0;  // standard deviation of the population

  friend bool operator==(const Moments&, const Moments&) = default;
};

struct FlowDirectionStatistics {
  Moments ip_length;      // bytes
  Moments inter_arrival;  // nanoseconds between neighbours of this direction
  std::uint8_t hop_limit_minimum = 0;
  std::uint8_t hop_limit_maximum = 0;
  std::uint8_t dscp = 0;        // of the first packet, 0 to 63
  std::uint64_t fragments = 0;  // first ones included
  // TCP; 0 for the others.
  std::uint64_t retransmissions = 0;  // segments of which every byte had been seen
  std::uint64_t out_of_order = 0;     // segments behind later ones, with bytes not seen before
  std::uint64_t zero_windows = 0;     // no room to receive
  std::uint64_t resets = 0;
  // Bits per byte, 0 to 8, of the first payload; absent without payload or without the option.
  std::optional<double> payload_entropy;

  friend bool operator==(const FlowDirectionStatistics&, const FlowDirectionStatistics&) = default;
};

// One of the first packets of a flow.
struct PacketSample {
  Duration offset{};  // since first_seen; negative when it was overtaken
  std::uint32_t ip_bytes = 0;
  std::uint32_t payload_bytes = 0;
  bool is_forward = true;

  friend bool operator==(const PacketSample&, const PacketSample&) = default;
};

struct FlowStatistics {
  FlowDirectionStatistics forward;
  FlowDirectionStatistics reverse;
  Moments inter_arrival;  // nanoseconds between neighbours, whatever their direction
  // Handshake round trips as seen where the packets were captured: SYN to SYN-ACK (to the
  // destination and back), SYN-ACK to ACK (to the source and back).
  std::optional<Duration> destination_round_trip;
  std::optional<Duration> source_round_trip;
  // Of the first packet with them, as a packet of the source would have them.
  std::optional<MacAddress> source_mac;
  std::optional<MacAddress> destination_mac;
  std::uint16_t tunnels = 0;  // OR of Tunnel (packet/decode.h) over all packets
  std::vector<PacketSample> first_packets;

  friend bool operator==(const FlowStatistics&, const FlowStatistics&) = default;
};

}  // namespace nta

#endif  // NTA_FLOW_FLOW_STATISTICS_H_
