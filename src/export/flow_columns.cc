#include "nta/export/flow_columns.h"

#include <algorithm>
#include <cstring>

namespace nta {
namespace {

using AddressBytes = std::array<std::uint8_t, 16>;

constexpr std::uint8_t kMappedPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

AddressBytes ToBytes(const IpAddress& address) {
  if (!address.is_v4()) return address.padded_bytes();
  AddressBytes bytes;
  std::memcpy(bytes.data(), kMappedPrefix, 12);
  std::memcpy(bytes.data() + 12, address.bytes().data(), 4);
  return bytes;
}

IpAddress FromBytes(const AddressBytes& bytes, int version) {
  return version == 4 ? IpAddress::V4(std::span(bytes).last<4>()) : IpAddress::V6(bytes);
}

// Calls f for each column.
template <typename Columns, typename F>
void ForEachColumn(Columns& columns, const F& f) {
  f(columns.first_seen);
  f(columns.last_seen);
  f(columns.protocol);
  f(columns.source_address);
  f(columns.source_port);
  f(columns.destination_address);
  f(columns.destination_port);
  f(columns.ip_version);
  f(columns.vlan);
  f(columns.forward_packets);
  f(columns.forward_wire_bytes);
  f(columns.forward_ip_bytes);
  f(columns.forward_payload_bytes);
  f(columns.reverse_packets);
  f(columns.reverse_wire_bytes);
  f(columns.reverse_ip_bytes);
  f(columns.reverse_payload_bytes);
  f(columns.forward_tcp_flags);
  f(columns.reverse_tcp_flags);
  f(columns.outcome);
  f(columns.end_reason);
  f(columns.tcp_state);
  f(columns.icmp_type);
  f(columns.icmp_code);
  f(columns.application);
  f(columns.category);
  f(columns.evidence);
}

// Pointers that no flow had so far take no memory.
template <typename Pointer>
void AppendPointer(std::size_t before, const Pointer& pointer, std::vector<Pointer>& out) {
  if (out.empty() && pointer == nullptr) return;
  out.resize(before);
  out.push_back(pointer);
}

}  // namespace

void FlowColumns::Append(const FlowRecord& flow) {
  first_seen.push_back(flow.first_seen.time_since_epoch().count());
  last_seen.push_back(flow.last_seen.time_since_epoch().count());
  protocol.push_back(flow.protocol);
  source_address.push_back(ToBytes(flow.source.address));
  source_port.push_back(flow.source.port);
  destination_address.push_back(ToBytes(flow.destination.address));
  destination_port.push_back(flow.destination.port);
  ip_version.push_back(static_cast<std::uint8_t>(flow.source.address.version()));
  vlan.push_back(flow.vlan ? *flow.vlan : -1);
  forward_packets.push_back(flow.forward.packets);
  forward_wire_bytes.push_back(flow.forward.wire_bytes);
  forward_ip_bytes.push_back(flow.forward.ip_bytes);
  forward_payload_bytes.push_back(flow.forward.payload_bytes);
  reverse_packets.push_back(flow.reverse.packets);
  reverse_wire_bytes.push_back(flow.reverse.wire_bytes);
  reverse_ip_bytes.push_back(flow.reverse.ip_bytes);
  reverse_payload_bytes.push_back(flow.reverse.payload_bytes);
  forward_tcp_flags.push_back(flow.forward.tcp_flags);
  reverse_tcp_flags.push_back(flow.reverse.tcp_flags);
  outcome.push_back(static_cast<std::uint8_t>(flow.outcome));
  end_reason.push_back(static_cast<std::uint8_t>(flow.end_reason));
  tcp_state.push_back(static_cast<std::uint8_t>(flow.tcp_state));
  icmp_type.push_back(flow.icmp ? flow.icmp->type : std::int16_t{-1});
  icmp_code.push_back(flow.icmp ? flow.icmp->code : std::int16_t{-1});
  application.push_back(static_cast<std::uint16_t>(flow.application));
  category.push_back(static_cast<std::uint8_t>(flow.category));
  evidence.push_back(static_cast<std::uint8_t>(flow.evidence));
  AppendPointer(size() - 1, flow.metadata, metadata);
  AppendPointer(size() - 1, flow.statistics, statistics);
  if (flow.statistics) statistics_columns.Enable(size() - 1);
  if (statistics_columns.integers.empty()) return;
  statistics_columns.Append(flow.statistics ? *flow.statistics : FlowStatistics{});
}

void FlowColumns::EnableStatistics() { statistics_columns.Enable(size()); }

FlowRecord FlowColumns::Row(std::size_t i) const {
  FlowRecord flow;
  flow.first_seen = Timestamp(Duration(first_seen[i]));
  flow.last_seen = Timestamp(Duration(last_seen[i]));
  flow.protocol = protocol[i];
  flow.source = {FromBytes(source_address[i], ip_version[i]), source_port[i]};
  flow.destination = {FromBytes(destination_address[i], ip_version[i]), destination_port[i]};
  if (vlan[i] >= 0) flow.vlan = static_cast<std::uint16_t>(vlan[i]);
  flow.forward = {forward_packets[i], forward_wire_bytes[i], forward_ip_bytes[i],
                  forward_payload_bytes[i], forward_tcp_flags[i]};
  flow.reverse = {reverse_packets[i], reverse_wire_bytes[i], reverse_ip_bytes[i],
                  reverse_payload_bytes[i], reverse_tcp_flags[i]};
  flow.outcome = static_cast<ContactOutcome>(outcome[i]);
  flow.end_reason = static_cast<FlowEndReason>(end_reason[i]);
  flow.tcp_state = static_cast<TcpState>(tcp_state[i]);
  if (icmp_type[i] >= 0) {
    flow.icmp = IcmpMessage{static_cast<std::uint8_t>(icmp_type[i]),
                            static_cast<std::uint8_t>(icmp_code[i])};
  }
  flow.application = static_cast<Application>(application[i]);
  flow.category = static_cast<ApplicationCategory>(category[i]);
  flow.evidence = static_cast<ApplicationEvidence>(evidence[i]);
  if (!metadata.empty()) flow.metadata = metadata[i];
  if (!statistics.empty()) flow.statistics = statistics[i];
  return flow;
}

void FlowColumns::Reserve(std::size_t flows) {
  ForEachColumn(*this, [flows](auto& column) { column.reserve(flows); });
}

std::size_t FlowColumns::memory_bytes() const {
  std::size_t bytes = 0;
  ForEachColumn(*this,
                [&bytes](const auto& column) { bytes += column.capacity() * sizeof(column[0]); });
  for (const auto& pointer : metadata) {
    bytes += sizeof(pointer) + (pointer ? sizeof(*pointer) + pointer->memory_bytes() : 0);
  }
  for (const auto& pointer : statistics) {
    bytes += sizeof(pointer);
    if (!pointer) continue;
    bytes += sizeof(*pointer) + pointer->first_packets.capacity() * sizeof(PacketSample);
  }
  for (const auto& column : statistics_columns.integers) bytes += column.values.capacity() * 8;
  for (const auto& column : statistics_columns.numbers) bytes += column.values.capacity() * 8;
  return bytes;
}

}  // namespace nta
