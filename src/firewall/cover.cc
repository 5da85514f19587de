#include "firewall/cover.h"

#include <algorithm>
#include <utility>

namespace nta::firewall {
namespace {

const std::vector<IpPrefix>& Everything() {
  static const std::vector<IpPrefix> kAll = {IpPrefix(), *IpPrefix::Parse("::/0")};
  return kAll;
}

bool Lasts(const std::optional<Timestamp>& expires, Timestamp now,
           const std::optional<Timestamp>& lasting_until) {
  if (!expires) return true;
  if (*expires <= now) return false;
  return !lasting_until || *expires >= *lasting_until;
}

bool CoversPorts(const std::vector<PortRange>& wide, const std::vector<PortRange>& narrow) {
  if (wide.empty()) return true;
  if (narrow.empty()) return wide.size() == 1 && wide[0].first == 0 && wide[0].last == 65'535;
  return std::all_of(narrow.begin(), narrow.end(), [&](const PortRange& range) {
    return std::any_of(wide.begin(), wide.end(), [&](const PortRange& other) {
      return other.first <= range.first && range.last <= other.last;
    });
  });
}

// Both sorted; empty stands for any.
template <typename T>
bool CoversList(const std::vector<T>& wide, const std::vector<T>& narrow) {
  if (wide.empty()) return true;
  return !narrow.empty() && std::includes(wide.begin(), wide.end(), narrow.begin(), narrow.end());
}

template <typename T>
bool CoversOptional(const std::optional<T>& wide, const std::optional<T>& narrow) {
  return !wide || wide == narrow;
}

}  // namespace

Networks::Networks(const RuleSet& rules, const RuleAddresses& addresses, Timestamp now,
                   std::optional<Timestamp> lasting_until) {
  if (addresses.is_any()) {
    Normalise(Everything());
    return;
  }
  std::vector<IpPrefix> prefixes = addresses.prefixes;
  for (const std::string& name : addresses.sets) {
    const AddressSet* set = rules.FindSet(name);
    if (set == nullptr) continue;
    for (const SetElement& element : set->elements) {
      if (Lasts(element.expires, now, lasting_until)) prefixes.push_back(element.prefix);
    }
  }
  Normalise(std::move(prefixes));
}

Networks::Networks(std::vector<IpPrefix> prefixes) { Normalise(std::move(prefixes)); }

void Networks::Normalise(std::vector<IpPrefix> prefixes) {
  // The order of prefixes puts a network before those within it.
  std::sort(prefixes.begin(), prefixes.end());
  for (const IpPrefix& prefix : prefixes) {
    if (prefixes_.empty() || !prefixes_.back().Contains(prefix.address())) {
      prefixes_.push_back(prefix);
    }
    (prefix.address().is_v4() ? has_v4_ : has_v6_) = true;
  }
}

bool Networks::Contains(const IpPrefix& prefix) const {
  const auto after = std::upper_bound(
      prefixes_.begin(), prefixes_.end(), prefix,
      [](const IpPrefix& a, const IpPrefix& b) { return a.address() < b.address(); });
  if (after == prefixes_.begin()) return false;
  const IpPrefix& candidate = *(after - 1);
  return candidate.length() <= prefix.length() && candidate.Contains(prefix.address());
}

bool Networks::Contains(const Networks& other) const {
  return std::all_of(other.prefixes_.begin(), other.prefixes_.end(),
                     [this](const IpPrefix& prefix) { return Contains(prefix); });
}

ResolvedRule::ResolvedRule(const RuleSet& rules, const Rule& rule_in, Timestamp now)
    : rule(&rule_in),
      source(rules, rule_in.source, now, std::nullopt),
      destination(rules, rule_in.destination, now, std::nullopt),
      lasting_source(rules, rule_in.source, now, rule_in.expires.value_or(Timestamp::max())),
      lasting_destination(rules, rule_in.destination, now,
                          rule_in.expires.value_or(Timestamp::max())) {}

bool Covers(const ResolvedRule& earlier, const ResolvedRule& later) {
  const Rule& a = *earlier.rule;
  const Rule& b = *later.rule;
  if (a.direction != b.direction || a.verdict == RuleVerdict::kRateLimit) return false;
  // The earlier one must stay at least as long.
  if (a.expires && (!b.expires || *a.expires < *b.expires)) return false;
  return CoversOptional(a.protocol, b.protocol) && CoversOptional(a.in_interface, b.in_interface) &&
         CoversOptional(a.out_interface, b.out_interface) && CoversList(a.states, b.states) &&
         CoversList(a.icmp_types, b.icmp_types) && CoversPorts(a.source_ports, b.source_ports) &&
         CoversPorts(a.destination_ports, b.destination_ports) &&
         earlier.lasting_source.Contains(later.source) &&
         earlier.lasting_destination.Contains(later.destination);
}

}  // namespace nta::firewall
