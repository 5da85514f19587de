#include <arpa/inet.h>
#include <net/if.h>
#include <pcap/pcap.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <span>

#include "base/status.h"
#include "nta/capture/live_capture.h"

namespace nta {
namespace {

std::optional<IpAddress> ToAddress(const sockaddr* address) {
  if (address == nullptr) return std::nullopt;
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(address);
  if (address->sa_family == AF_INET) {
    const auto* const v4 = bytes + offsetof(sockaddr_in, sin_addr);
    return IpAddress::V4(std::span<const std::uint8_t, 4>(v4, 4));
  }
  if (address->sa_family == AF_INET6) {
    const auto* const v6 = bytes + offsetof(sockaddr_in6, sin6_addr);
    return IpAddress::V6(std::span<const std::uint8_t, 16>(v6, 16));
  }
  return std::nullopt;
}

Interface ToInterface(const pcap_if_t& device) {
  Interface interface;
  interface.name = device.name;
  if (device.description != nullptr) interface.description = device.description;
  interface.is_up = (device.flags & PCAP_IF_UP) != 0;
  interface.is_loopback = (device.flags & PCAP_IF_LOOPBACK) != 0;
  for (const pcap_addr_t* address = device.addresses; address != nullptr; address = address->next) {
    if (const auto ip = ToAddress(address->addr)) interface.addresses.push_back(*ip);
  }
  return interface;
}

}  // namespace

absl::StatusOr<std::vector<Interface>> ListInterfaces() {
  char error[PCAP_ERRBUF_SIZE] = "";
  pcap_if_t* devices = nullptr;
  if (pcap_findalldevs(&devices, error) != 0) {
    return base::MakeStatus(absl::StatusCode::kUnavailable,
                            std::string("cannot list the network interfaces: ") + error);
  }
  std::vector<Interface> interfaces;
  for (const pcap_if_t* device = devices; device != nullptr; device = device->next) {
    // libpcap also lists sources that are no network interfaces (USB buses, D-Bus, netfilter
    // queues).
    if (if_nametoindex(device->name) != 0) interfaces.push_back(ToInterface(*device));
  }
  pcap_freealldevs(devices);
  std::stable_sort(
      interfaces.begin(), interfaces.end(),
      [](const Interface& a, const Interface& b) { return a.is_loopback < b.is_loopback; });
  return interfaces;
}

}  // namespace nta
