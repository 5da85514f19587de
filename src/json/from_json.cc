#include <cmath>
#include <cstdint>
#include <limits>
#include <set>
#include <string>

#include "base/status.h"
#include "json/fields.h"
#include "json/values.h"
#include "nta/json/json.h"

namespace nta {
namespace json {
namespace {

constexpr int kMaxDepth = 8;

}  // namespace

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
  } catch (const Json::out_of_range&) {
    return base::InvalidArgument("not JSON: a number is too large");
  }
}

}  // namespace json

namespace {

using json::Fields;
using json::Json;
using json::kOptional;
using json::kRequired;
using json::ParseObject;
using json::Wrong;

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

std::string ReadBand(const Json& value, std::optional<double>& band) {
  if (value.is_null()) return "";
  if (!value.is_number()) return "must be a number or null";
  band = value.get<double>();
  return "";
}

std::string ReadPeers(const Json& value, std::vector<AlertPeer>& peers) {
  if (!value.is_array() || value.size() > kMaxAlertPeers) return "must be a list of a few objects";
  for (const Json& item : value) {
    if (!item.is_object() || item.size() != 2 || !item.contains("name") ||
        !item["name"].is_string() || !item.contains("share") || !item["share"].is_number()) {
      return "must be a list of objects with name and share";
    }
    peers.push_back({item["name"].get<std::string>(), item["share"].get<double>()});
  }
  return "";
}

}  // namespace

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
  fields.TakeNumber("confidence", alert.confidence);
  fields.Take("band_low", kOptional,
              [&](const Json& value) { return ReadBand(value, alert.band_low); });
  fields.Take("band_high", kOptional,
              [&](const Json& value) { return ReadBand(value, alert.band_high); });
  fields.TakeParsed("first_seen", kOptional, alert.first_seen,
                    [](const std::string& value) { return ParseTimestamp(value); });
  fields.TakeParsed("last_seen", kOptional, alert.last_seen,
                    [](const std::string& value) { return ParseTimestamp(value); });
  fields.Take("peers", kOptional, [&](const Json& value) { return ReadPeers(value, alert.peers); });
  fields.TakeText("advice", kOptional, alert.advice);
  fields.TakeText("suppressed_by", kOptional, alert.suppressed_by);
  NTA_RETURN_IF_ERROR(fields.Finish());
  NTA_RETURN_IF_ERROR(ReadEntity(object, alert.entity));
  NTA_RETURN_IF_ERROR(ReadEvidence(object, alert));
  return alert;
}

}  // namespace nta
