#include "detection/detector_json.h"

#include <utility>

#include "http/json_members.h"

namespace nta::server {
namespace {

JsonValue ValueJson(const DetectorOptionValue& value) {
  return std::visit([](const auto& one) { return JsonValue(one); }, value);
}

// A port may stand as a number.
std::optional<DetectorOptionValue> ReadValue(const JsonValue& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number()) return json.get<double>();
  if (!json.is_array()) return std::nullopt;
  std::vector<std::string> texts;
  for (const JsonValue& one : json) {
    if (one.is_string()) {
      texts.push_back(one.get<std::string>());
    } else if (one.is_number_unsigned()) {
      texts.push_back(one.dump());
    } else {
      return std::nullopt;
    }
  }
  return texts;
}

absl::Status ReadOptions(const JsonValue& json, DetectorSettings& settings) {
  if (!json.is_object()) return base::InvalidArgument("\"options\" is an object");
  for (const auto& [name, value] : json.items()) {
    if (value.is_null()) {
      settings.options.erase(name);
      continue;
    }
    auto read = ReadValue(value);
    if (!read) {
      return base::InvalidArgument("option \"" + name.substr(0, 60) +
                                   "\" is a number, true or false, or a list of texts");
    }
    settings.options.insert_or_assign(name, *std::move(read));
  }
  return absl::OkStatus();
}

JsonValue OptionsJson(const DetectorSettings& settings) {
  JsonValue options = JsonValue::object();
  for (const auto& [name, value] : settings.options) options[name] = ValueJson(value);
  return options;
}

JsonValue OptionJson(const DetectorOption& option, const DetectorSettings& settings) {
  const auto set = settings.options.find(option.name);
  const bool is_set = set != settings.options.end();
  JsonValue json = {{"name", option.name},
                    {"about", option.about},
                    {"kind", std::string(ToString(option.kind))},
                    {"default", ValueJson(option.default_value)},
                    {"value", is_set ? ValueJson(set->second) : ValueJson(option.default_value)},
                    {"is_set", is_set},
                    {"is_scaled", option.is_scaled}};
  if (std::holds_alternative<double>(option.default_value)) {
    json["least"] = option.least;
    json["most"] = option.most;
  }
  return json;
}

bool HasSensitivity(const DetectorInfo& info) {
  for (const DetectorOption& option : info.options) {
    if (option.is_scaled) return true;
  }
  return false;
}

}  // namespace

AllDetectorSettings SettingsFromJson(std::string_view text) {
  AllDetectorSettings all;
  const auto json = ParseJsonObject(text);
  if (!json.ok()) return all;
  for (const auto& [name, value] : json->items()) {
    auto one = ChangedBy(value.dump(), {});
    if (one.ok()) all.insert_or_assign(name, *std::move(one));
  }
  return all;
}

std::string ToJson(const AllDetectorSettings& all) {
  JsonValue json = JsonValue::object();
  for (const auto& [name, one] : all) {
    json[name] = {{"enabled", one.enabled},
                  {"sensitivity", std::string(ToString(one.sensitivity))},
                  {"options", OptionsJson(one)}};
  }
  return Dump(json);
}

absl::StatusOr<DetectorSettings> ChangedBy(std::string_view text, DetectorSettings settings) {
  NTA_ASSIGN_OR_RETURN(const JsonValue json, ParseJsonObject(text));
  JsonReader members(json);
  settings.enabled = members.Boolean("enabled", settings.enabled);
  if (const std::string wanted = members.Text("sensitivity"); !wanted.empty()) {
    const auto sensitivity = ParseSensitivity(wanted);
    if (!sensitivity.ok()) members.Fail("\"sensitivity\" is low, normal or high");
    if (sensitivity.ok()) settings.sensitivity = *sensitivity;
  }
  if (const JsonValue* options = members.Find("options")) {
    NTA_RETURN_IF_ERROR(ReadOptions(*options, settings));
  }
  NTA_RETURN_IF_ERROR(members.status());
  return settings;
}

std::string ToJson(const DetectorInfo& info, const DetectorSettings& settings,
                   const DetectorStatus* status) {
  const DetectorStatus now = status == nullptr ? DetectorStatus{} : *status;
  JsonValue json = {
      {"name", info.name},
      {"about", info.about},
      {"enabled", settings.enabled},
      {"sensitivity", std::string(ToString(settings.sensitivity))},
      {"has_sensitivity", HasSensitivity(info)},
      {"running", status != nullptr},
      {"memory_bytes", now.memory_bytes},
      {"memory_limit_bytes", now.memory_limit_bytes},
      {"evictions", now.evictions},
      {"alerts", now.alerts},
      {"problem", now.problem.empty() ? JsonValue() : JsonValue(now.problem)},
      {"stored_flows", std::string(ToString(info.stored_flows))},
      {"stored_flows_note",
       info.stored_flows_note.empty() ? JsonValue() : JsonValue(info.stored_flows_note)},
      {"options", ListJson(info.options,
                           [&](const DetectorOption& one) { return OptionJson(one, settings); })}};
  if (now.block_entries) json["block_entries"] = *now.block_entries;
  return Dump(json);
}

absl::StatusOr<BacktestSubject> SubjectFromJson(std::string_view text) {
  NTA_ASSIGN_OR_RETURN(const JsonValue json, ParseJsonObject(text));
  JsonReader members(json);
  BacktestSubject subject;
  subject.expression = members.Text("expression");
  subject.rule = members.Text("rule");
  subject.detectors = members.Texts("detectors");
  if (const std::string one = members.Text("detector"); !one.empty()) {
    subject.detectors.push_back(one);
  }
  JsonValue settings = JsonValue::object();
  if (const std::string sensitivity = members.Text("sensitivity"); !sensitivity.empty()) {
    settings["sensitivity"] = sensitivity;
  }
  if (const JsonValue* options = members.Find("options")) settings["options"] = *options;
  if (!settings.empty()) subject.settings = settings.dump();
  NTA_RETURN_IF_ERROR(members.status());
  const bool is_rule = !subject.expression.empty() || !subject.rule.empty();
  if (is_rule && (subject.settings || !subject.detectors.empty())) {
    return base::InvalidArgument("name a rule or detectors, not both");
  }
  if (settings.contains("options") && subject.detectors.size() != 1) {
    return base::InvalidArgument("\"options\" are those of one detector");
  }
  return subject;
}

}  // namespace nta::server
