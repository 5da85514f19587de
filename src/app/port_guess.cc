#include <algorithm>
#include <array>

#include "app/guesses.h"
#include "nta/net/five_tuple.h"

namespace nta::internal {
namespace {

enum Transports : std::uint8_t { kTcp = 1, kUdp = 2, kBoth = 3 };

struct PortRow {
  std::uint16_t port;
  Transports transports;
  Application application;
};

// Ordered by port; a port may stand twice, once for each transport.
constexpr auto kPorts = std::to_array<PortRow>({
    {20, kTcp, Application::kFtpData},
    {21, kTcp, Application::kFtp},
    {22, kTcp, Application::kSsh},
    {23, kTcp, Application::kTelnet},
    {25, kTcp, Application::kSmtp},
    {53, kBoth, Application::kDns},
    {67, kUdp, Application::kDhcp},
    {68, kUdp, Application::kDhcp},
    {69, kUdp, Application::kTftp},
    {80, kTcp, Application::kHttp},
    {88, kBoth, Application::kKerberos},
    {110, kTcp, Application::kPop3},
    {111, kBoth, Application::kRpc},
    {123, kUdp, Application::kNtp},
    {137, kUdp, Application::kNetbios},
    {138, kUdp, Application::kNetbios},
    {139, kTcp, Application::kNetbios},
    {143, kTcp, Application::kImap},
    {161, kUdp, Application::kSnmp},
    {162, kUdp, Application::kSnmp},
    {179, kTcp, Application::kBgp},
    {389, kBoth, Application::kLdap},
    {443, kTcp, Application::kTls},
    {443, kUdp, Application::kQuic},
    {445, kTcp, Application::kSmb},
    {465, kTcp, Application::kTls},
    {500, kUdp, Application::kIke},
    {502, kTcp, Application::kModbus},
    {514, kUdp, Application::kSyslog},
    {546, kUdp, Application::kDhcpv6},
    {547, kUdp, Application::kDhcpv6},
    {554, kTcp, Application::kRtsp},
    {587, kTcp, Application::kSmtp},
    {636, kTcp, Application::kTls},
    {853, kTcp, Application::kTls},
    {853, kUdp, Application::kQuic},
    {989, kTcp, Application::kTls},
    {990, kTcp, Application::kTls},
    {993, kTcp, Application::kTls},
    {995, kTcp, Application::kTls},
    {1080, kTcp, Application::kSocks},
    {1194, kBoth, Application::kOpenvpn},
    {1433, kTcp, Application::kMssql},
    {1521, kTcp, Application::kOracle},
    {1645, kUdp, Application::kRadius},
    {1646, kUdp, Application::kRadius},
    {1812, kUdp, Application::kRadius},
    {1813, kUdp, Application::kRadius},
    {1883, kTcp, Application::kMqtt},
    {1900, kUdp, Application::kSsdp},
    {1935, kTcp, Application::kRtmp},
    {2049, kBoth, Application::kNfs},
    {2055, kUdp, Application::kNetflow},
    {2123, kUdp, Application::kGtp},
    {2152, kUdp, Application::kGtp},
    {3128, kTcp, Application::kHttp},
    {3268, kTcp, Application::kLdap},
    {3306, kTcp, Application::kMysql},
    {3389, kBoth, Application::kRdp},
    {3478, kBoth, Application::kStun},
    {3544, kUdp, Application::kTeredo},
    {4500, kUdp, Application::kIke},
    {4739, kBoth, Application::kNetflow},
    {4789, kUdp, Application::kVxlan},
    {5060, kBoth, Application::kSip},
    {5061, kTcp, Application::kTls},
    {5222, kTcp, Application::kXmpp},
    {5269, kTcp, Application::kXmpp},
    {5349, kTcp, Application::kTls},
    {5353, kUdp, Application::kMdns},
    {5355, kBoth, Application::kLlmnr},
    {5432, kTcp, Application::kPostgresql},
    {5683, kUdp, Application::kCoap},
    {5900, kTcp, Application::kVnc},
    {6379, kTcp, Application::kRedis},
    {6667, kTcp, Application::kIrc},
    {6881, kBoth, Application::kBittorrent},
    {8000, kTcp, Application::kHttp},
    {8080, kTcp, Application::kHttp},
    {8443, kTcp, Application::kTls},
    {8883, kTcp, Application::kTls},
    {11211, kBoth, Application::kMemcached},
    {20000, kBoth, Application::kDnp3},
    {27017, kTcp, Application::kMongodb},
    {44818, kBoth, Application::kEthernetIp},
    {47808, kUdp, Application::kBacnet},
    {51820, kUdp, Application::kWireguard},
});
static_assert(std::ranges::is_sorted(kPorts, {}, &PortRow::port));

}  // namespace

Application ApplicationOfPort(std::uint8_t protocol, std::uint16_t port) {
  if (protocol != kProtocolTcp && protocol != kProtocolUdp) return Application::kUnknown;
  const Transports transport = protocol == kProtocolTcp ? kTcp : kUdp;
  // Not equal_range: clang 14 cannot compile libstdc++'s.
  const auto* row = std::ranges::lower_bound(kPorts, port, {}, &PortRow::port);
  for (; row != kPorts.end() && row->port == port; ++row) {
    if ((row->transports & transport) != 0) return row->application;
  }
  return Application::kUnknown;
}

}  // namespace nta::internal
