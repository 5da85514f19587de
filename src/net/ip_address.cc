#include "nta/net/ip_address.h"

#include <arpa/inet.h>

#include <charconv>
#include <optional>

#include "base/keyed_hash.h"
#include "base/status.h"

namespace nta {
namespace {

// Quotes at most this much of a wrong input in an error.
constexpr std::size_t kMaxQuoted = 64;

std::string Quoted(std::string_view text) {
  std::string result = "\"";
  result += text.substr(0, kMaxQuoted);
  result += text.size() > kMaxQuoted ? "...\"" : "\"";
  return result;
}

bool MatchesPrefix(const IpAddress& address, const IpAddress& network, int length) {
  const auto& a = address.padded_bytes();
  const auto& b = network.padded_bytes();
  const auto whole = static_cast<std::size_t>(length / 8);
  if (std::memcmp(a.data(), b.data(), whole) != 0) return false;
  const int rest = length % 8;
  if (rest == 0) return true;
  const int mask = 0xff00 >> rest & 0xff;
  return ((a[whole] ^ b[whole]) & mask) == 0;
}

IpAddress WithHostBits(const IpAddress& address, int length, bool value) {
  std::array<std::uint8_t, 16> bytes = address.padded_bytes();
  const int width = address.is_v4() ? 32 : 128;
  for (int bit = length; bit < width; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80 >> (bit % 8));
    auto& byte = bytes[static_cast<std::size_t>(bit / 8)];
    byte = static_cast<std::uint8_t>(value ? byte | mask : byte & ~mask);
  }
  return address.is_v4() ? IpAddress::V4(std::span(bytes).first<4>()) : IpAddress::V6(bytes);
}

std::string DottedQuad(const std::array<std::uint8_t, 16>& bytes) {
  char text[15];
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const int byte = bytes[i];
    if (i > 0) text[size++] = '.';
    if (byte >= 100) text[size++] = static_cast<char>('0' + byte / 100);
    if (byte >= 10) text[size++] = static_cast<char>('0' + byte / 10 % 10);
    text[size++] = static_cast<char>('0' + byte % 10);
  }
  return {text, size};
}

}  // namespace

absl::StatusOr<IpAddress> IpAddress::Parse(std::string_view text) {
  // inet_pton reads a C string; an embedded NUL must not cut the text short.
  if (text.size() < INET6_ADDRSTRLEN && text.find('\0') == std::string_view::npos) {
    const std::string terminated(text);
    std::array<std::uint8_t, 16> bytes{};
    if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) {
      return V4(std::span(bytes).first<4>());
    }
    if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return V6(bytes);
  }
  return base::InvalidArgument("not an IP address: " + Quoted(text));
}

std::string IpAddress::ToString() const {
  // Every table and every answer writes addresses; inet_ntop takes ten times as long for these.
  if (is_v4()) return DottedQuad(bytes_);
  char text[INET6_ADDRSTRLEN];
  // glibc's inet_ntop writes RFC 5952: lower case, longest run of zeros shortened, mapped addresses
  // dotted.
  if (inet_ntop(AF_INET6, bytes_.data(), text, sizeof(text)) == nullptr) return {};
  return text;
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[0] == 127;
  static constexpr std::array<std::uint8_t, 16> kLoopback{0, 0, 0, 0, 0, 0, 0, 0,
                                                          0, 0, 0, 0, 0, 0, 0, 1};
  return bytes_ == kLoopback;
}

bool IpAddress::is_multicast() const {
  return is_v4() ? (bytes_[0] & 0xf0) == 0xe0 : bytes_[0] == 0xff;
}

bool IpAddress::is_private() const {
  if (is_loopback()) return true;
  if (is_v4()) {
    return bytes_[0] == 10 || (bytes_[0] == 172 && (bytes_[1] & 0xf0) == 16) ||
           (bytes_[0] == 192 && bytes_[1] == 168) || (bytes_[0] == 169 && bytes_[1] == 254);
  }
  return (bytes_[0] & 0xfe) == 0xfc || (bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80);
}

absl::StatusOr<IpPrefix> IpPrefix::Create(const IpAddress& address, int length) {
  const int width = address.is_v4() ? 32 : 128;
  if (length < 0 || length > width) {
    return base::InvalidArgument("prefix length " + std::to_string(length) +
                                 " is not within 0 to " + std::to_string(width));
  }
  IpPrefix prefix;
  prefix.address_ = WithHostBits(address, length, false);
  prefix.length_ = length;
  return prefix;
}

absl::StatusOr<IpPrefix> IpPrefix::Parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  NTA_ASSIGN_OR_RETURN(const IpAddress address, IpAddress::Parse(text.substr(0, slash)));
  int length = address.is_v4() ? 32 : 128;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc() || end != digits.data() + digits.size() || digits[0] == '-') {
      return base::InvalidArgument("not a prefix length: " + Quoted(digits));
    }
  }
  NTA_ASSIGN_OR_RETURN(const IpPrefix prefix, Create(address, length));
  if (prefix.address_ != address) {
    return base::InvalidArgument(Quoted(text) + " has bits set after its length; meant is " +
                                 prefix.ToString());
  }
  return prefix;
}

std::string IpPrefix::ToString() const {
  return address_.ToString() + '/' + std::to_string(length_);
}

bool IpPrefix::Contains(const IpAddress& address) const {
  return address.version() == address_.version() && MatchesPrefix(address, address_, length_);
}

IpAddress IpPrefix::Last() const { return WithHostBits(address_, length_, true); }

}  // namespace nta

std::size_t std::hash<nta::IpAddress>::operator()(const nta::IpAddress& address) const noexcept {
  // For the host's own unordered containers; tables that strangers fill use a keyed hash.
  const auto bytes = address.bytes();
  return nta::base::KeyedHash(0).Bytes(bytes.data(), bytes.size());
}
