// What the kernel holds, as rules again.
#ifndef NTA_FIREWALL_IMPORT_H_
#define NTA_FIREWALL_IMPORT_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "firewall/kernel_table.h"
#include "firewall/nft_json.h"
#include "nta/firewall/nftables_backend.h"
#include "nta/firewall/rule_set.h"

namespace nta::firewall {

// The inverse of Render(), for a table of ours: what others put into it is left out. `elements` by
// the names of the AddressSets.
absl::StatusOr<RuleSet> RuleSetOf(const KernelTable& table,
                                  std::map<std::string, std::vector<SetElement>> elements);

// A table of somebody else, as far as it maps.
absl::StatusOr<NftablesImport> ImportTable(const NftTable& table);

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_IMPORT_H_
