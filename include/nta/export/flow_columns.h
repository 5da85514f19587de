// FlowColumns: flows as one array per field, for NumPy, Arrow and column stores.
//
//   nta::FlowColumns columns;
//   for (const nta::FlowRecord& flow : batch.flows) columns.Append(flow);
#ifndef NTA_EXPORT_FLOW_COLUMNS_H_
#define NTA_EXPORT_FLOW_COLUMNS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "nta/flow/flow_record.h"

namespace nta {

// What FlowStatistics has, under the names of docs/flow_features.md; the first packets and MAC
// addresses are left out. Rows without statistics are 0, absent round trips -1, absent entropies
// not a number.
struct FlowStatisticsColumns {
  template <typename Number>
  struct Column {
    std::string_view name;
    std::vector<Number> values;
  };
  std::vector<Column<std::int64_t>> integers;
  std::vector<Column<double>> numbers;

  // Makes the columns, for flows that have been appended without them.
  void Enable(std::size_t flows);
  void Append(const FlowStatistics& statistics);
};

// All vectors have size() elements unless they say otherwise; element i of each belongs to flow i.
struct FlowColumns {
  std::vector<std::int64_t> first_seen;  // nanoseconds since 1970 UTC
  std::vector<std::int64_t> last_seen;
  std::vector<std::uint8_t> protocol;
  std::vector<std::array<std::uint8_t, 16>> source_address;  // IPv4 as ::ffff:a.b.c.d
  std::vector<std::uint16_t> source_port;
  std::vector<std::array<std::uint8_t, 16>> destination_address;
  std::vector<std::uint16_t> destination_port;
  std::vector<std::uint8_t> ip_version;
  std::vector<std::int32_t> vlan;  // -1 where there is none
  std::vector<std::uint64_t> forward_packets;
  std::vector<std::uint64_t> forward_wire_bytes;
  std::vector<std::uint64_t> forward_ip_bytes;
  std::vector<std::uint64_t> forward_payload_bytes;
  std::vector<std::uint64_t> reverse_packets;
  std::vector<std::uint64_t> reverse_wire_bytes;
  std::vector<std::uint64_t> reverse_ip_bytes;
  std::vector<std::uint64_t> reverse_payload_bytes;
  std::vector<std::uint8_t> forward_tcp_flags;
  std::vector<std::uint8_t> reverse_tcp_flags;
  std::vector<std::uint8_t> outcome;     // ContactOutcome
  std::vector<std::uint8_t> end_reason;  // FlowEndReason
  std::vector<std::uint8_t> tcp_state;   // TcpState
  std::vector<std::int16_t> icmp_type;   // -1 where there is none
  std::vector<std::int16_t> icmp_code;
  std::vector<std::uint16_t> application;  // Application
  std::vector<std::uint8_t> category;      // ApplicationCategory
  std::vector<std::uint8_t> evidence;      // ApplicationEvidence
  // Empty while no flow has any.
  std::vector<std::shared_ptr<const FlowMetadata>> metadata;
  std::vector<std::shared_ptr<const FlowStatistics>> statistics;
  FlowStatisticsColumns statistics_columns;  // with columns when `statistics` has elements

  std::size_t size() const { return first_seen.size(); }
  void Append(const FlowRecord& flow);
  // Has the columns of statistics even if no flow has any.
  void EnableStatistics();
  // The flow at index i; i < size().
  FlowRecord Row(std::size_t i) const;
  void Reserve(std::size_t flows);
  std::size_t memory_bytes() const;
};

}  // namespace nta

#endif  // NTA_EXPORT_FLOW_COLUMNS_H_
