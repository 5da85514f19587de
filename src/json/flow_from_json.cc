#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>

#include "base/status.h"
#include "json/fields.h"
#include "nta/json/json.h"

namespace nta {
namespace {

using json::Fields;
using json::Json;
using json::kOptional;
using json::kRequired;
using json::Wrong;

absl::StatusOr<ContactOutcome> ParseOutcome(const std::string& text) {
  for (int number = 0; number <= static_cast<int>(ContactOutcome::kUnreachable); ++number) {
    const auto outcome = static_cast<ContactOutcome>(number);
    if (ToString(outcome) == text) return outcome;
  }
  return base::InvalidArgument("is no outcome");
}

void TakeDirection(Fields& fields, const std::string& prefix, FlowDirection& direction) {
  fields.TakeInteger(prefix + "_packets", kOptional, direction.packets);
  fields.TakeInteger(prefix + "_wire_bytes", kOptional, direction.wire_bytes);
  fields.TakeInteger(prefix + "_ip_bytes", kOptional, direction.ip_bytes);
  fields.TakeInteger(prefix + "_payload_bytes", kOptional, direction.payload_bytes);
  fields.TakeInteger(prefix + "_tcp_flags", kOptional, direction.tcp_flags);
}

std::string ReadDouble(const Json& value, double& out) {
  if (!value.is_number()) return "must be a number";
  out = value.get<double>();
  return "";
}

void TakeDouble(Fields& fields, const std::string& name, double& out) {
  fields.Take(name, kRequired, [&out](const Json& value) { return ReadDouble(value, out); });
}

absl::Status ReadIcmp(const Json& object, const std::string& prefix, FlowRecord& flow) {
  Fields fields(object, prefix);
  IcmpMessage& icmp = flow.icmp.emplace();
  fields.TakeInteger("type", kRequired, icmp.type);
  fields.TakeInteger("code", kRequired, icmp.code);
  return fields.Finish();
}

absl::Status ReadMetadata(const Json& object, const std::string& prefix, FlowRecord& flow) {
  FlowMetadata metadata;
  for (const auto& [name, value] : object.items()) {
    const auto field = ParseMetadataField(name);
    if (!field.ok()) return Wrong(prefix + name, "is unknown");
    if (!value.is_string()) return Wrong(prefix + name, "must be a string");
    metadata.Set(*field, value.get_ref<const std::string&>());
  }
  if (!metadata.empty()) flow.metadata = std::make_shared<FlowMetadata>(std::move(metadata));
  return absl::OkStatus();
}

void TakeMoments(Fields& fields, const std::string& name, Moments& moments) {
  fields.TakeObject(name, kRequired, [&](const Json& object, const std::string& prefix) {
    Fields parts(object, prefix);
    parts.TakeInteger("count", kRequired, moments.count);
    parts.TakeInteger("minimum", kRequired, moments.minimum);
    parts.TakeInteger("maximum", kRequired, moments.maximum);
    TakeDouble(parts, "mean", moments.mean);
    TakeDouble(parts, "deviation", moments.deviation);
    return parts.Finish();
  });
}

void TakeDirectionStatistics(Fields& fields, const std::string& name,
                             FlowDirectionStatistics& direction) {
  fields.TakeObject(name, kRequired, [&](const Json& object, const std::string& prefix) {
    Fields parts(object, prefix);
    TakeMoments(parts, "ip_length", direction.ip_length);
    TakeMoments(parts, "inter_arrival", direction.inter_arrival);
    parts.TakeInteger("hop_limit_minimum", kRequired, direction.hop_limit_minimum);
    parts.TakeInteger("hop_limit_maximum", kRequired, direction.hop_limit_maximum);
    parts.TakeInteger("dscp", kRequired, direction.dscp);
    parts.TakeInteger("fragments", kRequired, direction.fragments);
    parts.TakeInteger("retransmissions", kRequired, direction.retransmissions);
    parts.TakeInteger("out_of_order", kRequired, direction.out_of_order);
    parts.TakeInteger("zero_windows", kRequired, direction.zero_windows);
    parts.TakeInteger("resets", kRequired, direction.resets);
    parts.Take("payload_entropy", kOptional, [&](const Json& value) {
      return value.is_null() ? "" : ReadDouble(value, direction.payload_entropy.emplace());
    });
    return parts.Finish();
  });
}

void TakeDuration(Fields& fields, const std::string& name, std::optional<Duration>& out) {
  fields.Take(name, kOptional, [&](const Json& value) -> std::string {
    if (value.is_null()) return "";
    std::int64_t nanoseconds = 0;
    const std::string wrong = Fields::ReadInteger(value, nanoseconds);
    out = Duration(nanoseconds);
    return wrong;
  });
}

absl::Status ReadSample(const Json& object, const std::string& prefix, PacketSample& sample) {
  if (!object.is_object()) return Wrong(prefix, "must be an object");
  Fields fields(object, prefix + ".");
  std::int64_t offset = 0;
  fields.TakeInteger("offset", kRequired, offset);
  sample.offset = Duration(offset);
  fields.TakeInteger("ip_bytes", kRequired, sample.ip_bytes);
  fields.TakeInteger("payload_bytes", kRequired, sample.payload_bytes);
  fields.Take("is_forward", kRequired, [&](const Json& value) -> std::string {
    if (!value.is_boolean()) return "must be true or false";
    sample.is_forward = value.get<bool>();
    return "";
  });
  return fields.Finish();
}

absl::Status ReadStatistics(const Json& object, const std::string& prefix, FlowRecord& flow) {
  auto statistics = std::make_shared<FlowStatistics>();
  Fields fields(object, prefix);
  const auto mac = [](const std::string& text) { return MacAddress::Parse(text); };
  TakeDirectionStatistics(fields, "forward", statistics->forward);
  TakeDirectionStatistics(fields, "reverse", statistics->reverse);
  TakeMoments(fields, "inter_arrival", statistics->inter_arrival);
  TakeDuration(fields, "destination_round_trip", statistics->destination_round_trip);
  TakeDuration(fields, "source_round_trip", statistics->source_round_trip);
  fields.TakeNullable("source_mac", statistics->source_mac, mac);
  fields.TakeNullable("destination_mac", statistics->destination_mac, mac);
  fields.TakeInteger("tunnels", kRequired, statistics->tunnels);
  absl::Status samples;
  fields.Take("first_packets", kRequired, [&](const Json& value) -> std::string {
    if (!value.is_array() || value.size() > 255) return "must be a list of at most 255";
    for (const Json& item : value) {
      const absl::Status status =
          ReadSample(item, prefix + "first_packets", statistics->first_packets.emplace_back());
      if (samples.ok()) samples = status;
    }
    return "";
  });
  NTA_RETURN_IF_ERROR(fields.Finish());
  flow.statistics = std::move(statistics);
  return samples;
}

void TakeApplication(Fields& fields, FlowRecord& flow) {
  fields.TakeNullable("application", flow.application,
                      [](const std::string& text) { return ParseApplication(text); });
  fields.TakeNullable("category", flow.category,
                      [](const std::string& text) { return ParseApplicationCategory(text); });
  fields.TakeNullable("evidence", flow.evidence,
                      [](const std::string& text) { return ParseApplicationEvidence(text); });
  fields.TakeObject("metadata", kOptional, [&](const Json& object, const std::string& prefix) {
    return ReadMetadata(object, prefix, flow);
  });
}

}  // namespace

absl::StatusOr<FlowRecord> FlowFromJson(std::string_view text) {
  NTA_ASSIGN_OR_RETURN(const Json object, json::ParseObject(text));
  const auto time = [](const std::string& value) { return ParseTimestamp(value); };
  const auto address = [](const std::string& value) { return IpAddress::Parse(value); };
  const auto end_reason = [](const std::string& value) { return ParseFlowEndReason(value); };
  FlowRecord flow;
  std::int64_t id = 0;
  Fields fields(object, "");
  fields.TakeInteger("id", kOptional, id);
  fields.TakeParsed("first_seen", kRequired, flow.first_seen, time);
  fields.TakeParsed("last_seen", kRequired, flow.last_seen, time);
  fields.TakeInteger("protocol", kRequired, flow.protocol);
  fields.TakeParsed("source_address", kRequired, flow.source.address, address);
  fields.TakeInteger("source_port", kRequired, flow.source.port);
  fields.TakeParsed("destination_address", kRequired, flow.destination.address, address);
  fields.TakeInteger("destination_port", kRequired, flow.destination.port);
  fields.Take("vlan", kOptional, [&](const Json& value) -> std::string {
    if (value.is_null()) return "";
    return Fields::ReadInteger(value, flow.vlan.emplace());
  });
  TakeDirection(fields, "forward", flow.forward);
  TakeDirection(fields, "reverse", flow.reverse);
  TakeApplication(fields, flow);
  fields.TakeParsed("outcome", kOptional, flow.outcome, ParseOutcome);
  fields.TakeParsed("end_reason", kOptional, flow.end_reason, end_reason);
  fields.TakeNullable("tcp_state", flow.tcp_state,
                      [](const std::string& value) { return ParseTcpState(value); });
  fields.TakeObject("icmp", kOptional, [&](const Json& icmp, const std::string& prefix) {
    return ReadIcmp(icmp, prefix, flow);
  });
  fields.TakeObject("statistics", kOptional, [&](const Json& value, const std::string& prefix) {
    return ReadStatistics(value, prefix, flow);
  });
  // Follows from the others.
  fields.Take("community_id", kOptional, [](const Json& value) -> std::string {
    return value.is_null() || value.is_string() ? "" : "must be a string";
  });
  NTA_RETURN_IF_ERROR(fields.Finish());
  if (flow.vlan && *flow.vlan > 4095) return Wrong("vlan", "must be an integer from 0 to 4095");
  if (flow.last_seen < flow.first_seen) return Wrong("last_seen", "must not be before first_seen");
  return flow;
}

}  // namespace nta
