// The elements of a table's sets: as a RuleSet wants them and as the kernel has them.
#ifndef NTA_FIREWALL_TABLE_CONTENTS_H_
#define NTA_FIREWALL_TABLE_CONTENTS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "firewall/kernel_sets.h"
#include "firewall/kernel_table.h"
#include "nta/firewall/rule_set.h"

namespace nta::firewall {

// What the kernel holds of one AddressSet.
struct SetContents {
  AddressSetKind kind = AddressSetKind::kHosts;
  std::vector<KernelHost> hosts{};     // sorted by address
  std::vector<AddressRange> ranges{};  // of kPrefixes
};
using TableContents = std::map<std::string, SetContents, std::less<>>;

absl::StatusOr<TableContents> ReadContents(KernelSets& kernel, const KernelTable& table);
SetContents ContentsOf(const AddressSet& set, Timestamp now);
// The kernel counts time in ticks and from when it was told; so times are the same when they are
// two seconds apart at most.
bool SameContents(const SetContents& a, const SetContents& b);

// Exact expiries that were asked for, by address: the kernel's own are some milliseconds off.
using ExpiryHints = absl::flat_hash_map<IpAddress, Timestamp>;
std::vector<SetElement> ElementsOf(const SetContents& contents, const ExpiryHints* hints,
                                   Timestamp now);

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_TABLE_CONTENTS_H_
