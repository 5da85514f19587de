// What this machine must keep reaching, as the operating system tells it.
#ifndef NTA_SERVER_FIREWALL_MACHINE_H_
#define NTA_SERVER_FIREWALL_MACHINE_H_

#include <string>
#include <string_view>
#include <vector>

#include "nta/firewall/protected_set.h"
#include "nta/net/ip_address.h"

namespace nta::server {

// Of all interfaces that are up.
std::vector<IpAddress> OwnAddresses();

// Gateways in the text of /proc/net/route and of /proc/net/ipv6_route; name servers in that of
// resolv.conf. What cannot be read is left out.
std::vector<IpAddress> GatewaysV4(std::string_view text);
std::vector<IpAddress> GatewaysV6(std::string_view text);
std::vector<IpAddress> Resolvers(std::string_view text);

// Own addresses, gateways and resolvers of this machine now.
std::vector<ProtectedPeer> PeersOfThisMachine();

}  // namespace nta::server

#endif  // NTA_SERVER_FIREWALL_MACHINE_H_
