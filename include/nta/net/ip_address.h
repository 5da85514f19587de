// IpAddress, IpPrefix: IPv4 and IPv6 addresses and networks as plain values.
//
//   auto address = nta::IpAddress::Parse("2001:db8::1");
//   auto network = nta::IpPrefix::Parse("10.0.0.0/8");
//   if (network->Contains(*address)) ...
#ifndef NTA_NET_IP_ADDRESS_H_
#define NTA_NET_IP_ADDRESS_H_

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace nta {

// An IPv4 or IPv6 address. An IPv4-mapped IPv6 address (::ffff:a.b.c.d) stays an IPv6 address.
class IpAddress {
 public:
  // 0.0.0.0
  constexpr IpAddress() = default;

  static constexpr IpAddress V4(std::span<const std::uint8_t, 4> bytes) {
    IpAddress address;
    for (std::size_t i = 0; i < 4; ++i) address.bytes_[i] = bytes[i];
    return address;
  }
  static constexpr IpAddress V6(std::span<const std::uint8_t, 16> bytes) {
    IpAddress address;
    for (std::size_t i = 0; i < 16; ++i) address.bytes_[i] = bytes[i];
    address.version_ = 6;
    return address;
  }
  static constexpr IpAddress V4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    const std::array<std::uint8_t, 4> bytes{a, b, c, d};
    return V4(bytes);
  }

  // Dotted quad without leading zeros, or RFC 4291 text without a zone. InvalidArgument otherwise.
  static absl::StatusOr<IpAddress> Parse(std::string_view text);

  // RFC 5952 for IPv6, dotted quad for IPv4.
  std::string ToString() const;

  constexpr int version() const { return version_; }  // 4 or 6
  constexpr bool is_v4() const { return version_ == 4; }
  // 4 or 16 bytes in network order, valid while this address lives.
  constexpr std::span<const std::uint8_t> bytes() const {
    return std::span<const std::uint8_t>(bytes_).first(version_ == 4 ? 4 : 16);
  }
  // All 16 bytes; those of an IPv4 address come first and the rest are 0.
  constexpr const std::array<std::uint8_t, 16>& padded_bytes() const { return bytes_; }

  bool is_loopback() const;
  bool is_multicast() const;
  // RFC 1918, RFC 4193 (fc00::/7), link-local and loopback.
  bool is_private() const;

  // IPv4 before IPv6, then by value.
  friend constexpr std::strong_ordering operator<=>(const IpAddress& a, const IpAddress& b) {
    if (const auto order = a.version_ <=> b.version_; order != 0) return order;
    return a.bytes_ <=> b.bytes_;
  }
  friend constexpr bool operator==(const IpAddress&, const IpAddress&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const IpAddress& address) {
    return H::combine(std::move(state), address.bytes_, address.version_);
  }

 private:
  std::array<std::uint8_t, 16> bytes_{};
  std::uint8_t version_ = 4;
};

// A network: the first `length` bits of an address, the others 0.
class IpPrefix {
 public:
  constexpr IpPrefix() = default;  // 0.0.0.0/0

  // The network of `length` bits that holds `address`. InvalidArgument when length exceeds 32 or
  // 128.
  static absl::StatusOr<IpPrefix> Create(const IpAddress& address, int length);
  // "10.0.0.0/8", "2001:db8::/32"; a bare address is a prefix of full length. Bits after the length
  // must be 0.
  static absl::StatusOr<IpPrefix> Parse(std::string_view text);

  std::string ToString() const;

  const IpAddress& address() const { return address_; }
  int length() const { return length_; }
  // False across versions.
  bool Contains(const IpAddress& address) const;
  // The highest address of the network.
  IpAddress Last() const;

  friend constexpr auto operator<=>(const IpPrefix&, const IpPrefix&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const IpPrefix& prefix) {
    return H::combine(std::move(state), prefix.address_, prefix.length_);
  }

 private:
  IpAddress address_;
  int length_ = 0;
};

}  // namespace nta

template <>
struct std::hash<nta::IpAddress> {
  std::size_t operator()(const nta::IpAddress& address) const noexcept;
};

#endif  // NTA_NET_IP_ADDRESS_H_
