// One line of the kernel as (a part of) a Rule.
#ifndef NTA_FIREWALL_LINE_RULE_H_
#define NTA_FIREWALL_LINE_RULE_H_

#include "firewall/kernel_table.h"
#include "nta/firewall/rule.h"

namespace nta::firewall {

// Everything that is asked of a packet but its addresses.
void AddConditions(const KernelLine& line, Rule& rule);
// Its addresses, beside those that the rule has; names of kernel sets become those of AddressSets.
void AddAddresses(const KernelLine& line, Rule& rule);
// False when it is no verdict of a rule. A limit needs rule.rate_limit first.
bool AddVerdict(const KernelLine& line, Rule& rule);

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_LINE_RULE_H_
