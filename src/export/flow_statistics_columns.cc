#include <algorithm>
#include <limits>

#include "nta/export/flow_columns.h"

namespace nta {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

template <typename Number>
struct Field {
  std::string_view name;
  Number (*value)(const FlowStatistics& s);
};

constexpr Field<std::int64_t> kIntegers[] = {
    {"forward_ip_length_minimum",
     [](const FlowStatistics& s) {
       return static_cast<std::int64_t>(s.forward.ip_length.minimum);
     }},
    {"forward_ip_length_maximum",
     [](const FlowStatistics& s) {
       return static_cast<std::int64_t>(s.forward.ip_length.maximum);
     }},
    {"forward_inter_arrival_minimum",
     [](const FlowStatistics& s) {
       return static_cast<std::int64_t>(s.forward.inter_arrival.minimum);
     }},
    {"forward_inter_arrival_maximum",
     [](const FlowStatistics& s) {
       return static_cast<std::int64_t>(s.forward.inter_arrival.maximum);
     }},
    {"forward_hop_limit_minimum",
     [](const FlowStatistics& s) {
       return static_cast<std::int64_t>(s.forward.hop_limit_minimum);
     }},
    {"forward_hop_limit_maximum",
     [](const FlowStatistics& s) {
       return static_cast<std::int64_t>(s.forward.hop_limit_maximum);
     }},
    {"forward_dscp",
     [](const FlowStatistics& s) { return static_cast<std::int64_t>(s.forward.dscp); }},
    {"forward_fragments",
     [](const FlowStatistics& s) { return static_cast<std::int64_t>(s.forward.fragments); }},
    {"forward_retransmissions",
     [](const FlowStatistics& s) { return static_cast<std::int64_t>(s.forward.retransmissions); }},
    {"forward_out_of_order",
     [](const FlowStatistics& s) { return static_cast<std::int64_t>(s.forward.out_of_order); }},
    {"forward_zero_windows",
     [](const FlowStatistics& s) { return static_cast<std::int64_t>(s.forward.zero_windows); }},
    {"forward_resets",
     [](const FlowStatistics& s) { return static_cast<std::int64_t>(s.forward.resets); }},
    {"reverse_ip_length_minimum",
     [](const FlowStatistics& s) {
       return static_cast<std::int64_t>(s.reverse.ip_length.minimum);
     }},
    {"reverse_ip_length_maximum",
     [](const FlowStatistics& s) {
       return static_cast<std::int64_t>(s.reverse.ip_length.maximum);
     }},
    {"reverse_inter_arrival_minimum",
     [](const FlowStatistics& s) {
       return static_cast<std::int64_t>(s.reverse.inter_arrival.minimum);
     }},
    {"reverse_inter_arrival_maximum",
     [](const FlowStatistics& s) {
       return static_cast<std::int64_t>(s.reverse.inter_arrival.maximum);
     }},
    {"reverse_hop_limit_minimum",
     [](const FlowStatistics& s) {
       return static_cast<std::int64_t>(s.reverse.hop_limit_minimum);
     }},
    {"reverse_hop_limit_maximum",
     [](const FlowStatistics& s) {
       return static_cast<std::int64_t>(s.reverse.hop_limit_maximum);
     }},
    {"reverse_dscp",
     [](const FlowStatistics& s) { return static_cast<std::int64_t>(s.reverse.dscp); }},
    {"reverse_fragments",
     [](const FlowStatistics& s) { return static_cast<std::int64_t>(s.reverse.fragments); }},
    {"reverse_retransmissions",
     [](const FlowStatistics& s) { return static_cast<std::int64_t>(s.reverse.retransmissions); }},
    {"reverse_out_of_order",
     [](const FlowStatistics& s) { return static_cast<std::int64_t>(s.reverse.out_of_order); }},
    {"reverse_zero_windows",
     [](const FlowStatistics& s) { return static_cast<std::int64_t>(s.reverse.zero_windows); }},
    {"reverse_resets",
     [](const FlowStatistics& s) { return static_cast<std::int64_t>(s.reverse.resets); }},
    {"inter_arrival_minimum",
     [](const FlowStatistics& s) { return static_cast<std::int64_t>(s.inter_arrival.minimum); }},
    {"inter_arrival_maximum",
     [](const FlowStatistics& s) { return static_cast<std::int64_t>(s.inter_arrival.maximum); }},
    {"destination_round_trip",
     [](const FlowStatistics& s) {
       return static_cast<std::int64_t>(s.destination_round_trip.value_or(Duration(-1)).count());
     }},
    {"source_round_trip",
     [](const FlowStatistics& s) {
       return static_cast<std::int64_t>(s.source_round_trip.value_or(Duration(-1)).count());
     }},
    {"tunnels", [](const FlowStatistics& s) { return static_cast<std::int64_t>(s.tunnels); }},
};

constexpr Field<double> kNumbers[] = {
    {"forward_ip_length_mean", [](const FlowStatistics& s) { return s.forward.ip_length.mean; }},
    {"forward_ip_length_deviation",
     [](const FlowStatistics& s) { return s.forward.ip_length.deviation; }},
    {"forward_inter_arrival_mean",
     [](const FlowStatistics& s) { return s.forward.inter_arrival.mean; }},
    {"forward_inter_arrival_deviation",
     [](const FlowStatistics& s) { return s.forward.inter_arrival.deviation; }},
    {"forward_payload_entropy",
     [](const FlowStatistics& s) { return s.forward.payload_entropy.value_or(kNone); }},
    {"reverse_ip_length_mean", [](const FlowStatistics& s) { return s.reverse.ip_length.mean; }},
    {"reverse_ip_length_deviation",
     [](const FlowStatistics& s) { return s.reverse.ip_length.deviation; }},
    {"reverse_inter_arrival_mean",
     [](const FlowStatistics& s) { return s.reverse.inter_arrival.mean; }},
    {"reverse_inter_arrival_deviation",
     [](const FlowStatistics& s) { return s.reverse.inter_arrival.deviation; }},
    {"reverse_payload_entropy",
     [](const FlowStatistics& s) { return s.reverse.payload_entropy.value_or(kNone); }},
    {"inter_arrival_mean", [](const FlowStatistics& s) { return s.inter_arrival.mean; }},
    {"inter_arrival_deviation", [](const FlowStatistics& s) { return s.inter_arrival.deviation; }},
};

template <typename Number, std::size_t kSize>
void AppendTo(std::vector<FlowStatisticsColumns::Column<Number>>& columns,
              const Field<Number> (&fields)[kSize], const FlowStatistics& statistics) {
  for (std::size_t i = 0; i < kSize; ++i) {
    columns[i].values.push_back(fields[i].value(statistics));
  }
}

}  // namespace

void FlowStatisticsColumns::Enable(std::size_t flows) {
  if (!integers.empty()) return;
  for (const auto& field : kIntegers) integers.push_back({field.name, {}});
  for (const auto& field : kNumbers) numbers.push_back({field.name, {}});
  for (std::size_t i = 0; i < flows; ++i) Append({});
}

void FlowStatisticsColumns::Append(const FlowStatistics& statistics) {
  AppendTo(integers, kIntegers, statistics);
  AppendTo(numbers, kNumbers, statistics);
}

}  // namespace nta
