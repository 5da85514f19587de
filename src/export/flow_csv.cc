#include "nta/export/flow_csv.h"

#include <charconv>
#include <cstddef>
#include <cstdint>

#include "export/csv_columns.h"
#include "nta/flow/community_id.h"

namespace nta {
namespace {

constexpr std::string_view kMomentNames[] = {"minimum", "maximum", "mean", "deviation"};
// Fields that come from FlowRecord::statistics: 17 of each direction, 10 of both.
constexpr std::size_t kStatisticsFields = 2 * 17 + 10;

template <typename Number>
void AppendNumber(Number value, std::string& out) {
  char text[32];
  const auto result = std::to_chars(text, text + sizeof(text), value);
  out.append(text, result.ptr);
}

template <typename Integer>
void AppendField(Integer value, std::string& out) {
  AppendNumber(value, out);
  out += ',';
}

void AppendDirection(const FlowDirection& direction, std::string& out) {
  AppendField(direction.packets, out);
  AppendField(direction.wire_bytes, out);
  AppendField(direction.ip_bytes, out);
  AppendField(direction.payload_bytes, out);
}

void AppendEndpoint(const Endpoint& endpoint, std::string& out) {
  out += endpoint.address.ToString();
  out += ',';
  AppendField(endpoint.port, out);
}

void AddName(std::string_view prefix, std::string_view middle, std::string_view name,
             std::string& out) {
  out += ',';
  out += prefix;
  out += middle;
  out += name;
}

// Fields after the standard ones, each with the comma before it.
template <typename Number>
void AddNumber(Number value, std::string& out) {
  out += ',';
  AppendNumber(value, out);
}

void AddText(std::string_view text, std::string& out) {
  out += ',';
  out += text;
}

void AddMoments(const Moments& moments, std::string& out) {
  if (moments.count == 0) {
    out += ",,,,";
    return;
  }
  AddNumber(moments.minimum, out);
  AddNumber(moments.maximum, out);
  AddNumber(moments.mean, out);
  AddNumber(moments.deviation, out);
}

void AddDirection(const FlowDirectionStatistics& direction, std::string& out) {
  AddMoments(direction.ip_length, out);
  AddMoments(direction.inter_arrival, out);
  AddNumber(direction.hop_limit_minimum, out);
  AddNumber(direction.hop_limit_maximum, out);
  AddNumber(direction.dscp, out);
  AddNumber(direction.fragments, out);
  AddNumber(direction.retransmissions, out);
  AddNumber(direction.out_of_order, out);
  AddNumber(direction.zero_windows, out);
  AddNumber(direction.resets, out);
  out += ',';
  if (direction.payload_entropy) AppendNumber(*direction.payload_entropy, out);
}

void AddDuration(const std::optional<Duration>& duration, std::string& out) {
  out += ',';
  if (duration) AppendNumber(duration->count(), out);
}

// offset/ip_bytes/payload_bytes/f or r; ...
void AddSamples(const std::vector<PacketSample>& samples, std::string& out) {
  out += ',';
  for (const PacketSample& sample : samples) {
    if (&sample != samples.data()) out += ';';
    AppendNumber(sample.offset.count(), out);
    out += '/';
    AppendNumber(sample.ip_bytes, out);
    out += '/';
    AppendNumber(sample.payload_bytes, out);
    out += sample.is_forward ? "/f" : "/r";
  }
}

void AppendStatistics(const FlowRecord& flow, std::string& out) {
  AddText(flow.tcp_state != TcpState::kNone ? ToString(flow.tcp_state) : "", out);
  if (flow.icmp) {
    AddNumber(flow.icmp->type, out);
    AddNumber(flow.icmp->code, out);
  } else {
    out += ",,";
  }
  AddText(CommunityId(flow), out);
  if (!flow.statistics) {
    out.append(kStatisticsFields, ',');
    return;
  }
  const FlowStatistics& statistics = *flow.statistics;
  AddDirection(statistics.forward, out);
  AddDirection(statistics.reverse, out);
  AddMoments(statistics.inter_arrival, out);
  AddDuration(statistics.destination_round_trip, out);
  AddDuration(statistics.source_round_trip, out);
  AddText(statistics.source_mac ? statistics.source_mac->ToString() : "", out);
  AddText(statistics.destination_mac ? statistics.destination_mac->ToString() : "", out);
  AddNumber(statistics.tunnels, out);
  AddSamples(statistics.first_packets, out);
}

}  // namespace

std::string FlowCsvHeader(FlowCsvColumns columns) {
  std::string header(kFlowCsvHeader);
  if (columns == FlowCsvColumns::kStandard) return header;
  if (columns == FlowCsvColumns::kEverything) {
    for (const std::string& name : csv::DetailNames()) header.append(",").append(name);
    return header;
  }
  header += ",tcp_state,icmp_type,icmp_code,community_id";
  for (const std::string_view direction : {"forward_", "reverse_"}) {
    for (const std::string_view name : kMomentNames) AddName(direction, "ip_length_", name, header);
    for (const std::string_view name : kMomentNames) {
      AddName(direction, "inter_arrival_", name, header);
    }
    for (const std::string_view name :
         {"hop_limit_minimum", "hop_limit_maximum", "dscp", "fragments", "retransmissions",
          "out_of_order", "zero_windows", "resets", "payload_entropy"}) {
      AddName(direction, "", name, header);
    }
  }
  for (const std::string_view name : kMomentNames) AddName("", "inter_arrival_", name, header);
  header +=
      ",destination_round_trip,source_round_trip,source_mac,destination_mac,tunnels,first_packets";
  return header;
}

void AppendFlowCsv(const FlowRecord& flow, std::string& out, FlowCsvColumns columns) {
  AppendField(flow.first_seen.time_since_epoch().count(), out);
  AppendField(flow.last_seen.time_since_epoch().count(), out);
  AppendField(flow.protocol, out);
  AppendEndpoint(flow.source, out);
  AppendEndpoint(flow.destination, out);
  if (flow.vlan) AppendNumber(*flow.vlan, out);
  out += ',';
  AppendDirection(flow.forward, out);
  AppendDirection(flow.reverse, out);
  AppendField(flow.forward.tcp_flags, out);
  AppendField(flow.reverse.tcp_flags, out);
  // A port is a guess; this column is knowledge.
  if (flow.evidence == ApplicationEvidence::kPayload) out += ToString(flow.application);
  out += ',';
  out += ToString(flow.end_reason);
  if (columns == FlowCsvColumns::kStatistics) AppendStatistics(flow, out);
  if (columns == FlowCsvColumns::kEverything) csv::AppendDetails(flow, out);
  out += '\n';
}

}  // namespace nta
