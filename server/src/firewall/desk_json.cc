#include "firewall/desk_json.h"

#include <cstdio>

#include "base/status.h"
#include "json_text.h"

namespace nta::server {
namespace {

std::string TimeOrNull(const std::optional<Timestamp>& time) {
  return time ? JsonQuote(ToString(*time)) : "null";
}

std::string NumberOrNull(const std::optional<std::uint64_t>& number) {
  return number ? std::to_string(*number) : "null";
}

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
      .Add("kind", ToString(finding.kind))
      .Add("rule_id", finding.rule_id)
      .AddJson("because_of", finding.because_of ? JsonQuote(*finding.because_of) : "null")
      .Add("text", finding.text)
      .Take();
}

JsonObject Members(const Block& block) {
  JsonObject json;
  json.Add("address", block.address.ToString())
      .AddJson("expires", TimeOrNull(block.expires))
      .Add("created", ToString(block.created))
      .Add("reason", block.reason)
      .Add("alert_id", block.alert_id)
      .Add("author", block.author);
  return json;
}

}  // namespace

std::string ToJson(const Block& block) { return Members(block).Take(); }

std::string ToJson(const BlockEffect& effect) {
  return Members(effect.block)
      .AddJson("dropped_packets", NumberOrNull(effect.dropped_packets))
      .AddJson("dropped_bytes", NumberOrNull(effect.dropped_bytes))
      .AddJson("packets_per_second_before", Decimal(effect.packets_per_second_before))
      .AddJson("packets_per_second_since", Decimal(effect.packets_per_second_since))
      .Take();
}

std::string ToJson(const PendingChange& change) {
  return JsonObject()
      .Add("deadline", ToString(change.deadline))
      .AddJson("seconds_left", Seconds(change.left))
      .Add("by", change.by)
      .Take();
}

std::string ToJson(const FirewallState& state) {
  const auto as_json = [](const auto& value) { return ToJson(value); };
  const auto to_words = [](const Rule& rule) {
    return JsonObject().Add("rule_id", rule.id).Add("text", ToString(rule)).Take();
  };
  return JsonObject()
      .Add("backend", state.backend)
      .AddJson("version", std::to_string(state.version))
      .AddJson("draft", nta::ToJson(state.draft))
      .AddJson("in_force", nta::ToJson(state.in_force))
      .AddJson("diff", nta::ToJson(state.diff))
      .Add("diff_text", state.diff.ToString())
      .AddJson("changed", state.diff.empty() ? "false" : "true")
      .AddJson("words", JsonList(state.draft.rules(), to_words))
      .AddJson("counters", JsonList(state.counters, as_json))
      .AddJson("findings", JsonList(state.findings, as_json))
      .AddJson("pending", state.pending ? ToJson(*state.pending) : "null")
      .AddJson("rolled_back", state.rolled_back ? JsonQuote(*state.rolled_back) : "null")
      .Take();
}

absl::StatusOr<Block> BlockFromJson(std::string_view text) {
  NTA_ASSIGN_OR_RETURN(const FlatObject object, ParseFlatObject(text));
  const auto member = [&object](std::string_view name) -> std::string {
    const auto found = object.find(name);
    const auto* value = found == object.end() ? nullptr : std::get_if<std::string>(&found->second);
    return value == nullptr ? std::string() : *value;
  };
  Block block;
  NTA_ASSIGN_OR_RETURN(block.address, IpAddress::Parse(member("address")));
  NTA_ASSIGN_OR_RETURN(block.created, ParseTimestamp(member("created")));
  if (const std::string expires = member("expires"); !expires.empty()) {
    NTA_ASSIGN_OR_RETURN(block.expires, ParseTimestamp(expires));
  }
  block.reason = member("reason");
  block.alert_id = member("alert_id");
  block.author = member("author");
  return block;
}

}  // namespace nta::server
