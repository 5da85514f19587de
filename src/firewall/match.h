// Whether a rule, a set or the protected set takes a packet of which not everything is known.
#ifndef NTA_FIREWALL_MATCH_H_
#define NTA_FIREWALL_MATCH_H_

#include <functional>
#include <optional>

#include "nta/firewall/rule_set.h"

namespace nta::firewall {

enum class Truth : std::uint8_t { kNo, kMaybe, kYes };

struct Match {
  Truth truth = Truth::kYes;
  MissingFact missing = MissingFact::kNothing;  // for kMaybe
};

bool Expired(const std::optional<Timestamp>& expires, const std::optional<Timestamp>& now);
// Elements that expired by `now` do not count.
bool SetContains(const AddressSet& set, const IpAddress& address,
                 const std::optional<Timestamp>& now);

// Whether `rule` takes a packet that goes in `direction`.
Match MatchRule(const RuleSet& rules, const Rule& rule, RuleDirection direction,
                const PacketFacts& packet);
Match MatchProtected(const ProtectedSet& protected_set, RuleDirection direction,
                     const PacketFacts& packet);

// Says of a rate limit that took a packet whether the packet is above the rate; absent: not known.
using OverLimit = std::function<std::optional<bool>(const Rule&)>;

// Evaluate(), with someone who knows the rates. `direction` of the packet must be known.
Evaluation EvaluateDirected(const RuleSet& rules, RuleDirection direction,
                            const PacketFacts& packet, const OverLimit& over_limit);

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_MATCH_H_
