#include "detection/detection_json.h"

#include <cmath>

#include "http/json_members.h"
#include "nta/json/json.h"

namespace nta::server {
namespace {

using Object = JsonValue;

constexpr std::size_t kMostShown = 200;

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
  NTA_ASSIGN_OR_RETURN(const Object json, ParseJsonObject(text));
  JsonReader members(json);
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
  NTA_ASSIGN_OR_RETURN(const Object json, ParseJsonObject(text));
  JsonReader members(json);
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
  const auto json = ParseJsonObject(text);
  if (!json.ok()) return handling;
  JsonReader members(*json);
  handling.acknowledged_by = members.Text("acknowledged_by");
  if (const auto time = members.Time("acknowledged")) handling.acknowledged = *time;
  const Object* notes = members.Find("notes");
  if (notes == nullptr || !notes->is_array()) return handling;
  for (const Object& one : *notes) {
    if (!one.is_object()) continue;
    JsonReader note(one);
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

std::string ToJson(const BacktestReport& report, double wanted_per_day) {
  return Dump({{"flows", report.flows},
               {"packets", report.packets},
               {"late_flows", report.late_flows},
               {"since", TimeJson(report.since)},
               {"until", TimeJson(report.until)},
               {"days", report.days()},
               {"span_seconds", std::chrono::duration<double>(report.span()).count()},
               {"covers_a_day", report.covers_a_day()},
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
  const auto render = [](const ThresholdPoint& point) {
    return Object{{"threshold", point.threshold},
                  {"alerts", point.alerts},
                  {"alerts_per_day", point.alerts_per_day}};
  };
  return Dump({{"wanted_per_day", suggestion.wanted_per_day},
               {"threshold", suggestion.threshold ? Object(*suggestion.threshold) : Object()},
               {"current", suggestion.current ? render(*suggestion.current) : Object()},
               {"points", ListJson(suggestion.points, render)}});
}

std::string ToJson(const std::vector<SensitivitySuggestion>& suggestions, double wanted_per_day) {
  const auto point = [](const SensitivityPoint& one) {
    return Object{{"sensitivity", ToString(one.sensitivity)},
                  {"alerts", one.alerts},
                  {"alerts_per_day", one.alerts_per_day}};
  };
  const auto detector = [&](const SensitivitySuggestion& one) {
    return Object{{"detector", one.detector},
                  {"sensitivity", one.sensitivity ? Object(ToString(*one.sensitivity)) : Object()},
                  {"points", ListJson(one.points, point)}};
  };
  return Dump({{"wanted_per_day", wanted_per_day}, {"detectors", ListJson(suggestions, detector)}});
}

}  // namespace nta::server
