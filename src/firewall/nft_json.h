// What `nft --json list` tells, as values.
#ifndef NTA_FIREWALL_NFT_JSON_H_
#define NTA_FIREWALL_NFT_JSON_H_

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "firewall/kernel_table.h"

namespace nta::firewall {

// One listed table with the elements of its named sets, as far as they are listed.
struct NftTable {
  std::string family{};
  std::string name{};
  KernelTable table{};
  std::map<std::string, std::vector<AddressRange>> elements{};
};

// Reads `nft -n -j list table FAMILY NAME` or `list ruleset`. What it does not understand is told
// in KernelLine::unknown, KernelSet::is_known_form and KernelTable::others. InvalidArgument: that
// is no listing of nft.
absl::StatusOr<std::vector<NftTable>> ParseNftJson(std::string_view text);

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_NFT_JSON_H_
