// MacAddress: an EUI-48 link-layer address.
//
//   auto mac = nta::MacAddress::Parse("02:00:5e:10:00:01");
#ifndef NTA_NET_MAC_ADDRESS_H_
#define NTA_NET_MAC_ADDRESS_H_

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace nta {

struct MacAddress {
  std::array<std::uint8_t, 6> bytes{};

  // Six pairs of hexadecimal digits, separated by ':' or '-'. InvalidArgument otherwise.
  static absl::StatusOr<MacAddress> Parse(std::string_view text);
  // Lower case, separated by ':'.
  std::string ToString() const;

  bool is_multicast() const { return (bytes[0] & 1) != 0; }

  friend constexpr auto operator<=>(const MacAddress&, const MacAddress&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const MacAddress& mac) {
    return H::combine(std::move(state), mac.bytes);
  }
};

}  // namespace nta

#endif  // NTA_NET_MAC_ADDRESS_H_
