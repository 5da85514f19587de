#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <set>
#include <string>

#include "base/status.h"
#include "json/values.h"
#include "nta/json/json.h"

namespace nta {
namespace {

using json::Json;

constexpr int kMaxDepth = 8;

absl::Status Wrong(const std::string& field, const std::string& what) {
  return base::InvalidArgument("field \"" + field.substr(0, 60) + "\": " + what);
}

absl::StatusOr<Json> ParseObject(std::string_view text) {
  std::set<std::string> keys;
  std::string repeated;
  bool too_deep = false;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > kMaxDepth) too_deep = true;
    // Which of two equal names counts is where programs disagree.
    if (event == Json::parse_event_t::key && depth == 1 &&
        !keys.insert(value.get<std::string>()).second) {
      repeated = value.get<std::string>();
    }
    return !too_deep;
  };
  try {
    Json object = Json::parse(text, watch);
    if (too_deep) return base::InvalidArgument("JSON is nested too deep");
    if (!repeated.empty()) return Wrong(repeated, "is there twice");
    if (!object.is_object()) return base::InvalidArgument("expected a JSON object");
    return object;
  } catch (const Json::parse_error& error) {
    return base::InvalidArgument("not JSON: wrong at byte " + std::to_string(error.byte));
  }
}

// Takes fields out of an object, remembering the first error.
class Fields {
 public:
  Fields(const Json& object, std::string prefix) : object_(object), prefix_(std::move(prefix)) {}

  enum class Presence : std::uint8_t { kRequired, kOptional };

  // Calls read(value) when the field is there; it answers what is wrong, or nothing.
  template <typename Read>
  void Take(const std::string& name, Presence presence, Read read) {
    known_.insert(name);
    const auto found = object_.find(name);
    if (found == object_.end()) {
      if (presence == Presence::kRequired) Fail(name, "is missing");
      return;
    }
    if (const std::string wrong = read(*found); !wrong.empty()) Fail(name, wrong);
  }

  template <std::integral Integer>
  void TakeInteger(const std::string& name, Presence presence, Integer& out) {
    Take(name, presence, [&out](const Json& value) { return ReadInteger(value, out); });
  }
  void TakeText(const std::string& name, Presence presence, std::string& out) {
    TakeParsed(name, presence, out,
               [](const std::string& text) { return absl::StatusOr<std::string>(text); });
  }
  template <typename T, typename Parse>
  void TakeParsed(const std::string& name, Presence presence, T& out, Parse parse) {
    Take(name, presence, [&](const Json& value) -> std::string {
      if (!value.is_string()) return "must be a string";
      const auto parsed = parse(value.get_ref<const std::string&>());
      if (!parsed.ok()) return std::string(parsed.status().message());
      out = *parsed;
      return "";
    });
  }
  // As TakeParsed; null leaves `out` without a value.
  template <typename T, typename Parse>
  void TakeNullable(const std::string& name, std::optional<T>& out, Parse parse) {
    const auto found = object_.find(name);
    if (found != object_.end() && found->is_null()) {
      known_.insert(name);
      return;
    }
    TakeParsed(name, Presence::kOptional, out, parse);
  }
  void TakeNumber(const std::string& name, double& out) {
    Take(name, Presence::kOptional, [&out](const Json& value) -> std::string {
      if (value.is_null()) {
        out = std::numeric_limits<double>::quiet_NaN();
        return "";
      }
      if (!value.is_number()) return "must be a number";
      out = value.get<double>();
      return "";
    });
  }

  void Fail(const std::string& name, const std::string& what) {
    if (status_.ok()) status_ = Wrong(prefix_ + name, what);
  }
  absl::Status Finish() {
    for (const auto& [name, value] : object_.items()) {
      if (!known_.contains(name)) Fail(name, "is unknown");
    }
    return status_;
  }

  template <std::integral Integer>
  static std::string ReadInteger(const Json& value, Integer& out) {
    constexpr auto kMost = std::numeric_limits<Integer>::max();
    const bool in_range = value.is_number_unsigned()
                              ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(kMost)
                              : value.is_number_integer() && std::is_signed_v<Integer>;
    if (!in_range) return "must be an integer from 0 to " + std::to_string(kMost);
    out = value.get<Integer>();
    return "";
  }

 private:
  const Json& object_;
  const std::string prefix_;
  std::set<std::string> known_;
  absl::Status status_;
};

constexpr auto kRequired = Fields::Presence::kRequired;
constexpr auto kOptional = Fields::Presence::kOptional;

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

absl::StatusOr<EvidenceValue> ReadEvidenceValue(const std::string& name, const Json& value) {
  if (value.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (value.is_number_float()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) {
    std::int64_t integer = 0;
    if (const std::string wrong = Fields::ReadInteger(value, integer); !wrong.empty()) {
      return Wrong(name, wrong);
    }
    return integer;
  }
  if (!value.is_array()) return Wrong(name, "must be a number, a string or a list of strings");
  std::vector<std::string> list;
  for (const Json& item : value) {
    if (!item.is_string()) return Wrong(name, "must be a list of strings");
    list.push_back(item.get<std::string>());
  }
  return list;
}

absl::Status ReadEvidence(const Json& object, Alert& alert) {
  const auto evidence = object.find("evidence");
  if (evidence == object.end()) return absl::OkStatus();
  if (!evidence->is_object()) return Wrong("evidence", "must be an object");
  for (const auto& [name, value] : evidence->items()) {
    NTA_ASSIGN_OR_RETURN(alert.evidence[name], ReadEvidenceValue("evidence." + name, value));
  }
  return absl::OkStatus();
}

absl::Status ReadEntity(const Json& object, AlertEntity& entity) {
  const auto found = object.find("entity");
  if (found == object.end()) return absl::OkStatus();
  if (!found->is_object()) return Wrong("entity", "must be an object");
  Fields fields(*found, "entity.");
  fields.TakeNullable("source", entity.source,
                      [](const std::string& text) { return IpAddress::Parse(text); });
  fields.TakeNullable("destination", entity.destination,
                      [](const std::string& text) { return IpAddress::Parse(text); });
  fields.TakeNullable("service", entity.service,
                      [](const std::string& text) { return absl::StatusOr<std::string>(text); });
  return fields.Finish();
}

std::string ReadWindow(const Json& value, Duration& window) {
  constexpr double kMostSeconds = 9e9;  // of what nanoseconds can count
  if (!value.is_number() || !(std::abs(value.get<double>()) < kMostSeconds)) {
    return "must be a number of seconds";
  }
  if (value.is_number_integer()) {
    window = std::chrono::seconds(value.get<std::int64_t>());
  } else {
    window = Duration(std::llround(value.get<double>() * 1e9));
  }
  return "";
}

}  // namespace

absl::StatusOr<FlowRecord> FlowFromJson(std::string_view text) {
  NTA_ASSIGN_OR_RETURN(const Json object, ParseObject(text));
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
  fields.Take("application", kOptional, [](const Json& value) -> std::string {
    return value.is_null() ? "" : "must be null: flows carry no application yet";
  });
  fields.TakeParsed("outcome", kOptional, flow.outcome, ParseOutcome);
  fields.TakeParsed("end_reason", kOptional, flow.end_reason, end_reason);
  NTA_RETURN_IF_ERROR(fields.Finish());
  if (flow.vlan && *flow.vlan > 4095) return Wrong("vlan", "must be an integer from 0 to 4095");
  if (flow.last_seen < flow.first_seen) return Wrong("last_seen", "must not be before first_seen");
  return flow;
}

absl::StatusOr<Alert> AlertFromJson(std::string_view text) {
  NTA_ASSIGN_OR_RETURN(const Json object, ParseObject(text));
  Alert alert;
  Fields fields(object, "");
  const auto ignore = [](const Json&) { return std::string(); };  // read below
  fields.TakeText("id", kRequired, alert.id);
  fields.TakeParsed("time", kRequired, alert.time,
                    [](const std::string& value) { return ParseTimestamp(value); });
  fields.TakeText("detector", kRequired, alert.detector);
  fields.TakeParsed("class", kRequired, alert.alert_class,
                    [](const std::string& value) { return ParseAlertClass(value); });
  fields.TakeParsed("severity", kRequired, alert.severity,
                    [](const std::string& value) { return ParseSeverity(value); });
  fields.TakeNumber("score", alert.score);
  fields.TakeNumber("observed", alert.observed);
  fields.TakeNumber("expected", alert.expected);
  fields.TakeText("unit", kOptional, alert.unit);
  fields.Take("entity", kOptional, ignore);
  fields.Take("window_seconds", kOptional,
              [&](const Json& value) { return ReadWindow(value, alert.window); });
  fields.Take("evidence", kOptional, ignore);
  fields.TakeText("technique", kOptional, alert.technique);
  fields.TakeParsed("state", kRequired, alert.state,
                    [](const std::string& value) { return ParseAlertState(value); });
  fields.TakeInteger("count", kOptional, alert.count);
  fields.TakeText("summary", kOptional, alert.summary);
  NTA_RETURN_IF_ERROR(fields.Finish());
  NTA_RETURN_IF_ERROR(ReadEntity(object, alert.entity));
  NTA_RETURN_IF_ERROR(ReadEvidence(object, alert));
  return alert;
}

}  // namespace nta
