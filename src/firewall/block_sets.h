// The sets and rules by which blocks are enforced.
#ifndef NTA_FIREWALL_BLOCK_SETS_H_
#define NTA_FIREWALL_BLOCK_SETS_H_

#include <string>
#include <vector>

#include "nta/firewall/response.h"
#include "nta/firewall/rule_set.h"

namespace nta::firewall {

// "blocked", "blocked-icmp", "blocked-tcp-22"
std::string BlockSetName(const BlockScope& scope);
// Whether a set or a rule is one of those below.
bool IsBlockName(std::string_view name);
// All traffic of a host is cut both ways; of a narrower scope, what it sends.
std::vector<Rule> BlockRules(const BlockScope& scope);
// `rules` without anything of blocks, then with the sets of `scopes` and their rules ahead of all.
absl::StatusOr<RuleSet> WithBlockSets(const RuleSet& rules, std::vector<AddressSet> sets,
                                      const std::vector<BlockScope>& scopes);

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_BLOCK_SETS_H_
