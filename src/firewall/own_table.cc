#include "firewall/own_table.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "base/status.h"
#include "firewall/table_contents.h"

namespace nta::firewall {

bool IsAllOurs(const KernelTable& table) {
  const auto is_plain = [](std::string_view name) {
    return std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    });
  };
  const auto begins = [](std::string_view name, char letter) {
    return name.size() > 2 && name[0] == letter && name[1] == '_';
  };
  std::set<std::string> chains{std::string(kAboutChain)};
  for (const auto direction : {RuleDirection::kIn, RuleDirection::kOut, RuleDirection::kForward}) {
    chains.insert(BaseChain(direction));
    chains.insert(ProtectedChain(direction));
  }
  for (const auto& [name, chain] : table.chains) {
    if (chains.contains(name)) continue;
    if (!is_plain(name) || !(begins(name, 'm') || begins(name, 'v'))) return false;
  }
  for (const auto& [name, set] : table.sets) {
    if (!is_plain(name) || !ParseKernelSetName(name) || !set.is_known_form) return false;
  }
  for (const auto& [name, limit] : table.limits) {
    if (!is_plain(name) || !begins(name, 'l')) return false;
  }
  for (const std::string& name : table.counters) {
    if (!is_plain(name) || !begins(name, 'c')) return false;
  }
  return table.others.empty();
}

std::map<std::string, std::uint32_t> GenerationsOf(const KernelTable& table) {
  std::map<std::string, std::uint32_t> generations;
  for (const auto& [name, set] : table.sets) {
    const auto known = ParseKernelSetName(name);
    if (!known) continue;
    std::uint32_t& generation = generations[known->name];
    generation = std::max(generation, known->generation);
  }
  return generations;
}

RenderedRule Form(const Rule& rule, const RuleSet& rules) { return RenderRule(rule, rules, {}); }

absl::StatusOr<RuleSet> Reword(const RuleSet& read, const RuleSet& asked) {
  RuleSetParts parts = read.parts();
  for (Rule& rule : parts.rules) {
    const Rule* const before = asked.FindRule(rule.id);
    if (before != nullptr && Form(*before, asked) == Form(rule, read)) rule = *before;
  }
  for (AddressSet& set : parts.sets) {
    const AddressSet* const before = asked.FindSet(set.name);
    if (before == nullptr || set.kind != AddressSetKind::kPrefixes) continue;
    if (SameContents(ContentsOf(*before, Timestamp()), ContentsOf(set, Timestamp()))) set = *before;
  }
  RuleSetParts only_protected{.protected_set = asked.protected_set()};
  NTA_ASSIGN_OR_RETURN(const RuleSet before, RuleSet::Create(std::move(only_protected)));
  NTA_ASSIGN_OR_RETURN(const RuleSet after,
                       RuleSet::Create({.protected_set = parts.protected_set}));
  if (Render(before, {}) == Render(after, {})) parts.protected_set = asked.protected_set();
  return RuleSet::Create(std::move(parts));
}

}  // namespace nta::firewall
