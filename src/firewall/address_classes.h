// AddressClasses: which rules admit an address, by one search over all of them.
//
// The borders of all networks cut the address space into intervals; within one, every address is
// admitted by the same rules. The number of the set of those rules is kept with each interval.
#ifndef NTA_FIREWALL_ADDRESS_CLASSES_H_
#define NTA_FIREWALL_ADDRESS_CLASSES_H_

#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "firewall/bit_sets.h"
#include "firewall/cover.h"

namespace nta::firewall {

class AddressClasses {
 public:
  // Of rules that admit some networks only, by their bit.
  using Admitted = std::vector<std::pair<std::size_t, const Networks*>>;

  // `any`: the rules that admit every address.
  AddressClasses(const Admitted& rules, const std::vector<Word>& any, BitSets& sets);

  std::uint32_t ClassOf(const IpAddress& address) const;

 private:
  struct Wide {
    std::uint64_t high = 0;
    std::uint64_t low = 0;
    friend auto operator<=>(const Wide&, const Wide&) = default;
  };
  static std::uint32_t NarrowKey(const IpAddress& address);
  static Wide WideKey(const IpAddress& address);

  // Interval i reaches from starts[i] to the next start.
  std::vector<std::uint32_t> starts_v4_;
  std::vector<std::uint32_t> classes_v4_;
  // For the upper 16 bits: the interval in which they begin.
  std::vector<std::uint32_t> index_v4_;
  std::vector<Wide> starts_v6_;
  std::vector<std::uint32_t> classes_v6_;
};

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_ADDRESS_CLASSES_H_
