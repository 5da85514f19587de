#include "flow/flow_entry.h"

namespace nta::internal {
namespace {

void FillDirection(const DirectionCounters& counters, std::uint8_t tcp_flags, FlowDirection& out) {
  out.packets = counters.packets;
  out.wire_bytes = counters.wire_bytes;
  out.ip_bytes = counters.ip_bytes;
  out.payload_bytes = counters.payload_bytes;
  out.tcp_flags = tcp_flags;
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
  const bool source_is_a = Is(kSourceIsA);
  record.source.address = ToAddress(source_is_a ? key.address_a : key.address_b, version);
  record.source.port = static_cast<std::uint16_t>(key.rest >> (source_is_a ? 0 : 16));
  record.destination.address = ToAddress(source_is_a ? key.address_b : key.address_a, version);
  record.destination.port = static_cast<std::uint16_t>(key.rest >> (source_is_a ? 16 : 0));
  record.first_seen = Timestamp(Duration(first_seen));
  record.last_seen = Timestamp(Duration(last_seen));
  record.protocol = static_cast<std::uint8_t>(key.rest >> 32);
  if (Is(kHasVlan)) record.vlan = vlan;
  FillDirection(counters[0], tcp_flags[0], record.forward);
  FillDirection(counters[1], tcp_flags[1], record.reverse);
  record.outcome = outcome;
  record.end_reason = reason;
  if (IsTcp()) record.tcp_state = StateOf(extra[0], extra[1]);
  if (Is(kHasIcmp)) record.icmp = IcmpMessage{.type = extra[0], .code = extra[1]};
}

}  // namespace nta::internal
