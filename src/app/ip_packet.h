// AsIpPacket(): a decoded packet as the plain IP packet that it is, for who reads only such.
#ifndef NTA_APP_IP_PACKET_H_
#define NTA_APP_IP_PACKET_H_

#include <cstdint>
#include <vector>

#include "nta/packet/decode.h"

namespace nta::internal {

// IPv4 or IPv6 without options, TCP or UDP without options, the captured payload; checksums are 0.
// Tunnels and extension headers are left out. `bytes` is overwritten; it stays empty for other
// protocols and for payloads that no IP packet holds.
void AsIpPacket(const DecodedPacket& packet, std::vector<std::uint8_t>& bytes);

}  // namespace nta::internal

#endif  // NTA_APP_IP_PACKET_H_
