#include <algorithm>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "nta/firewall/rule_set.h"

namespace nta {
namespace {

using Places = std::map<std::string_view, std::size_t>;

Places PlacesOf(const RuleSet& rules) {
  Places places;
  for (std::size_t i = 0; i < rules.rules().size(); ++i) places.emplace(rules.rules()[i].id, i);
  return places;
}

// Of a sequence without doubles, which members a longest increasing subsequence keeps.
std::vector<bool> LongestIncreasing(const std::vector<std::size_t>& sequence) {
  constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::vector<std::size_t> tails;  // of the best run of each length, where it ends
  std::vector<std::size_t> before(sequence.size(), kNone);
  for (std::size_t i = 0; i < sequence.size(); ++i) {
    const auto at = std::lower_bound(
        tails.begin(), tails.end(), sequence[i],
        [&](std::size_t tail, std::size_t value) { return sequence[tail] < value; });
    if (at != tails.begin()) before[i] = *(at - 1);
    if (at == tails.end()) {
      tails.push_back(i);
    } else {
      *at = i;
    }
  }
  std::vector<bool> kept(sequence.size());
  for (std::size_t i = tails.empty() ? kNone : tails.back(); i != kNone; i = before[i]) {
    kept[i] = true;
  }
  return kept;
}

// The rules of `after` that stand in another order to each other than before.
std::vector<bool> Moved(const RuleSet& after, const Places& before) {
  std::vector<std::size_t> sequence;
  std::vector<std::size_t> index;
  for (std::size_t i = 0; i < after.rules().size(); ++i) {
    const auto found = before.find(after.rules()[i].id);
    if (found == before.end()) continue;
    sequence.push_back(found->second);
    index.push_back(i);
  }
  const std::vector<bool> kept = LongestIncreasing(sequence);
  std::vector<bool> moved(after.rules().size());
  for (std::size_t i = 0; i < kept.size(); ++i) moved[index[i]] = !kept[i];
  return moved;
}

std::vector<RuleChange> DiffRules(const RuleSet& before, const RuleSet& after) {
  const Places old_places = PlacesOf(before);
  const Places new_places = PlacesOf(after);
  std::vector<RuleChange> changes;
  for (std::size_t i = 0; i < before.rules().size(); ++i) {
    const Rule& rule = before.rules()[i];
    if (new_places.contains(rule.id)) continue;
    changes.push_back({.kind = ChangeKind::kRemoved, .before = rule, .from = i});
  }
  const std::vector<bool> moved = Moved(after, old_places);
  for (std::size_t i = 0; i < after.rules().size(); ++i) {
    const Rule& rule = after.rules()[i];
    const auto found = old_places.find(rule.id);
    if (found == old_places.end()) {
      changes.push_back({.kind = ChangeKind::kAdded, .after = rule, .to = i});
      continue;
    }
    const Rule& old_rule = before.rules()[found->second];
    if (old_rule == rule && !moved[i]) continue;
    changes.push_back({.kind = old_rule == rule ? ChangeKind::kMoved : ChangeKind::kChanged,
                       .before = old_rule,
                       .after = rule,
                       .from = found->second,
                       .to = i});
  }
  return changes;
}

bool ElementLess(const SetElement& a, const SetElement& b) {
  if (a.prefix != b.prefix) return a.prefix < b.prefix;
  return a.expires < b.expires;
}

std::vector<SetElement> Without(const AddressSet& set, const AddressSet& other) {
  std::vector<SetElement> rest;
  std::set_difference(set.elements.begin(), set.elements.end(), other.elements.begin(),
                      other.elements.end(), std::back_inserter(rest), ElementLess);
  return rest;
}

std::vector<SetChange> DiffSets(const RuleSet& before, const RuleSet& after) {
  std::vector<SetChange> changes;
  for (const AddressSet& set : before.sets()) {
    if (after.FindSet(set.name) != nullptr) continue;
    changes.push_back({.kind = ChangeKind::kRemoved, .name = set.name, .removed = set.elements});
  }
  for (const AddressSet& set : after.sets()) {
    const AddressSet* old_set = before.FindSet(set.name);
    if (old_set == nullptr) {
      changes.push_back({.kind = ChangeKind::kAdded, .name = set.name, .added = set.elements});
    } else if (*old_set != set) {
      changes.push_back({.kind = ChangeKind::kChanged,
                         .name = set.name,
                         .added = Without(set, *old_set),
                         .removed = Without(*old_set, set)});
    }
  }
  return changes;
}

}  // namespace

bool RuleSetDiff::empty() const { return *this == RuleSetDiff{}; }

RuleSetDiff Diff(const RuleSet& before, const RuleSet& after) {
  RuleSetDiff diff;
  diff.rules = DiffRules(before, after);
  diff.sets = DiffSets(before, after);
  if (before.defaults() != after.defaults()) {
    diff.defaults_before = before.defaults();
    diff.defaults_after = after.defaults();
  }
  const ProtectedSet& old_set = before.protected_set();
  const ProtectedSet& new_set = after.protected_set();
  std::set_difference(new_set.peers.begin(), new_set.peers.end(), old_set.peers.begin(),
                      old_set.peers.end(), std::back_inserter(diff.protected_added));
  std::set_difference(old_set.peers.begin(), old_set.peers.end(), new_set.peers.begin(),
                      new_set.peers.end(), std::back_inserter(diff.protected_removed));
  diff.protection_changed = old_set.loopback != new_set.loopback ||
                            old_set.neighbour_discovery != new_set.neighbour_discovery ||
                            old_set.replies != new_set.replies;
  return diff;
}

}  // namespace nta
