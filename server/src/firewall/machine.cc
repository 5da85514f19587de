#include "firewall/machine.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <charconv>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>

namespace nta::server {
namespace {

constexpr std::size_t kMaxText = 1 << 20;  // of routes; a router may have very many

std::string ReadText(const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxText, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

std::vector<std::vector<std::string>> Words(std::string_view text) {
  std::vector<std::vector<std::string>> lines;
  std::istringstream stream{std::string(text)};
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words(line);
    lines.emplace_back();
    for (std::string word; words >> word;) lines.back().push_back(word);
  }
  return lines;
}

std::optional<std::vector<std::uint8_t>> HexBytes(std::string_view text, std::size_t size) {
  if (text.size() != 2 * size) return std::nullopt;
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    const char* first = text.data() + 2 * i;
    const auto [end, error] = std::from_chars(first, first + 2, bytes[i], 16);
    if (error != std::errc() || end != first + 2) return std::nullopt;
  }
  return bytes;
}

bool IsUnspecified(const IpAddress& address) {
  for (const std::uint8_t byte : address.bytes()) {
    if (byte != 0) return false;
  }
  return true;
}

IpPrefix HostOf(const IpAddress& address) {
  return *IpPrefix::Create(address, address.is_v4() ? 32 : 128);
}

}  // namespace

std::vector<IpAddress> OwnAddresses() {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);
  std::vector<IpAddress> addresses;
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    if (one->ifa_addr == nullptr || (one->ifa_flags & IFF_UP) == 0) continue;
    if (one->ifa_addr->sa_family == AF_INET) {
      sockaddr_in address{};
      std::memcpy(&address, one->ifa_addr, sizeof(address));
      std::array<std::uint8_t, 4> bytes{};
      std::memcpy(bytes.data(), &address.sin_addr, bytes.size());
      addresses.push_back(IpAddress::V4(bytes));
    } else if (one->ifa_addr->sa_family == AF_INET6) {
      sockaddr_in6 address{};
      std::memcpy(&address, one->ifa_addr, sizeof(address));
      std::array<std::uint8_t, 16> bytes{};
      std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
      addresses.push_back(IpAddress::V6(bytes));
    }
  }
  return addresses;
}

// Iface Destination Gateway ..., addresses as hexadecimal numbers in the machine's byte order.
std::vector<IpAddress> GatewaysV4(std::string_view text) {
  std::vector<IpAddress> gateways;
  for (const std::vector<std::string>& words : Words(text)) {
    if (words.size() < 3) continue;
    std::uint32_t number = 0;
    const std::string& gateway = words[2];
    const auto [end, error] =
        std::from_chars(gateway.data(), gateway.data() + gateway.size(), number, 16);
    if (error != std::errc() || end != gateway.data() + gateway.size() || number == 0) continue;
    std::array<std::uint8_t, 4> bytes{};
    std::memcpy(bytes.data(), &number, bytes.size());
    gateways.push_back(IpAddress::V4(bytes));
  }
  return gateways;
}

// destination length source length gateway ..., addresses as 32 hexadecimal digits.
std::vector<IpAddress> GatewaysV6(std::string_view text) {
  std::vector<IpAddress> gateways;
  for (const std::vector<std::string>& words : Words(text)) {
    if (words.size() < 5) continue;
    const auto bytes = HexBytes(words[4], 16);
    if (!bytes) continue;
    const IpAddress gateway = IpAddress::V6(std::span(*bytes).first<16>());
    if (!IsUnspecified(gateway)) gateways.push_back(gateway);
  }
  return gateways;
}

std::vector<IpAddress> Resolvers(std::string_view text) {
  std::vector<IpAddress> resolvers;
  for (const std::vector<std::string>& words : Words(text)) {
    if (words.size() < 2 || words[0] != "nameserver") continue;
    // A link-local server carries its interface: fe80::1%eth0.
    const auto address = IpAddress::Parse(words[1].substr(0, words[1].find('%')));
    if (address.ok()) resolvers.push_back(*address);
  }
  return resolvers;
}

std::vector<ProtectedPeer> PeersOfThisMachine() {
  std::vector<ProtectedPeer> peers;
  const auto add = [&peers](const std::vector<IpAddress>& addresses, ProtectedRole role) {
    for (const IpAddress& address : addresses) peers.push_back({HostOf(address), role});
  };
  add(OwnAddresses(), ProtectedRole::kOwn);
  add(GatewaysV4(ReadText("/proc/net/route")), ProtectedRole::kGateway);
  add(GatewaysV6(ReadText("/proc/net/ipv6_route")), ProtectedRole::kGateway);
  add(Resolvers(ReadText("/etc/resolv.conf")), ProtectedRole::kResolver);
  return peers;
}

}  // namespace nta::server
