#include "detection_json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "base/status.h"
#include "json_text.h"
#include "nta/json/json.h"

namespace nta::server {
namespace {

using Object = nlohmann::ordered_json;

constexpr std::size_t kMostShown = 200;

std::string Dump(const Object& json) {
  return json.dump(-1, ' ', false, Object::error_handler_t::replace);
}

absl::StatusOr<Object> Parse(std::string_view text) {
  Object json = Object::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) {
    return base::InvalidArgument("the body is no JSON object");
  }
  return json;
}

// Reads members one by one and remembers the first mistake.
class Members {
 public:
  explicit Members(const Object& json) : json_(json) {}

  const Object* Find(const char* name) {
    known_.insert(name);
    const auto found = json_.find(name);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }
  std::string Text(const char* name) {
    const Object* value = Find(name);
    if (value == nullptr) return "";
    if (value->is_string()) return value->get<std::string>();
    Fail(std::string("\"") + name + "\" is a text");
    return "";
  }
  double Number(const char* name, double fallback) {
    const Object* value = Find(name);
    if (value == nullptr) return fallback;
    if (value->is_number()) return value->get<double>();
    Fail(std::string("\"") + name + "\" is a number");
    return fallback;
  }
  bool Boolean(const char* name, bool fallback) {
    const Object* value = Find(name);
    if (value == nullptr) return fallback;
    if (value->is_boolean()) return value->get<bool>();
    Fail(std::string("\"") + name + "\" is true or false");
    return fallback;
  }
  std::vector<std::string> Texts(const char* name) {
    std::vector<std::string> texts;
    const Object* value = Find(name);
    if (value == nullptr) return texts;
    if (value->is_array()) {
      for (const Object& one : *value) {
        if (one.is_string()) texts.push_back(one.get<std::string>());
      }
    }
    if (!value->is_array() || texts.size() != value->size()) {
      Fail(std::string("\"") + name + "\" is a list of texts");
    }
    return texts;
  }
  std::optional<Timestamp> Time(const char* name) {
    const std::string text = Text(name);
    if (text.empty()) return std::nullopt;
    const auto time = ParseTimestamp(text);
    if (!time.ok()) Fail(std::string("\"") + name + "\" is no RFC 3339 time");
    return time.ok() ? std::optional(*time) : std::nullopt;
  }
  // A list of texts that `parse` reads.
  template <typename Value, typename ParseOne>
  std::vector<Value> List(const char* name, const ParseOne& parse) {
    std::vector<Value> values;
    for (const std::string& text : Texts(name)) {
      auto value = parse(text);
      if (!value.ok()) {
        Fail(std::string("\"") + name + "\": " + JsonQuote(text) + ": " +
             std::string(value.status().message()));
        break;
      }
      values.push_back(*std::move(value));
    }
    return values;
  }
  void Fail(std::string message) {
    if (error_.empty()) error_ = std::move(message);
  }
  absl::Status status() {
    for (const auto& [name, value] : json_.items()) {
      if (!known_.contains(name)) Fail("unknown field \"" + name.substr(0, 60) + "\"");
    }
    return error_.empty() ? absl::OkStatus() : base::InvalidArgument(error_);
  }

 private:
  const Object& json_;
  std::set<std::string> known_;
  std::string error_;
};

Object TimeJson(const std::optional<Timestamp>& time) {
  return time ? Object(ToString(*time)) : Object();
}
Object TimeJson(Timestamp time) { return time == Timestamp{} ? Object() : Object(ToString(time)); }

template <typename Values, typename Render>
Object ListJson(const Values& values, const Render& render) {
  Object list = Object::array();
  for (const auto& value : values) list.push_back(render(value));
  return list;
}

Object AlertList(const std::vector<Alert>& alerts) {
  Object list = Object::array();
  for (const Alert& alert : alerts) {
    if (list.size() == kMostShown) break;
    list.push_back(Object::parse(nta::ToJson(alert)));
  }
  return list;
}

}  // namespace

absl::StatusOr<StoredRule> RuleFromJson(std::string_view text,
                                        std::optional<std::size_t>* position) {
  NTA_ASSIGN_OR_RETURN(const Object json, Parse(text));
  Members members(json);
  const std::string expression = members.Text("expression");
  FilterError error;
  const auto condition = RuleCondition::Parse(expression, &error);
  if (!condition.ok()) {
    if (position != nullptr) *position = error.position;
    return base::InvalidArgument("\"expression\": " + error.message);
  }
  StoredRule stored{
      .rule = {.id = members.Text("id"), .title = members.Text("title"), .condition = *condition}};
  if (const std::string severity = members.Text("severity"); !severity.empty()) {
    const auto parsed = ParseSeverity(severity);
    if (!parsed.ok()) {
      members.Fail("\"severity\" is info, low, medium, high or critical");
    } else {
      stored.rule.severity = *parsed;
    }
  }
  stored.rule.close_below = members.Number("close_below", stored.rule.close_below);
  const double hold = members.Number("hold_seconds", 300);
  if (!(hold >= 0 && hold <= 7 * 86400)) {
    members.Fail("\"hold_seconds\" is 0 to 604800");
  } else {
    stored.rule.hold = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(hold));
  }
  stored.enabled = members.Boolean("enabled", true);
  stored.author = members.Text("author");
  if (const auto updated = members.Time("updated")) stored.updated = *updated;
  members.Text("unit");
  members.Boolean("counts_at_start", false);
  NTA_RETURN_IF_ERROR(members.status());
  NTA_RETURN_IF_ERROR(Validate(stored.rule));
  return stored;
}

std::string ToJson(const StoredRule& stored) {
  const AlertRule& rule = stored.rule;
  return Dump({{"id", rule.id},
               {"title", rule.title},
               {"expression", rule.condition.ToString()},
               {"severity", std::string(ToString(rule.severity))},
               {"close_below", rule.close_below},
               {"hold_seconds", std::chrono::duration<double>(rule.hold).count()},
               {"enabled", stored.enabled},
               {"unit", rule.condition.unit()},
               {"counts_at_start", rule.condition.counts_at_start()},
               {"author", stored.author},
               {"updated", TimeJson(stored.updated)}});
}

absl::StatusOr<StoredSuppression> SuppressionFromJson(std::string_view text) {
  NTA_ASSIGN_OR_RETURN(const Object json, Parse(text));
  Members members(json);
  StoredSuppression stored;
  Suppression& s = stored.suppression;
  s.id = members.Text("id");
  if (const std::string kind = members.Text("kind"); !kind.empty()) {
    const auto parsed = ParseSuppressionKind(kind);
    if (parsed.ok()) s.kind = *parsed;
    if (!parsed.ok()) members.Fail("\"kind\" is suppression, maintenance or allow");
  }
  const auto prefix = [](const std::string& one) { return IpPrefix::Parse(one); };
  s.sources = members.List<IpPrefix>("sources", prefix);
  s.destinations = members.List<IpPrefix>("destinations", prefix);
  s.hosts = members.List<IpPrefix>("hosts", prefix);
  s.ports =
      members.List<PortRange>("ports", [](const std::string& one) { return ParsePortRange(one); });
  s.domains = members.Texts("domains");
  s.detectors = members.Texts("detectors");
  s.classes = members.List<AlertClass>("classes",
                                       [](const std::string& one) { return ParseAlertClass(one); });
  s.begins = members.Time("begins");
  s.expires = members.Time("expires");
  if (const std::string weekly = members.Text("weekly"); !weekly.empty()) {
    const auto parsed = ParseWeeklyTime(weekly);
    if (parsed.ok()) s.weekly = *parsed;
    if (!parsed.ok()) members.Fail("\"weekly\": " + std::string(parsed.status().message()));
  }
  s.reason = members.Text("reason");
  s.author = members.Text("author");
  if (const auto created = members.Time("created")) s.created = *created;
  stored.hidden.alerts =
      static_cast<std::uint64_t>(std::max(0.0, members.Number("hidden_alerts", 0)));
  stored.hidden.states =
      static_cast<std::uint64_t>(std::max(0.0, members.Number("hidden_states", 0)));
  if (const auto last = members.Time("last_hidden")) stored.hidden.last = *last;
  NTA_RETURN_IF_ERROR(members.status());
  return stored;
}

std::string ToJson(const StoredSuppression& stored) {
  const Suppression& s = stored.suppression;
  const auto prefix = [](const IpPrefix& one) { return one.ToString(); };
  return Dump(
      {{"id", s.id},
       {"kind", std::string(ToString(s.kind))},
       {"sources", ListJson(s.sources, prefix)},
       {"destinations", ListJson(s.destinations, prefix)},
       {"hosts", ListJson(s.hosts, prefix)},
       {"ports", ListJson(s.ports, [](const PortRange& one) { return ToString(one); })},
       {"domains", s.domains},
       {"detectors", s.detectors},
       {"classes", ListJson(s.classes, [](AlertClass one) { return std::string(ToString(one)); })},
       {"begins", TimeJson(s.begins)},
       {"expires", TimeJson(s.expires)},
       {"weekly", s.weekly ? Object(ToString(*s.weekly)) : Object()},
       {"reason", s.reason},
       {"author", s.author},
       {"created", TimeJson(s.created)},
       {"hidden_alerts", stored.hidden.alerts},
       {"hidden_states", stored.hidden.states},
       {"last_hidden", TimeJson(stored.hidden.last)}});
}

AlertHandling HandlingFromJson(std::string_view text) {
  AlertHandling handling;
  const auto json = Parse(text);
  if (!json.ok()) return handling;
  Members members(*json);
  handling.acknowledged_by = members.Text("acknowledged_by");
  if (const auto time = members.Time("acknowledged")) handling.acknowledged = *time;
  const Object* notes = members.Find("notes");
  if (notes == nullptr || !notes->is_array()) return handling;
  for (const Object& one : *notes) {
    if (!one.is_object()) continue;
    Members note(one);
    handling.notes.push_back(
        {note.Text("author"), note.Time("time").value_or(Timestamp{}), note.Text("text")});
  }
  return handling;
}

std::string ToJson(const AlertHandling& handling) {
  return Dump({{"acknowledged_by",
                handling.acknowledged_by.empty() ? Object() : Object(handling.acknowledged_by)},
               {"acknowledged", TimeJson(handling.acknowledged)},
               {"notes", ListJson(handling.notes, [](const AlertNote& note) {
                  return Object{
                      {"author", note.author}, {"time", TimeJson(note.time)}, {"text", note.text}};
                })}});
}

AllDetectorSettings SettingsFromJson(std::string_view text) {
  AllDetectorSettings settings;
  const auto json = Parse(text);
  if (!json.ok()) return settings;
  for (const auto& [name, value] : json->items()) {
    if (!value.is_object()) continue;
    Members members(value);
    DetectorSettings& one = settings[name];
    one.enabled = members.Boolean("enabled", true);
    const std::string sensitivity = members.Text("sensitivity");
    if (sensitivity == "low" || sensitivity == "high") one.sensitivity = sensitivity;
  }
  return settings;
}

std::string ToJson(const AllDetectorSettings& settings) {
  Object json = Object::object();
  for (const auto& [name, one] : settings) {
    json[name] = {{"enabled", one.enabled}, {"sensitivity", one.sensitivity}};
  }
  return Dump(json);
}

std::string ToJson(const BacktestReport& report, double wanted_per_day) {
  return Dump({{"flows", report.flows},
               {"late_flows", report.late_flows},
               {"since", TimeJson(report.since)},
               {"until", TimeJson(report.until)},
               {"days", report.days()},
               {"alerts", report.alerts},
               {"hidden", report.hidden},
               {"alerts_per_day", report.alerts_per_day()},
               {"by_class", report.by_class},
               {"by_severity", report.by_severity},
               {"by_detector", report.by_detector},
               {"by_day", report.by_day},
               {"score_for_budget", report.ScoreFor(wanted_per_day)},
               {"samples", AlertList(report.kept)}});
}

std::string ToJson(const BacktestDifference& difference) {
  return Dump({{"same", difference.same},
               {"appear_count", difference.appear.size()},
               {"vanish_count", difference.vanish.size()},
               {"appear", AlertList(difference.appear)},
               {"vanish", AlertList(difference.vanish)}});
}

std::string ToJson(const ThresholdSuggestion& suggestion) {
  return Dump({{"wanted_per_day", suggestion.wanted_per_day},
               {"threshold", suggestion.threshold ? Object(*suggestion.threshold) : Object()},
               {"points", ListJson(suggestion.points, [](const ThresholdPoint& point) {
                  return Object{{"threshold", point.threshold},
                                {"alerts", point.alerts},
                                {"alerts_per_day", point.alerts_per_day}};
                })}});
}

}  // namespace nta::server
