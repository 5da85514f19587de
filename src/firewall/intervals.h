// Ranges of addresses and ports without overlaps: the form in which the kernel holds them, and in
// which what is asked can be compared with what is there.
#ifndef NTA_FIREWALL_INTERVALS_H_
#define NTA_FIREWALL_INTERVALS_H_

#include <compare>
#include <optional>
#include <span>
#include <vector>

#include "nta/firewall/rule.h"
#include "nta/net/ip_address.h"

namespace nta::firewall {

// Both ends belong to it, and are of one version.
struct AddressRange {
  IpAddress first{};
  IpAddress last{};

  friend auto operator<=>(const AddressRange&, const AddressRange&) = default;
};

// Absent after the last address of the version.
std::optional<IpAddress> Successor(const IpAddress& address);
std::optional<IpAddress> Predecessor(const IpAddress& address);

// Sorted, none touching the next; IPv4 first.
std::vector<AddressRange> Union(std::vector<AddressRange> ranges);
std::vector<AddressRange> Union(std::span<const IpPrefix> prefixes);
std::vector<PortRange> Union(std::span<const PortRange> ranges);
// The fewest prefixes that make up the range.
std::vector<IpPrefix> ToPrefixes(const AddressRange& range);
std::vector<IpPrefix> ToPrefixes(std::span<const AddressRange> ranges);

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_INTERVALS_H_
