#include "json/values.h"
#include "nta/flow/community_id.h"

namespace nta::json {
namespace {

Json Optional(const std::optional<Duration>& duration) {
  return duration ? Json(duration->count()) : Json();
}

Json Optional(const std::optional<MacAddress>& address) {
  return address ? Json(address->ToString()) : Json();
}

Json ToValue(const Moments& moments) {
  Json json;
  json["count"] = moments.count;
  json["minimum"] = moments.minimum;
  json["maximum"] = moments.maximum;
  json["mean"] = moments.mean;
  json["deviation"] = moments.deviation;
  return json;
}

Json ToValue(const FlowDirectionStatistics& direction) {
  Json json;
  json["ip_length"] = ToValue(direction.ip_length);
  json["inter_arrival"] = ToValue(direction.inter_arrival);
  json["hop_limit_minimum"] = direction.hop_limit_minimum;
  json["hop_limit_maximum"] = direction.hop_limit_maximum;
  json["dscp"] = direction.dscp;
  json["fragments"] = direction.fragments;
  json["retransmissions"] = direction.retransmissions;
  json["out_of_order"] = direction.out_of_order;
  json["zero_windows"] = direction.zero_windows;
  json["resets"] = direction.resets;
  json["payload_entropy"] = direction.payload_entropy ? Json(*direction.payload_entropy) : Json();
  return json;
}

Json ToValue(const PacketSample& sample) {
  Json json;
  json["offset"] = sample.offset.count();
  json["ip_bytes"] = sample.ip_bytes;
  json["payload_bytes"] = sample.payload_bytes;
  json["is_forward"] = sample.is_forward;
  return json;
}

Json ToValue(const FlowStatistics& statistics) {
  Json json;
  json["forward"] = ToValue(statistics.forward);
  json["reverse"] = ToValue(statistics.reverse);
  json["inter_arrival"] = ToValue(statistics.inter_arrival);
  json["destination_round_trip"] = Optional(statistics.destination_round_trip);
  json["source_round_trip"] = Optional(statistics.source_round_trip);
  json["source_mac"] = Optional(statistics.source_mac);
  json["destination_mac"] = Optional(statistics.destination_mac);
  json["tunnels"] = statistics.tunnels;
  Json& samples = json["first_packets"] = Json::array();
  for (const PacketSample& sample : statistics.first_packets) samples.push_back(ToValue(sample));
  return json;
}

Json ToValue(const FlowMetadata& metadata) {
  Json json = Json::object();
  for (const auto& [field, value] : metadata.entries()) json[std::string(ToString(field))] = value;
  return json;
}

void AddApplication(Json& json, const FlowRecord& flow) {
  const bool is_known = flow.application != Application::kUnknown;
  json["application"] = is_known ? Json(ToString(flow.application)) : Json();
  const bool has_category = flow.category != ApplicationCategory::kUnknown;
  json["category"] = has_category ? Json(ToString(flow.category)) : Json();
  const bool has_evidence = flow.evidence != ApplicationEvidence::kNone;
  json["evidence"] = has_evidence ? Json(ToString(flow.evidence)) : Json();
}

void AddDirection(Json& json, const std::string& prefix, const FlowDirection& direction) {
  json[prefix + "_packets"] = direction.packets;
  json[prefix + "_wire_bytes"] = direction.wire_bytes;
  json[prefix + "_ip_bytes"] = direction.ip_bytes;
  json[prefix + "_payload_bytes"] = direction.payload_bytes;
}

void AddFlow(Json& json, const FlowRecord& flow) {
  json["first_seen"] = ToString(flow.first_seen);
  json["last_seen"] = ToString(flow.last_seen);
  json["protocol"] = flow.protocol;
  json["source_address"] = flow.source.address.ToString();
  json["source_port"] = flow.source.port;
  json["destination_address"] = flow.destination.address.ToString();
  json["destination_port"] = flow.destination.port;
  json["vlan"] = flow.vlan ? Json(*flow.vlan) : Json();
  AddDirection(json, "forward", flow.forward);
  AddDirection(json, "reverse", flow.reverse);
  json["forward_tcp_flags"] = flow.forward.tcp_flags;
  json["reverse_tcp_flags"] = flow.reverse.tcp_flags;
  AddApplication(json, flow);
  json["outcome"] = ToString(flow.outcome);
  json["end_reason"] = ToString(flow.end_reason);
  json["tcp_state"] = flow.tcp_state != TcpState::kNone ? Json(ToString(flow.tcp_state)) : Json();
  json["icmp"] = flow.icmp ? Json{{"type", flow.icmp->type}, {"code", flow.icmp->code}} : Json();
  json["community_id"] = CommunityId(flow);
  json["metadata"] = flow.metadata ? ToValue(*flow.metadata) : Json();
  json["statistics"] = flow.statistics ? ToValue(*flow.statistics) : Json();
}

}  // namespace

Json ToValue(const FlowRecord& flow) {
  Json json;
  AddFlow(json, flow);
  return json;
}

Json ToValue(const StoredFlow& flow) {
  Json json;
  json["id"] = flow.id;
  AddFlow(json, flow.flow);
  return json;
}

}  // namespace nta::json
