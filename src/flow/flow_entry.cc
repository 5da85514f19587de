#include "flow/flow_entry.h"

namespace nta::internal {
namespace {

FlowDirection ToDirection(const DirectionCounters& counters, std::uint8_t tcp_flags) {
  return {.packets = counters.packets,
          .wire_bytes = counters.wire_bytes,
          .ip_bytes = counters.ip_bytes,
          .payload_bytes = counters.payload_bytes,
          .tcp_flags = tcp_flags};
}

TcpState StateOf(std::uint8_t forward, std::uint8_t reverse) {
  constexpr std::uint8_t kSynAck = kTcpSyn | kTcpAck;
  if (((forward | reverse) & kTcpRst) != 0) return TcpState::kReset;
  if ((forward & reverse & kTcpFin) != 0) return TcpState::kClosed;
  if (((forward | reverse) & kTcpFin) != 0) return TcpState::kClosing;
  if ((reverse & kSynAck) == kSynAck) {
    return (forward & kTcpAck) != 0 ? TcpState::kEstablished : TcpState::kSynReceived;
  }
  if ((forward & kTcpSyn) == 0) return TcpState::kMidstream;
  // Data both ways proves a handshake whose answer was missed.
  return reverse == 0 ? TcpState::kSynSent : TcpState::kEstablished;
}

}  // namespace

void FlowEntry::FillRecord(FlowEndReason reason, FlowRecord& record) const {
  const int version = static_cast<int>(key.rest >> 40 & 0xff);
  Endpoint a{ToAddress(key.address_a, version), static_cast<std::uint16_t>(key.rest)};
  Endpoint b{ToAddress(key.address_b, version), static_cast<std::uint16_t>(key.rest >> 16)};
  if (!Is(kSourceIsA)) std::swap(a, b);
  record.first_seen = Timestamp(Duration(first_seen));
  record.last_seen = Timestamp(Duration(last_seen));
  record.protocol = static_cast<std::uint8_t>(key.rest >> 32);
  record.source = a;
  record.destination = b;
  if (Is(kHasVlan)) record.vlan = vlan;
  record.forward = ToDirection(counters[0], tcp_flags[0]);
  record.reverse = ToDirection(counters[1], tcp_flags[1]);
  record.outcome = outcome;
  record.end_reason = reason;
  if (IsTcp()) record.tcp_state = StateOf(extra[0], extra[1]);
  if (Is(kHasIcmp)) record.icmp = IcmpMessage{.type = extra[0], .code = extra[1]};
}

}  // namespace nta::internal
