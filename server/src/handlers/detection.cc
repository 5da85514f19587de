// Alert rules and suppressions.
#include <cctype>
#include <string>
#include <utility>

#include "app.h"
#include "base/status.h"
#include "http/json_text.h"
#include "text.h"

namespace nta::server {
namespace {

Response FromDeskStatus(const absl::Status& status) {
  const std::string message(status.message().data(), status.message().size());
  if (absl::IsNotFound(status)) return Problem(404, message);
  if (absl::IsAlreadyExists(status) || absl::IsFailedPrecondition(status)) {
    return Problem(409, message);
  }
  return FromStatus(status);
}

Response RuleProblem(const absl::Status& status, const std::optional<std::size_t>& position) {
  const std::string message(status.message().data(), status.message().size());
  if (!position) return Problem(400, message);
  return Problem(400, message, ",\"position\":" + std::to_string(*position));
}

// "SSH flood!" becomes "ssh-flood".
std::string IdFrom(std::string_view title) {
  std::string id;
  for (const char c : title.substr(0, 60)) {
    const auto lower = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const bool plain = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    if (plain) {
      id += lower;
    } else if (!id.empty() && id.back() != '-') {
      id += '-';
    }
  }
  while (!id.empty() && id.back() == '-') id.pop_back();
  return id.empty() ? "rule" : id;
}

// The body with an id, because the id of the path or of the title goes before the body's.
std::string WithId(const Call& call, const std::string& id) {
  JsonObject object;
  object.Add("id", id);
  const auto members = ParseObject(call.request->body);
  if (!members.ok()) return "{}";
  for (const auto& [name, member] : *members) {
    if (name == "id" || name == "author" || name == "updated" || name == "created") continue;
    const bool is_text = member.type == JsonMember::Type::kText;
    object.AddJson(name, is_text                                  ? JsonQuote(member.text)
                         : member.type == JsonMember::Type::kNull ? "null"
                                                                  : member.text);
  }
  return object.Take();
}

Response ListRules(Services& services, const Call&) {
  const auto rules = services.detection.Rules();
  return Json(
      JsonObject()
          .AddJson("rules", JsonList(rules, [](const StoredRule& one) { return ToJson(one); }))
          .Take());
}

Response GetRule(Services& services, const Call& call) {
  const auto rule = services.detection.GetRule(call.Path("id"));
  return rule.ok() ? Json(ToJson(*rule)) : FromDeskStatus(rule.status());
}

absl::StatusOr<StoredRule> ReadRule(Services& services, const Call& call, const std::string& id,
                                    std::optional<std::size_t>& position) {
  NTA_ASSIGN_OR_RETURN(StoredRule rule, RuleFromJson(WithId(call, id), &position));
  rule.author = call.principal.account.username;
  rule.updated = services.clock.wall();
  return rule;
}

Response PostRule(Services& services, const Call& call) {
  std::optional<std::size_t> position;
  const std::string id =
      call.Body("id").empty() ? IdFrom(call.Body("title")) : std::string(call.Body("id"));
  auto rule = ReadRule(services, call, id, position);
  if (!rule.ok()) return RuleProblem(rule.status(), position);
  auto added = services.detection.AddRule(*rule);
  // Other titles may come to the same id: all those without a Latin letter do.
  for (int number = 2; call.Body("id").empty() && absl::IsAlreadyExists(added.status()); ++number) {
    const auto other = services.detection.GetRule(rule->rule.id);
    if (other.ok() && other->rule.title == rule->rule.title) break;
    rule->rule.id = id + "-" + std::to_string(number);
    added = services.detection.AddRule(*rule);
  }
  return added.ok() ? Json(ToJson(*added), 201) : FromDeskStatus(added.status());
}

Response PutRule(Services& services, const Call& call) {
  std::optional<std::size_t> position;
  auto rule = ReadRule(services, call, std::string(call.Path("id")), position);
  if (!rule.ok()) return RuleProblem(rule.status(), position);
  const auto changed = services.detection.ChangeRule(*std::move(rule));
  return changed.ok() ? Json(ToJson(*changed)) : FromDeskStatus(changed.status());
}

Response DeleteRule(Services& services, const Call& call) {
  const absl::Status status = services.detection.RemoveRule(call.Path("id"));
  return status.ok() ? NoContent() : FromDeskStatus(status);
}

// Always 200: a wrong rule is an answer, too.
Response PostValidate(Services&, const Call& call) {
  FilterError error;
  const auto condition = RuleCondition::Parse(call.Body("expression"), &error);
  if (!condition.ok()) {
    return Json(JsonObject()
                    .AddJson("valid", "false")
                    .Add("message", error.message)
                    .Add("position", std::uint64_t{error.position})
                    .Take());
  }
  return Json(JsonObject()
                  .AddJson("valid", "true")
                  .Add("expression", condition->ToString())
                  .Add("unit", condition->unit())
                  .AddJson("counts_at_start", condition->counts_at_start() ? "true" : "false")
                  .Take());
}

Response ListSuppressions(Services& services, const Call&) {
  const auto all = services.detection.Suppressions();
  return Json(JsonObject()
                  .AddJson("suppressions",
                           JsonList(all, [](const StoredSuppression& one) { return ToJson(one); }))
                  .Take());
}

absl::StatusOr<Suppression> ReadSuppression(Services& services, const Call& call,
                                            const std::string& id) {
  NTA_ASSIGN_OR_RETURN(StoredSuppression stored, SuppressionFromJson(WithId(call, id)));
  stored.suppression.author = call.principal.account.username;
  stored.suppression.created = services.clock.wall();
  return stored.suppression;
}

Response PostSuppression(Services& services, const Call& call) {
  auto suppression = ReadSuppression(services, call, RandomToken(9));
  if (!suppression.ok()) return FromDeskStatus(suppression.status());
  const auto added = services.detection.AddSuppression(*std::move(suppression));
  return added.ok() ? Json(ToJson(*added), 201) : FromDeskStatus(added.status());
}

Response PutSuppression(Services& services, const Call& call) {
  auto suppression = ReadSuppression(services, call, std::string(call.Path("id")));
  if (!suppression.ok()) return FromDeskStatus(suppression.status());
  const auto changed = services.detection.ChangeSuppression(*std::move(suppression));
  return changed.ok() ? Json(ToJson(*changed)) : FromDeskStatus(changed.status());
}

Response DeleteSuppression(Services& services, const Call& call) {
  const absl::Status status = services.detection.RemoveSuppression(call.Path("id"));
  return status.ok() ? NoContent() : FromDeskStatus(status);
}

Route Changing(std::string method, std::string path, Access access, Handler handler,
               std::string summary, std::vector<Field> fields, std::string answer,
               std::string audit) {
  const bool removes = method == "DELETE";
  const bool creates = method == "POST";
  return {.method = std::move(method),
          .path = std::move(path),
          .access = access,
          .work = Work::kStore,
          .handler = handler,
          .summary = std::move(summary),
          .parameters = {},
          .fields = std::move(fields),
          .success = removes   ? 204
                     : creates ? 201
                               : 200,
          .answer = std::move(answer),
          .audit = std::move(audit)};
}

}  // namespace

std::vector<Route> DetectionRoutes() {
  const auto optional = Need::kOptional;
  const std::vector<Field> rule_fields = {
      {"title", "for people, 1 to 480 bytes"},
      {"expression", "see docs/alert_rules.md"},
      {"id", "a-z, 0-9, - and _; left out: from the title", optional},
      {"severity", "info, low, medium (default), high or critical", optional},
      {"close_below", "part of the threshold, default 0.5", optional, FieldType::kNumber},
      {"hold_seconds", "default 300", optional, FieldType::kNumber},
      {"enabled", "default true", optional, FieldType::kBoolean}};
  const std::vector<Field> suppression_fields = {
      {"reason", "why, 1 to 1000 bytes"},
      {"kind", "suppression (default), maintenance or allow", optional},
      {"sources", "networks", optional, FieldType::kArray},
      {"destinations", "networks", optional, FieldType::kArray},
      {"hosts", "networks; source or destination", optional, FieldType::kArray},
      {"ports", "\"22\", \"8000-8100\"", optional, FieldType::kArray},
      {"domains", "and all below them", optional, FieldType::kArray},
      {"detectors", "names; \"rule:ID\" for a rule", optional, FieldType::kArray},
      {"classes", "of alerts", optional, FieldType::kArray},
      {"begins", "RFC 3339", optional},
      {"expires", "RFC 3339", optional},
      {"weekly", "\"mon-fri 22:00-06:00\", UTC", optional}};
  const std::string rule =
      "id, title, expression, severity, close_below, hold_seconds, enabled, "
      "unit, counts_at_start, author, updated";
  const std::string suppression = "the suppression with hidden_alerts, hidden_states, last_hidden";
  Route validate =
      Changing("POST", "/api/v1/alert-rules/validate", Access::kViewer, PostValidate,
               "Whether the text is a rule", {{"expression", "see docs/alert_rules.md"}},
               "valid, and expression and unit, or message and position", "");
  validate.work = Work::kInline;
  validate.success = 200;
  return {
      Reading("/api/v1/alert-rules", ListRules, "All alert rules", {}, "rules: " + rule),
      Changing("POST", "/api/v1/alert-rules", Access::kOperator, PostRule, "Add an alert rule",
               rule_fields, rule, "alert_rule.create"),
      validate,
      Reading("/api/v1/alert-rules/{id}", GetRule, "One alert rule", {}, rule),
      Changing("PUT", "/api/v1/alert-rules/{id}", Access::kOperator, PutRule,
               "Change an alert rule; it goes on at once", rule_fields, rule, "alert_rule.change"),
      Changing("DELETE", "/api/v1/alert-rules/{id}", Access::kOperator, DeleteRule,
               "Remove an alert rule; its alerts close", {}, "", "alert_rule.delete"),
      Reading("/api/v1/suppressions", ListSuppressions, "Suppressions, maintenance, allow lists",
              {}, "suppressions"),
      Changing("POST", "/api/v1/suppressions", Access::kOperator, PostSuppression,
               "Hide alerts from now on", suppression_fields, suppression, "suppression.create"),
      Changing("PUT", "/api/v1/suppressions/{id}", Access::kOperator, PutSuppression,
               "Change a suppression; its counts stay", suppression_fields, suppression,
               "suppression.change"),
      Changing("DELETE", "/api/v1/suppressions/{id}", Access::kOperator, DeleteSuppression,
               "Show such alerts again", {}, "", "suppression.delete"),
  };
}

}  // namespace nta::server
