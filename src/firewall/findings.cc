#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "firewall/cover.h"
#include "firewall/match.h"
#include "nta/firewall/rule_set.h"

namespace nta {
namespace firewall {
namespace {

RuleFinding Unreachable(const Rule& rule, std::string text) {
  return {RuleFindingKind::kUnreachable, rule.id, std::nullopt, std::move(text)};
}

std::optional<std::string> WhyNothing(const ResolvedRule& resolved, Timestamp now) {
  const Rule& rule = *resolved.rule;
  if (rule.expires && *rule.expires <= now) {
    return "it expired at " + ToString(*rule.expires);
  }
  const Networks& source = resolved.source;
  const Networks& destination = resolved.destination;
  if (!source.has_v4() && !source.has_v6()) return "its source names an empty set";
  if (!destination.has_v4() && !destination.has_v6()) return "its destination names an empty set";
  const bool v4 = source.has_v4() && destination.has_v4();
  const bool v6 = source.has_v6() && destination.has_v6();
  if (!v4 && !v6) return "one side is IPv4 and the other IPv6";
  if (rule.protocol == kProtocolIcmp && !v4) return "icmp is of IPv4 and its addresses are IPv6";
  if (rule.protocol == kProtocolIcmpV6 && !v6)
    return "icmpv6 is of IPv6 and its addresses are IPv4";
  return std::nullopt;
}

// Everything it could take is accepted ahead of it.
bool TakenByProtection(const ResolvedRule& resolved, const ProtectedSet& protected_set,
                       const Networks& peers) {
  const Rule& rule = *resolved.rule;
  if (rule.direction == RuleDirection::kForward) return false;
  const bool in = rule.direction == RuleDirection::kIn;
  const RuleAddresses& far = in ? rule.source : rule.destination;
  if (!far.is_any() && peers.Contains(in ? resolved.source : resolved.destination)) return true;
  const std::optional<std::string>& interface = in ? rule.in_interface : rule.out_interface;
  return protected_set.loopback && interface == "lo";
}

Networks PeersOf(const ProtectedSet& protected_set) {
  std::vector<IpPrefix> prefixes;
  for (const ProtectedPeer& peer : protected_set.peers) {
    if (peer.role != ProtectedRole::kOwn) prefixes.push_back(peer.prefix);
  }
  return Networks(std::move(prefixes));
}

class Finder {
 public:
  Finder(const RuleSet& rules, Timestamp now)
      : rules_(rules), now_(now), peers_(PeersOf(rules.protected_set())) {
    resolved_.reserve(rules.rules().size());
    for (const Rule& rule : rules.rules()) resolved_.emplace_back(rules, rule, now);
  }

  std::optional<RuleFinding> Look(std::size_t index) const {
    const Rule& rule = rules_.rules()[index];
    if (const auto why = WhyNothing(resolved_[index], now_)) {
      return Unreachable(rule, "rule " + rule.id + " can match nothing: " + *why);
    }
    if (TakenByProtection(resolved_[index], rules_.protected_set(), peers_)) {
      return Unreachable(rule, "rule " + rule.id +
                                   " can match nothing: the protected set accepts all of it first");
    }
    return CoveredByEarlier(index);
  }

 private:
  std::optional<RuleFinding> CoveredByEarlier(std::size_t index) const {
    const Rule& rule = rules_.rules()[index];
    for (std::size_t i = 0; i < index; ++i) {
      const Rule& earlier = rules_.rules()[i];
      if (IsOver(earlier) || !Covers(resolved_[i], resolved_[index])) continue;
      const bool same = earlier.verdict == rule.verdict;
      return RuleFinding{same ? RuleFindingKind::kRedundant : RuleFindingKind::kShadowed, rule.id,
                         earlier.id,
                         "rule " + rule.id + (same ? " changes nothing: " : " never decides: ") +
                             "rule " + earlier.id + " comes first and takes all of its packets" +
                             (same ? " with the same verdict" : "")};
    }
    return std::nullopt;
  }
  bool IsOver(const Rule& rule) const { return rule.expires && *rule.expires <= now_; }

  const RuleSet& rules_;
  const Timestamp now_;
  const Networks peers_;
  std::vector<ResolvedRule> resolved_;
};

}  // namespace
}  // namespace firewall

std::vector<RuleFinding> FindProblems(const RuleSet& rules, Timestamp now) {
  const firewall::Finder finder(rules, now);
  std::vector<RuleFinding> findings;
  for (std::size_t i = 0; i < rules.rules().size(); ++i) {
    if (auto finding = finder.Look(i)) findings.push_back(*std::move(finding));
  }
  return findings;
}

std::vector<RuleFinding> FindNeverHit(const RuleSet& rules,
                                      std::span<const RuleCounters> counters) {
  std::map<std::string_view, std::uint64_t> packets;
  for (const RuleCounters& one : counters) packets.emplace(one.rule_id, one.packets);
  std::vector<RuleFinding> findings;
  for (const Rule& rule : rules.rules()) {
    const auto found = packets.find(rule.id);
    if (found == packets.end() || found->second > 0) continue;
    findings.push_back({RuleFindingKind::kNeverHit, rule.id, std::nullopt,
                        "rule " + rule.id + " has matched no packet since it is in force"});
  }
  return findings;
}

}  // namespace nta
