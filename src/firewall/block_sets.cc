#include "firewall/block_sets.h"

#include <algorithm>
#include <iterator>

#include "nta/net/five_tuple.h"

namespace nta::firewall {
namespace {

constexpr std::string_view kPrefix = "blocked";

// "blocked-tcp-22" and an ending are an id of at most 32.
std::string RuleId(const BlockScope& scope, std::string_view ending) {
  return BlockSetName(scope) + std::string(ending);
}

}  // namespace

std::string BlockSetName(const BlockScope& scope) {
  std::string name(kPrefix);
  if (scope.protocol) name += "-" + ProtocolName(*scope.protocol);
  if (scope.port) name += "-" + std::to_string(*scope.port);
  return name;
}

bool IsBlockName(std::string_view name) {
  return name == kPrefix || name.starts_with(std::string(kPrefix) + "-");
}

std::vector<Rule> BlockRules(const BlockScope& scope) {
  const std::string set = BlockSetName(scope);
  Rule from{.verdict = RuleVerdict::kDrop, .protocol = scope.protocol};
  from.source.sets = {set};
  if (scope.port) from.destination_ports = {{*scope.port, *scope.port}};
  from.comment = "Blocked hosts: " + scope.ToString();
  from.author = "response";
  Rule in = from, forward = from;
  in.id = RuleId(scope, "-in");
  forward.id = RuleId(scope, "-from");
  forward.direction = RuleDirection::kForward;
  std::vector<Rule> rules{in, forward};
  if (scope == BlockScope()) {
    Rule to = from;
    to.source = {};
    to.destination.sets = {set};
    Rule out = to, forward_to = to;
    out.id = RuleId(scope, "-out");
    out.direction = RuleDirection::kOut;
    forward_to.id = RuleId(scope, "-to");
    forward_to.direction = RuleDirection::kForward;
    rules.push_back(out);
    rules.push_back(forward_to);
  }
  return rules;
}

absl::StatusOr<RuleSet> WithBlockSets(const RuleSet& rules, std::vector<AddressSet> sets,
                                      const std::vector<BlockScope>& scopes) {
  RuleSetParts parts;
  parts.protected_set = rules.protected_set();
  parts.defaults = rules.defaults();
  parts.sets = std::move(sets);
  for (const BlockScope& scope : scopes) {
    const std::vector<Rule> own = BlockRules(scope);
    parts.rules.insert(parts.rules.end(), own.begin(), own.end());
  }
  std::copy_if(rules.rules().begin(), rules.rules().end(), std::back_inserter(parts.rules),
               [](const Rule& rule) { return !IsBlockName(rule.id); });
  std::copy_if(rules.sets().begin(), rules.sets().end(), std::back_inserter(parts.sets),
               [](const AddressSet& set) { return !IsBlockName(set.name); });
  return RuleSet::Create(std::move(parts));
}

}  // namespace nta::firewall
