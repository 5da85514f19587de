#include "flow/statistics_entry.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace nta::internal {
namespace {

// 0 when the time stamps run backwards.
std::uint64_t Gap(std::int64_t from, std::int64_t to) {
  return to > from ? static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from) : 0;
}

}  // namespace

void DirectionSums::Add(std::int64_t time, const DecodedPacket& packet) {
  if (packets == 0) {
    hop_limit_minimum = packet.hop_limit;
    dscp = packet.traffic_class >> 2;
  } else {
    inter_arrival.Add(Gap(last_time, time), packets == 1);
    hop_limit_minimum = std::min(hop_limit_minimum, packet.hop_limit);
  }
  hop_limit_maximum = std::max(hop_limit_maximum, packet.hop_limit);
  ip_length.Add(packet.ip_bytes, packets == 0);
  last_time = time;
  ++packets;
}

void TcpSums::Add(const DecodedPacket& packet) {
  const bool is_syn = (packet.tcp_flags & kTcpSyn) != 0;
  const bool is_fin = (packet.tcp_flags & kTcpFin) != 0;
  if ((packet.tcp_flags & kTcpRst) != 0) {
    // Its number need not be one of the stream.
    if (resets != ~std::uint32_t{0}) ++resets;
    return;
  }
  if (packet.tcp_window == 0 && !is_syn && !is_fin) ++zero_windows;
  const std::uint32_t length = packet.payload_bytes + (is_syn ? 1 : 0) + (is_fin ? 1 : 0);
  const bool is_probe = packet.payload_bytes == 1 && !is_syn && !is_fin;
  switch (progress.Add(packet.tcp_sequence, length, is_syn, is_probe)) {
    case SegmentKind::kNew:
      break;
    case SegmentKind::kRetransmission:
      ++retransmissions;
      break;
    case SegmentKind::kOutOfOrder:
      ++out_of_order;
      break;
  }
}

void StatisticsEntry::Add(std::size_t direction, std::int64_t time, const DecodedPacket& packet) {
  const std::uint64_t before = packets();
  if (before == 0) {
    first_time = time;
  } else {
    inter_arrival.Add(Gap(directions[last_direction].last_time, time), before == 1);
  }
  tunnels = static_cast<std::uint16_t>(tunnels | packet.tunnels);
  if (packet.has_mac && has_mac == 0) {
    has_mac = 1;
    const bool is_forward = direction == 0;
    std::memcpy(is_forward ? source_mac : destination_mac, packet.source_mac.bytes.data(), 6);
    std::memcpy(is_forward ? destination_mac : source_mac, packet.destination_mac.bytes.data(), 6);
  }
  last_direction = direction & 1;
  directions[direction].Add(time, packet);
  if (packet.is_fragment) {
    ++fragments[direction];
  } else if (packet.has_tcp_header) {
    AddHandshake(direction, time, packet);
    tcp[direction].Add(packet);
  }
}

void StatisticsEntry::AddHandshake(std::size_t direction, std::int64_t time,
                                   const DecodedPacket& packet) {
  const int kind = packet.tcp_flags & (kTcpSyn | kTcpAck | kTcpRst);
  const TcpProgress& other = tcp[1 - direction].progress;
  // Whether it acknowledges something that the other side sent.
  const bool acknowledges = other.is_known && packet.tcp_acknowledgment - other.lowest - 1 <
                                                  other.next - other.lowest;
  if (kind == kTcpSyn) {
    has_request = static_cast<std::uint8_t>(has_request | 1U << direction) & 3;
    tcp[direction].request_time = time;
  } else if (direction == 1 && kind == (kTcpSyn | kTcpAck) &&
             handshake != Handshake::kAcknowledged) {
    if ((has_request & 1) != 0 && acknowledges && has_destination_round_trip == 0) {
      has_destination_round_trip = 1;
      destination_round_trip = static_cast<std::int64_t>(Gap(tcp[0].request_time, time));
    }
    handshake = Handshake::kAnswered;
    answer_time = time;
  } else if (direction == 0 && kind == kTcpAck && handshake == Handshake::kAnswered &&
             acknowledges) {
    handshake = Handshake::kAcknowledged;
    source_round_trip = static_cast<std::int64_t>(Gap(answer_time, time));
  }
}

void StatisticsEntry::Continue() {
  const StatisticsEntry before = *this;
  *this = {};
  handshake = before.handshake;
  has_request = before.has_request;
  has_destination_round_trip = before.has_destination_round_trip;
  destination_round_trip = before.destination_round_trip;
  answer_time = before.answer_time;
  for (int i = 0; i < 2; ++i) {
    tcp[i].progress = before.tcp[i].progress;
    tcp[i].request_time = before.tcp[i].request_time;
  }
}

void StatisticsEntry::SwapDirections() {
  std::swap(directions[0], directions[1]);
  std::swap(tcp[0], tcp[1]);
  std::swap(fragments[0], fragments[1]);
  std::swap(source_mac, destination_mac);
  last_direction = last_direction == 0 ? 1 : 0;
  has_request = static_cast<std::uint8_t>(has_request << 1 | has_request >> 1) & 3;
}

void StatisticsEntry::Fill(FlowStatistics& out) const {
  for (int i = 0; i < 2; ++i) {
    FlowDirectionStatistics& to = i == 0 ? out.forward : out.reverse;
    const DirectionSums& from = directions[i];
    to.ip_length = from.ip_length.ToMoments(from.packets);
    to.inter_arrival = from.inter_arrival.ToMoments(from.packets == 0 ? 0 : from.packets - 1);
    to.hop_limit_minimum = from.hop_limit_minimum;
    to.hop_limit_maximum = from.hop_limit_maximum;
    to.dscp = from.dscp;
    to.fragments = fragments[i];
    to.retransmissions = tcp[i].retransmissions;
    to.out_of_order = tcp[i].out_of_order;
    to.zero_windows = tcp[i].zero_windows;
    to.resets = tcp[i].resets;
  }
  out.inter_arrival = inter_arrival.ToMoments(packets() == 0 ? 0 : packets() - 1);
  if (has_destination_round_trip != 0) {
    out.destination_round_trip = Duration(destination_round_trip);
  }
  if (handshake == Handshake::kAcknowledged) out.source_round_trip = Duration(source_round_trip);
  if (has_mac != 0) {
    out.source_mac = MacAddress{std::to_array(source_mac)};
    out.destination_mac = MacAddress{std::to_array(destination_mac)};
  }
  out.tunnels = tunnels;
}

}  // namespace nta::internal
