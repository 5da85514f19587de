#include "nta/firewall/rule_set.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/status.h"

namespace nta {
namespace {

template <typename T>
void SortUnique(std::vector<T>& values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
}

// Overlapping and adjacent ranges become one.
void JoinRanges(std::vector<PortRange>& ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::size_t kept = 0;
  for (const PortRange& range : ranges) {
    if (kept > 0 && range.first <= ranges[kept - 1].last + 1) {
      ranges[kept - 1].last = std::max(ranges[kept - 1].last, range.last);
    } else {
      ranges[kept++] = range;
    }
  }
  ranges.resize(kept);
}

void Normalise(Rule& rule) {
  for (RuleAddresses* addresses : {&rule.source, &rule.destination}) {
    SortUnique(addresses->prefixes);
    SortUnique(addresses->sets);
  }
  JoinRanges(rule.source_ports);
  JoinRanges(rule.destination_ports);
  SortUnique(rule.icmp_types);
  SortUnique(rule.states);
}

// Of doubles the one that expires last is kept.
void Normalise(AddressSet& set) {
  const auto later_first = [](const SetElement& a, const SetElement& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    return a.expires.value_or(Timestamp::max()) > b.expires.value_or(Timestamp::max());
  };
  if (!std::is_sorted(set.elements.begin(), set.elements.end(), later_first)) {
    std::sort(set.elements.begin(), set.elements.end(), later_first);
  }
  const auto same = [](const SetElement& a, const SetElement& b) { return a.prefix == b.prefix; };
  set.elements.erase(std::unique(set.elements.begin(), set.elements.end(), same),
                     set.elements.end());
}

bool NameLess(const AddressSet& a, const AddressSet& b) { return a.name < b.name; }

absl::Status CheckLimits(const RuleSetParts& parts) {
  const auto too_many = [](std::string_view what, std::size_t have, std::size_t most) {
    return base::InvalidArgument("rule set has " + std::to_string(have) + " " + std::string(what) +
                                 "; at most " + std::to_string(most) + " are allowed");
  };
  if (parts.rules.size() > kMaxRules) return too_many("rules", parts.rules.size(), kMaxRules);
  if (parts.sets.size() > kMaxAddressSets) {
    return too_many("sets", parts.sets.size(), kMaxAddressSets);
  }
  std::size_t elements = 0;
  for (const AddressSet& set : parts.sets) elements += set.elements.size();
  if (elements > kMaxSetElements) return too_many("set elements", elements, kMaxSetElements);
  for (const RuleVerdict verdict :
       {parts.defaults.in, parts.defaults.out, parts.defaults.forward}) {
    if (verdict != RuleVerdict::kAccept && verdict != RuleVerdict::kDrop) {
      return base::InvalidArgument("a default verdict must be accept or drop, not " +
                                   std::string(ToString(verdict)));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckSetsExist(const Rule& rule, const std::set<std::string_view>& names) {
  for (const RuleAddresses* addresses : {&rule.source, &rule.destination}) {
    for (const std::string& name : addresses->sets) {
      if (names.contains(name)) continue;
      return base::InvalidArgument("rule \"" + rule.id + "\": there is no set \"" + name + "\"");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckParts(const RuleSetParts& parts) {
  NTA_RETURN_IF_ERROR(CheckLimits(parts));
  NTA_RETURN_IF_ERROR(CheckProtectedSet(parts.protected_set));
  std::set<std::string_view> names;
  for (const AddressSet& set : parts.sets) {
    NTA_RETURN_IF_ERROR(CheckAddressSet(set));
    if (names.insert(set.name).second) continue;
    return base::InvalidArgument("two sets have the name \"" + set.name + "\"");
  }
  std::set<std::string_view> ids;
  for (const Rule& rule : parts.rules) {
    NTA_RETURN_IF_ERROR(CheckRule(rule));
    NTA_RETURN_IF_ERROR(CheckSetsExist(rule, names));
    if (ids.insert(rule.id).second) continue;
    return base::InvalidArgument("two rules have the id \"" + rule.id + "\"");
  }
  return absl::OkStatus();
}

bool IsOver(const std::optional<Timestamp>& expires, Timestamp now) {
  return expires && *expires <= now;
}

absl::StatusOr<AddressSet*> SetToEdit(RuleSetParts& parts, std::string_view name) {
  for (AddressSet& set : parts.sets) {
    if (set.name == name) return &set;
  }
  return base::MakeStatus(absl::StatusCode::kNotFound,
                          "there is no set \"" + std::string(name.substr(0, 40)) + "\"");
}

}  // namespace

absl::StatusOr<RuleSet> RuleSet::Create(RuleSetParts parts) {
  NTA_RETURN_IF_ERROR(CheckParts(parts));
  for (Rule& rule : parts.rules) Normalise(rule);
  for (AddressSet& set : parts.sets) Normalise(set);
  std::sort(parts.sets.begin(), parts.sets.end(), NameLess);
  SortUnique(parts.protected_set.peers);
  return RuleSet(std::move(parts));
}

const Rule* RuleSet::FindRule(std::string_view id) const {
  const auto found = std::find_if(parts_.rules.begin(), parts_.rules.end(),
                                  [&](const Rule& rule) { return rule.id == id; });
  return found == parts_.rules.end() ? nullptr : &*found;
}

const AddressSet* RuleSet::FindSet(std::string_view name) const {
  const auto found = std::lower_bound(
      parts_.sets.begin(), parts_.sets.end(), name,
      [](const AddressSet& set, std::string_view text) { return set.name < text; });
  return found == parts_.sets.end() || found->name != name ? nullptr : &*found;
}

RuleSet RuleSet::WithoutExpired(Timestamp now) const {
  RuleSet copy = *this;
  std::erase_if(copy.parts_.rules, [now](const Rule& rule) { return IsOver(rule.expires, now); });
  for (AddressSet& set : copy.parts_.sets) {
    std::erase_if(set.elements,
                  [now](const SetElement& element) { return IsOver(element.expires, now); });
  }
  return copy;
}

std::optional<Timestamp> RuleSet::NextExpiry() const {
  std::optional<Timestamp> next;
  const auto consider = [&next](const std::optional<Timestamp>& expires) {
    if (expires && (!next || *expires < *next)) next = expires;
  };
  for (const Rule& rule : parts_.rules) consider(rule.expires);
  for (const AddressSet& set : parts_.sets) {
    for (const SetElement& element : set.elements) consider(element.expires);
  }
  return next;
}

absl::StatusOr<RuleSet> WithElements(const RuleSet& rules, std::string_view set,
                                     std::span<const SetElement> elements) {
  RuleSetParts parts = rules.parts();
  NTA_ASSIGN_OR_RETURN(AddressSet * edited, SetToEdit(parts, set));
  std::map<IpPrefix, std::optional<Timestamp>> fresh;
  for (const SetElement& element : elements) fresh[element.prefix] = element.expires;
  for (SetElement& element : edited->elements) {
    const auto found = fresh.find(element.prefix);
    if (found == fresh.end()) continue;
    element.expires = found->second;
    fresh.erase(found);
  }
  for (const auto& [prefix, expires] : fresh) edited->elements.push_back({prefix, expires});
  return RuleSet::Create(std::move(parts));
}

absl::StatusOr<RuleSet> WithoutElements(const RuleSet& rules, std::string_view set,
                                        std::span<const IpPrefix> prefixes) {
  RuleSetParts parts = rules.parts();
  NTA_ASSIGN_OR_RETURN(AddressSet * edited, SetToEdit(parts, set));
  const std::set<IpPrefix> gone(prefixes.begin(), prefixes.end());
  std::erase_if(edited->elements,
                [&](const SetElement& element) { return gone.contains(element.prefix); });
  return RuleSet::Create(std::move(parts));
}

}  // namespace nta
