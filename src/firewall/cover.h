// Whether one rule takes every packet that another one would.
#ifndef NTA_FIREWALL_COVER_H_
#define NTA_FIREWALL_COVER_H_

#include <cstdint>
#include <vector>

#include "nta/firewall/rule_set.h"

namespace nta::firewall {

// Disjoint networks, sorted; what lies within another one is gone.
class Networks {
 public:
  // What `addresses` mean at `now`. With `lasting_until`, only what is there until then.
  Networks(const RuleSet& rules, const RuleAddresses& addresses, Timestamp now,
           std::optional<Timestamp> lasting_until);
  explicit Networks(std::vector<IpPrefix> prefixes);

  bool Contains(const IpPrefix& prefix) const;
  bool Contains(const Networks& other) const;
  const std::vector<IpPrefix>& prefixes() const { return prefixes_; }
  bool has_v4() const { return has_v4_; }
  bool has_v6() const { return has_v6_; }

 private:
  void Normalise(std::vector<IpPrefix> prefixes);
  std::vector<IpPrefix> prefixes_;
  bool has_v4_ = false;
  bool has_v6_ = false;
};

// A rule with its addresses looked up once.
struct ResolvedRule {
  ResolvedRule(const RuleSet& rules, const Rule& rule_in, Timestamp now);

  const Rule* rule;
  Networks source;  // as it may reach at the most
  Networks destination;
  Networks lasting_source;  // what stays as long as the rule does
  Networks lasting_destination;
};

bool Covers(const ResolvedRule& earlier, const ResolvedRule& later);

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_COVER_H_
