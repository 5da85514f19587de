// What is said of the table that is ours.
#ifndef NTA_FIREWALL_OWN_TABLE_H_
#define NTA_FIREWALL_OWN_TABLE_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "firewall/kernel_table.h"
#include "firewall/render.h"
#include "nta/firewall/rule_set.h"

namespace nta::firewall {

// Whether everything in the table has a name that Render() gives: only such names are ever put into
// a script.
bool IsAllOurs(const KernelTable& table);
// The numbers of the kernel sets, by the names of the AddressSets.
std::map<std::string, std::uint32_t> GenerationsOf(const KernelTable& table);
// `rule` in one form, whatever its kernel sets are called at the moment.
RenderedRule Form(const Rule& rule, const RuleSet& rules);
// `read` in the words of `asked`, where both mean the same.
absl::StatusOr<RuleSet> Reword(const RuleSet& read, const RuleSet& asked);

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_OWN_TABLE_H_
