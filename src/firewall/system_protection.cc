#include "nta/firewall/system_protection.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>

#include "base/status.h"
#include "firewall/netlink.h"

namespace nta {
namespace {

using firewall::FindAttribute;
using firewall::NetlinkMessage;
using firewall::NetlinkMessages;
using firewall::NetlinkSocket;

std::optional<IpAddress> AddressOf(std::span<const std::uint8_t> bytes) {
  if (bytes.size() == 4) return IpAddress::V4(bytes.first<4>());
  if (bytes.size() == 16) return IpAddress::V6(bytes.first<16>());
  return std::nullopt;
}

template <typename Header>
absl::Status List(NetlinkSocket& socket, std::uint16_t type,
                  absl::FunctionRef<void(const Header&, std::span<const std::uint8_t>)> visit) {
  NetlinkMessages request;
  const std::uint32_t sequence = socket.NextSequence();
  request.Begin(type, NLM_F_REQUEST | NLM_F_DUMP, sequence);
  request.Header(Header{});
  request.End();
  return socket.Dump(request.bytes(), sequence, [&](const NetlinkMessage& message) {
    if (message.payload.size() < sizeof(Header)) return;
    Header header;
    std::memcpy(&header, message.payload.data(), sizeof(header));
    visit(header, message.payload.subspan(sizeof(header)));
  });
}

class Gatherer {
 public:
  absl::Status OwnAddresses(NetlinkSocket& socket) {
    return List<ifaddrmsg>(socket, RTM_GETADDR,
                           [&](const ifaddrmsg&, std::span<const std::uint8_t> attributes) {
                             // On a point-to-point link IFA_ADDRESS is the other end.
                             auto own = FindAttribute(attributes, IFA_LOCAL);
                             if (!own) own = FindAttribute(attributes, IFA_ADDRESS);
                             const auto address = own ? AddressOf(*own) : std::nullopt;
                             if (address && !address->is_loopback()) {
                               Add(*address, ProtectedRole::kOwn);
                             }
                           });
  }

  absl::Status Gateways(NetlinkSocket& socket) {
    return List<rtmsg>(
        socket, RTM_GETROUTE, [&](const rtmsg& route, std::span<const std::uint8_t> attributes) {
          if (route.rtm_dst_len != 0 || route.rtm_type != RTN_UNICAST) return;
          AddGateway(attributes);
          // Several next hops: a list of structs, each with attributes of its own.
          auto rest =
              FindAttribute(attributes, RTA_MULTIPATH).value_or(std::span<const std::uint8_t>());
          while (rest.size() >= sizeof(rtnexthop)) {
            rtnexthop hop;
            std::memcpy(&hop, rest.data(), sizeof(hop));
            if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > rest.size()) return;
            AddGateway(rest.subspan(sizeof(hop), hop.rtnh_len - sizeof(hop)));
            rest = rest.subspan(std::min<std::size_t>(RTNH_ALIGN(hop.rtnh_len), rest.size()));
          }
        });
  }

  absl::Status Resolvers(const std::string& path) {
    std::FILE* const file = std::fopen(path.c_str(), "re");
    if (file == nullptr) {
      return errno == ENOENT ? absl::OkStatus() : base::ErrnoStatus(errno, "cannot read " + path);
    }
    char line[512];
    while (std::fgets(line, sizeof(line), file) != nullptr) ReadResolver(line);
    std::fclose(file);
    return absl::OkStatus();
  }

  void Add(const IpAddress& address, ProtectedRole role) {
    const auto prefix = IpPrefix::Create(address, address.is_v4() ? 32 : 128);
    if (prefix.ok()) Add({.prefix = *prefix, .role = role});
  }
  void Add(const ProtectedPeer& peer) {
    auto& peers = result_.peers;
    if (std::find(peers.begin(), peers.end(), peer) == peers.end()) peers.push_back(peer);
  }

  ProtectedSet Take() {
    std::sort(result_.peers.begin(), result_.peers.end());
    return std::move(result_);
  }

 private:
  void AddGateway(std::span<const std::uint8_t> attributes) {
    if (const auto gateway = FindAttribute(attributes, RTA_GATEWAY)) {
      if (const auto address = AddressOf(*gateway)) Add(*address, ProtectedRole::kGateway);
    }
    // An IPv4 route over an IPv6 next hop (RFC 5549): family, then the address.
    if (const auto via = FindAttribute(attributes, RTA_VIA); via && via->size() > 2) {
      if (const auto address = AddressOf(via->subspan(2))) Add(*address, ProtectedRole::kGateway);
    }
  }

  // "nameserver 192.0.2.1", "nameserver fe80::1%eth0"
  void ReadResolver(std::string_view line) {
    constexpr std::string_view kWord = "nameserver";
    constexpr std::string_view kSpace = " \t\r\n";
    if (!line.starts_with(kWord)) return;
    line.remove_prefix(kWord.size());
    const std::size_t begin = line.find_first_not_of(kSpace);
    if (begin == 0 || begin == std::string_view::npos) return;
    line.remove_prefix(begin);
    const auto address = IpAddress::Parse(line.substr(0, line.find_first_of(" \t\r\n%#;")));
    if (address.ok() && !address->is_loopback()) Add(*address, ProtectedRole::kResolver);
  }

  ProtectedSet result_;
};

}  // namespace

absl::StatusOr<ProtectedSet> GatherProtectedSet(const SystemProtectionOptions& options) {
  NTA_ASSIGN_OR_RETURN(NetlinkSocket socket, NetlinkSocket::Open(NETLINK_ROUTE));
  Gatherer gatherer;
  NTA_RETURN_IF_ERROR(gatherer.OwnAddresses(socket));
  NTA_RETURN_IF_ERROR(gatherer.Gateways(socket));
  NTA_RETURN_IF_ERROR(gatherer.Resolvers(options.resolv_conf));
  for (const IpAddress& address : options.administrators) {
    if (!address.is_loopback()) gatherer.Add(address, ProtectedRole::kAdministrator);
  }
  for (const IpPrefix& network : options.networks) {
    gatherer.Add({.prefix = network, .role = ProtectedRole::kConfigured});
  }
  ProtectedSet result = gatherer.Take();
  NTA_RETURN_IF_ERROR(CheckProtectedSet(result));
  return result;
}

}  // namespace nta
