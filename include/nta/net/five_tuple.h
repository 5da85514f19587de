// Endpoint, FiveTuple: who talks to whom, by which protocol.
//
//   nta::FiveTuple tuple{.source = {*client, 50000}, .destination = {*server, 443}, .protocol =
//   nta::kProtocolTcp};
#ifndef NTA_NET_FIVE_TUPLE_H_
#define NTA_NET_FIVE_TUPLE_H_

#include <compare>
#include <cstdint>
#include <string>

#include "nta/net/ip_address.h"

namespace nta {

// IANA protocol numbers that the library names.
inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolIgmp = 2;
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolDccp = 33;
inline constexpr std::uint8_t kProtocolGre = 47;
inline constexpr std::uint8_t kProtocolEsp = 50;
inline constexpr std::uint8_t kProtocolAh = 51;
inline constexpr std::uint8_t kProtocolIcmpV6 = 58;
inline constexpr std::uint8_t kProtocolOspf = 89;
inline constexpr std::uint8_t kProtocolSctp = 132;
inline constexpr std::uint8_t kProtocolUdpLite = 136;

// The IANA keyword in lower case ("tcp", "icmpv6"), or the number when it has none here.
std::string ProtocolName(std::uint8_t protocol);
// The inverse of ProtocolName; also takes any number from 0 to 255. InvalidArgument otherwise.
absl::StatusOr<std::uint8_t> ParseProtocol(std::string_view text);

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;  // 0 where the protocol has no ports

  // "192.0.2.1:80", "[2001:db8::1]:80".
  std::string ToString() const;

  friend constexpr auto operator<=>(const Endpoint&, const Endpoint&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const Endpoint& endpoint) {
    return H::combine(std::move(state), endpoint.address, endpoint.port);
  }
};

struct FiveTuple {
  Endpoint source;
  Endpoint destination;
  std::uint8_t protocol = 0;

  FiveTuple Reversed() const { return {destination, source, protocol}; }
  // "tcp 192.0.2.1:50000 -> 198.51.100.2:443"
  std::string ToString() const;

  friend constexpr auto operator<=>(const FiveTuple&, const FiveTuple&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const FiveTuple& tuple) {
    return H::combine(std::move(state), tuple.source, tuple.destination, tuple.protocol);
  }
};

}  // namespace nta

#endif  // NTA_NET_FIVE_TUPLE_H_
