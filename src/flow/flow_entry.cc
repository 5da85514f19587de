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

}  // namespace

FlowRecord FlowEntry::ToRecord(FlowEndReason reason) const {
  const int version = static_cast<int>(key.rest >> 40 & 0xff);
  Endpoint a{ToAddress(key.address_a, version), static_cast<std::uint16_t>(key.rest)};
  Endpoint b{ToAddress(key.address_b, version), static_cast<std::uint16_t>(key.rest >> 16)};
  if (!Is(kSourceIsA)) std::swap(a, b);
  FlowRecord record;
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
  return record;
}

}  // namespace nta::internal
