#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  VXLAN (RFC 7348)                        VXLAN-GPE: P set, next protocol in the last reserved
//  byte
//  +--------+--------+--------+--------+
//  |RRRRIRRR|         reserved         |   I: the network id is valid
//  +--------+--------+--------+--------+
//  |  network id (24)         |reserved|
//  +--------+--------+--------+--------+
//  |  an Ethernet frame ...            |
constexpr std::uint8_t kValidId = 0x08;
constexpr std::uint8_t kHasNextProtocol = 0x04;

bool HasVxlanPort(const Payload& payload) {
  const std::uint16_t port = payload.packet.destination_port;
  return port == 4789 || port == 4790 || port == 8472;
}

bool IsVxlan(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  const std::uint8_t flags = cursor.U8();
  const std::uint32_t reserved = cursor.U24();
  cursor.Skip(3);
  const std::uint8_t last = cursor.U8();
  if (!cursor.ok() || (flags & kValidId) == 0) return false;
  if ((flags & kHasNextProtocol) != 0) {
    return HasVxlanPort(payload) && reserved >= 1 && reserved <= 6;
  }
  cursor.Skip(12);
  const std::uint16_t ether_type = cursor.U16();
  if (!cursor.ok()) return false;
  // Group policy (RFC draft) uses reserved bits: then the port must agree.
  const bool is_plain = flags == kValidId && reserved == 0 && last == 0;
  const bool is_known = ether_type == 0x0800 || ether_type == 0x0806 || ether_type == 0x86DD ||
                        ether_type == 0x8100 || ether_type == 0x88A8;
  return (is_plain && is_known) || (HasVxlanPort(payload) && (is_plain || is_known));
}

void ReadVxlan(const Payload& payload, Findings& findings) {
  base::ByteCursor cursor(payload.bytes);
  cursor.Skip(4);
  SetFirstNumber(findings, MetadataField::kRequest, "network", cursor.U24());
}

}  // namespace

constinit const Parser kVxlanParser = {
    .application = Application::kVxlan,
    .match = MatchEach<IsVxlan>,
    .parse = ReadEach<ReadVxlan>,
    .first_bytes = FirstBytes::Of({0x08, 0x0C, 0x88, 0x8C}),
};

}  // namespace nta::internal
