#include "firewall/desk_json.h"

#include <cstdio>

#include "base/status.h"
#include "firewall/requests.h"
#include "http/json_text.h"

namespace nta::server {
namespace {

std::string Decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3f", value);
  return text;
}

std::string Seconds(Duration duration) {
  return Decimal(std::chrono::duration<double>(duration).count());
}

std::string ToJson(const RuleCounters& counters) {
  return JsonObject()
      .Add("rule_id", counters.rule_id)
      .Add("packets", counters.packets)
      .Add("bytes", counters.bytes)
      .Take();
}

std::string ToJson(const RuleFinding& finding) {
  return JsonObject()
      .Add("kind", nta::ToString(finding.kind))
      .Add("rule_id", finding.rule_id)
      .AddJson("because_of", finding.because_of ? JsonQuote(*finding.because_of) : "null")
      .Add("text", finding.text)
      .Take();
}

}  // namespace

std::string ToJson(const WaitingChange& change) {
  return JsonObject()
      .Add("deadline", nta::ToString(change.deadline))
      .AddJson("seconds_left", Seconds(change.left))
      .Add("by", change.by)
      .Take();
}

std::string ToJson(const FirewallState& state) {
  const auto as_json = [](const auto& value) { return ToJson(value); };
  const auto to_words = [](const Rule& rule) {
    return JsonObject().Add("rule_id", rule.id).Add("text", nta::ToString(rule)).Take();
  };
  return JsonObject()
      .Add("backend", state.backend)
      .Add("note", state.note)
      .AddJson("version", std::to_string(state.version))
      .AddJson("draft", nta::ToJson(state.draft))
      .AddJson("in_force", nta::ToJson(state.in_force))
      .AddJson("diff", nta::ToJson(state.diff))
      .Add("diff_text", state.diff.ToString())
      .AddJson("changed", state.diff.empty() ? "false" : "true")
      .AddJson("words", JsonList(state.draft.rules(), to_words))
      .AddJson("counters", JsonList(state.counters, as_json))
      .AddJson("findings", JsonList(state.findings, as_json))
      .AddJson("pending", state.waiting ? ToJson(*state.waiting) : "null")
      .AddJson("rolled_back", state.rolled_back ? JsonQuote(*state.rolled_back) : "null")
      .Take();
}

std::string ToJson(const std::map<std::string, ResponsePolicy>& policies) {
  JsonObject json;
  for (const auto& [alert_class, policy] : policies) json.Add(alert_class, nta::ToString(policy));
  return json.Take();
}

absl::StatusOr<std::map<std::string, ResponsePolicy>> PoliciesFromJson(std::string_view text) {
  NTA_ASSIGN_OR_RETURN(const FlatObject object, ParseFlatObject(text));
  std::map<std::string, ResponsePolicy> policies;
  for (const auto& [alert_class, value] : object) {
    NTA_RETURN_IF_ERROR(ParseAlertClass(alert_class).status());
    const auto* name = std::get_if<std::string>(&value);
    if (name == nullptr) return base::InvalidArgument("a policy is off, propose or automatic");
    NTA_ASSIGN_OR_RETURN(policies[alert_class], ParseResponsePolicy(*name));
  }
  return policies;
}

std::string ToJson(const std::vector<IpPrefix>& prefixes) {
  return JsonList(prefixes, [](const IpPrefix& prefix) { return JsonQuote(prefix.ToString()); });
}

absl::StatusOr<std::vector<IpPrefix>> PrefixesFromJson(std::string_view text) {
  constexpr std::size_t kMost = 10'000;
  NTA_ASSIGN_OR_RETURN(const std::vector<std::string> texts, TextsFromJson(text));
  if (texts.size() > kMost) return base::InvalidArgument("at most 10000 networks can be listed");
  std::vector<IpPrefix> prefixes;
  for (const std::string& one : texts) {
    NTA_ASSIGN_OR_RETURN(const IpPrefix prefix, IpPrefix::Parse(one));
    prefixes.push_back(prefix);
  }
  return prefixes;
}

}  // namespace nta::server
