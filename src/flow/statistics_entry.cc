#include "flow/statistics_entry.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace nta::internal {

void StatisticsHead::Continue() {
  inter_arrival = {};
  sample_count = 0;
  active = 0;
  has_mac = 0;
}

void StatisticsHead::SwapDirections() {
  const auto swapped = [](unsigned bits) {
    return static_cast<std::uint8_t>((bits << 1 | bits >> 1) & 3);
  };
  initialised = swapped(initialised) & 3;
  active = swapped(active) & 3;
  has_request = swapped(has_request) & 3;
  has_mac = swapped(has_mac) & 3;
}

void StatisticsDirection::Add(std::int64_t time, const DecodedPacket& packet, bool is_first) {
  if (is_first) {
    hop_limit_minimum = packet.hop_limit;
    dscp = packet.traffic_class >> 2;
    inter_arrival.Clear();
    ip_length.Clear();
  } else {
    inter_arrival.Add(Gap(last_time, time));
    hop_limit_minimum = std::min(hop_limit_minimum, packet.hop_limit);
  }
  hop_limit_maximum = std::max(hop_limit_maximum, packet.hop_limit);
  ip_length.Add(packet.ip_bytes);
  tunnels = static_cast<std::uint16_t>(tunnels | packet.tunnels);
  last_time = time;
}

void StatisticsDirection::Continue() {
  const StatisticsDirection before = *this;
  *this = {};
  tcp = before.tcp;
  handshake_time = before.handshake_time;
}

void StatisticsRare::Continue() {
  for (Direction& direction : directions) {
    direction.retransmissions = direction.out_of_order = direction.zero_windows = 0;
  }
}

}  // namespace nta::internal
