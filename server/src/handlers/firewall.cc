// The firewall's draft: looking at it, editing it, trying it on stored flows.
#include <algorithm>
#include <charconv>
#include <string>
#include <utility>

#include "app.h"
#include "base/status.h"
#include "firewall/desk_json.h"
#include "firewall/requests.h"
#include "http/json_text.h"
#include "http/parameters.h"
#include "operations/job_start.h"

namespace nta::server {
namespace {

constexpr Duration kRehearsedByDefault = std::chrono::hours(24 * 7);
constexpr std::chrono::seconds kRehearsalTime{60};
constexpr std::chrono::hours kRehearsalJobTime{1};
// As much as the store takes; some ten thousand rules.
constexpr std::uint64_t kMaxRulesBytes = 4 << 20;

std::string VersionJson(std::int64_t version) {
  return JsonObject().AddJson("version", std::to_string(version)).Take();
}

Response AnswerEdit(const absl::StatusOr<std::int64_t>& version, int status = 200) {
  if (!version.ok()) return FromFirewallStatus(version.status());
  return Json(VersionJson(*version), status);
}

// The rule of the body; whoever sends it is its author.
absl::StatusOr<Rule> RuleOf(const Call& call) {
  NTA_ASSIGN_OR_RETURN(Rule rule, nta::RuleFromJson(call.Body("rule")));
  rule.author = call.principal.account.username;
  return rule;
}

absl::StatusOr<RuleSet> RuleSetOf(const Call& call) {
  std::string text = "{\"rules\":" + std::string(call.Body("rules"));
  for (const std::string_view name : {"sets", "defaults"}) {
    if (!call.body.contains(std::string(name))) continue;
    text += ",\"" + std::string(name) + "\":" + std::string(call.Body(name));
  }
  return RuleSetFromJson(text + "}");
}

std::vector<Rule>::iterator FindRuleIn(RuleSetParts& parts, std::string_view id) {
  return std::find_if(parts.rules.begin(), parts.rules.end(),
                      [id](const Rule& rule) { return rule.id == id; });
}

absl::Status NoSuchRule(std::string_view id) {
  return base::MakeStatus(absl::StatusCode::kNotFound,
                          "there is no rule \"" + std::string(id.substr(0, 40)) + "\"");
}

Response GetRules(Services& services, const Call& call) {
  FirewallDesk* desk = services.firewall.get();
  if (desk == nullptr) return NoFirewall();
  if (call.principal.account.role == Role::kAdmin) desk->NoteAdministrator(call.request->client);
  const auto state = desk->State();
  return state.ok() ? Json(ToJson(*state)) : FromFirewallStatus(state.status());
}

Response PostRule(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  const auto rule = RuleOf(call);
  if (!rule.ok()) return FromFirewallStatus(rule.status());
  const auto place = ReadWhole(call, "place");
  if (!place.ok()) return FromFirewallStatus(place.status());
  const auto version = ReadWhole(call, "version");
  if (!version.ok()) return FromFirewallStatus(version.status());
  const auto insert = [&](RuleSetParts& parts) -> absl::Status {
    const auto last = static_cast<std::int64_t>(parts.rules.size());
    const std::int64_t at = place->value_or(last);
    if (at > last) {
      return base::InvalidArgument("place " + std::to_string(at) + " is beyond the last rule");
    }
    parts.rules.insert(parts.rules.begin() + at, *rule);
    return absl::OkStatus();
  };
  return AnswerEdit(services.firewall->EditDraft(insert, *version), 201);
}

Response PutRule(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  const auto rule = RuleOf(call);
  if (!rule.ok()) return FromFirewallStatus(rule.status());
  const auto version = ReadWhole(call, "version");
  if (!version.ok()) return FromFirewallStatus(version.status());
  const auto replace = [&](RuleSetParts& parts) -> absl::Status {
    const auto found = FindRuleIn(parts, call.Path("id"));
    if (found == parts.rules.end()) return NoSuchRule(call.Path("id"));
    *found = *rule;
    return absl::OkStatus();
  };
  return AnswerEdit(services.firewall->EditDraft(replace, *version));
}

Response DeleteRule(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  const auto remove = [&](RuleSetParts& parts) -> absl::Status {
    const auto found = FindRuleIn(parts, call.Path("id"));
    if (found == parts.rules.end()) return NoSuchRule(call.Path("id"));
    parts.rules.erase(found);
    return absl::OkStatus();
  };
  return AnswerEdit(services.firewall->EditDraft(remove, std::nullopt));
}

Response PutRules(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  const auto rules = RuleSetOf(call);
  if (!rules.ok()) return FromFirewallStatus(rules.status());
  const auto version = ReadWhole(call, "version");
  if (!version.ok()) return FromFirewallStatus(version.status());
  const auto replace = [&](RuleSetParts& parts) {
    const ProtectedSet kept = parts.protected_set;
    parts = rules->parts();
    parts.protected_set = kept;
    return absl::OkStatus();
  };
  return AnswerEdit(services.firewall->EditDraft(replace, *version));
}

Response PutOrder(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  const auto ids = ReadTexts(call, "ids");
  if (!ids.ok()) return FromFirewallStatus(ids.status());
  const auto version = ReadWhole(call, "version");
  if (!version.ok()) return FromFirewallStatus(version.status());
  const auto reorder = [&](RuleSetParts& parts) -> absl::Status {
    std::vector<Rule> ordered;
    for (const std::string& id : *ids) {
      const auto found = FindRuleIn(parts, id);
      if (found == parts.rules.end()) return NoSuchRule(id);
      ordered.push_back(std::move(*found));
      parts.rules.erase(found);
    }
    if (!parts.rules.empty()) {
      return base::InvalidArgument("the rule \"" + parts.rules[0].id + "\" is not in the order");
    }
    parts.rules = std::move(ordered);
    return absl::OkStatus();
  };
  return AnswerEdit(services.firewall->EditDraft(reorder, *version));
}

Response DeleteDraft(Services& services, const Call&) {
  if (services.firewall == nullptr) return NoFirewall();
  const absl::Status status = services.firewall->DiscardDraft();
  return status.ok() ? NoContent() : FromFirewallStatus(status);
}

Response GetDiff(Services& services, const Call&) {
  if (services.firewall == nullptr) return NoFirewall();
  const auto state = services.firewall->State();
  if (!state.ok()) return FromFirewallStatus(state.status());
  return Json(JsonObject()
                  .AddJson("diff", nta::ToJson(state->diff))
                  .Add("text", state->diff.ToString())
                  .AddJson("version", std::to_string(state->version))
                  .Take());
}

absl::StatusOr<RehearsalRequest> RehearsalOf(Services& services, const Call& call) {
  RehearsalRequest request;
  NTA_ASSIGN_OR_RETURN(request.interval, ReadInterval(call, services.clock.wall()));
  if (call.Query("since").empty()) {
    request.interval.since = request.interval.until - kRehearsedByDefault;
  }
  if (call.body.contains("role")) {
    NTA_ASSIGN_OR_RETURN(request.role, ParseMachineRole(call.Body("role")));
  }
  if (call.body.contains("interface")) request.interface = std::string(call.Body("interface"));
  if (call.body.contains("translated")) {
    NTA_ASSIGN_OR_RETURN(const std::vector<std::string> texts, ReadTexts(call, "translated"));
    for (const std::string& text : texts) {
      NTA_ASSIGN_OR_RETURN(const IpPrefix prefix, IpPrefix::Parse(text));
      request.translated.push_back(prefix);
    }
  }
  if (call.body.contains("rules")) {
    NTA_ASSIGN_OR_RETURN(request.rules, RuleSetOf(call));
  }
  // The connection over which this is asked: what the rules must not cut.
  if (services.listening) {
    request.sessions = {{call.request->client, *services.listening}};
    if (!call.request->client.is_loopback() && call.request->server) {
      request.sessions[0].server.address = *call.request->server;
    }
  }
  return request;
}

absl::StatusOr<std::string> RunRehearsal(FirewallDesk& desk, const RehearsalRequest& request,
                                         JobContext& job) {
  const QueryControl control{
      .stop = job.stop(),
      .progress = [&job](double part) { job.Report(part, "going through the flows"); },
      .timeout = kRehearsalJobTime};
  NTA_ASSIGN_OR_RETURN(const RehearsalResult result, desk.Rehearse(request, control));
  return nta::ToJson(result);
}

Response StartRehearsal(Services& services, const Call& call, RehearsalRequest request) {
  return StartJob(services, call, {.kind = "rehearsal"},
                  [&desk = *services.firewall, request = std::move(request)](JobContext& job) {
                    return RunRehearsal(desk, request, job);
                  });
}

Response PostRehearse(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  auto request = RehearsalOf(services, call);
  if (!request.ok()) return FromFirewallStatus(request.status());
  if (auto refused = ReadFilter(call, request->filter)) return *std::move(refused);
  if (call.Body("job") == "true") return StartRehearsal(services, call, *std::move(request));
  const auto result = services.firewall->Rehearse(*request, {.timeout = kRehearsalTime});
  if (!result.ok()) return FromFirewallStatus(result.status());
  return Json(nta::ToJson(*result));
}

Route Changing(std::string method, std::string path, Handler handler, std::string summary,
               std::vector<Field> fields, std::string audit) {
  return {.method = std::move(method),
          .path = std::move(path),
          .access = Access::kOperator,
          .work = Work::kStore,
          .handler = handler,
          .summary = std::move(summary),
          .parameters = {},
          .fields = std::move(fields),
          .answer = "version: of the draft",
          .audit = std::move(audit)};
}

}  // namespace

std::vector<Route> FirewallRoutes() {
  const Field version{"version", "of the draft that was read; it must not have changed since",
                      Need::kOptional, FieldType::kInteger};
  const Field rule{"rule", "id, direction, verdict, and the conditions; docs/firewall.md",
                   Need::kRequired, FieldType::kObject};
  const Field place{"place", "0 is first; default: last", Need::kOptional, FieldType::kInteger};
  const Field rules{"rules", "the rules in order", Need::kRequired, FieldType::kArray};
  const Field sets{"sets", "named sets of addresses", Need::kOptional, FieldType::kArray};
  const Field defaults{"defaults", "in, out, forward: accept or drop", Need::kOptional,
                       FieldType::kObject};
  Field maybe_rules = rules;
  maybe_rules.need = Need::kOptional;
  maybe_rules.description = "instead of the draft";
  const std::string state =
      "backend, version, draft, in_force, diff, counters, findings, pending, rolled_back";
  Route add = Changing("POST", "/api/v1/firewall/rules", PostRule, "Add a rule to the draft",
                       {rule, place, version}, "firewall.draft.add");
  add.success = 201;
  Route add_alias = add;
  Route replace_all = Changing("PUT", "/api/v1/firewall/rules", PutRules, "Replace the whole draft",
                               {rules, sets, defaults, version}, "firewall.draft.replace");
  replace_all.max_body_bytes = kMaxRulesBytes;
  Route reorder = Changing(
      "PUT", "/api/v1/firewall/order", PutOrder, "Put the rules of the draft in order",
      {{"ids", "all of them, the first to be asked first", Need::kRequired, FieldType::kArray},
       version},
      "firewall.draft.reorder");
  reorder.max_body_bytes = kMaxRulesBytes;
  add_alias.path = "/api/firewall/rules";
  Route discard =
      Changing("DELETE", "/api/v1/firewall/draft", DeleteDraft,
               "Make the draft the same as the confirmed rules", {}, "firewall.draft.discard");
  discard.success = 204;
  discard.answer.clear();
  Route rehearse = Changing(
      "POST", "/api/v1/firewall/rehearse", PostRehearse,
      "What the draft would have done to stored flows; default: of the last seven days",
      {{"role", "host, router or unknown", Need::kOptional},
       {"interface", "through which all flows came or went", Need::kOptional},
       {"translated", "networks that stand for others (NAT)", Need::kOptional, FieldType::kArray},
       maybe_rules,
       sets,
       defaults,
       {"job", "true: in the background; answers 202 with the job", Need::kOptional,
        FieldType::kBoolean}},
      "firewall.rehearse");
  rehearse.max_body_bytes = kMaxRulesBytes;
  rehearse.parameters = WithInterval({{"where", "only flows that this filter matches", {}}});
  rehearse.answer =
      "examined, passed, cut, undecidable, elsewhere, hosts, services, rules, difference, "
      "sessions, summary";
  return {
      Reading("/api/firewall/rules", GetRules, "The firewall's rules", {}, state),
      Reading("/api/v1/firewall/rules", GetRules,
              "The draft, the rules in force, their counters and what is wrong with them", {},
              state),
      add,
      add_alias,
      replace_all,
      Changing("PUT", "/api/v1/firewall/rules/{id}", PutRule, "Replace a rule of the draft",
               {rule, version}, "firewall.draft.change"),
      Changing("DELETE", "/api/v1/firewall/rules/{id}", DeleteRule, "Take a rule out of the draft",
               {}, "firewall.draft.remove"),
      reorder,
      discard,
      Reading("/api/v1/firewall/diff", GetDiff, "From the confirmed rules to the draft", {},
              "diff, text, version"),
      rehearse,
  };
}

}  // namespace nta::server
