// PortRange: one port, or ports from one to another.
//
//   auto range = nta::ParsePortRange("8000-8100");
#ifndef NTA_NET_PORT_RANGE_H_
#define NTA_NET_PORT_RANGE_H_

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace nta {

// Both ends belong to it.
struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;  // >= first

  friend auto operator<=>(const PortRange&, const PortRange&) = default;
};

// "443", "8000-8100".
absl::StatusOr<PortRange> ParsePortRange(std::string_view text);
std::string ToString(const PortRange& range);

}  // namespace nta

#endif  // NTA_NET_PORT_RANGE_H_
