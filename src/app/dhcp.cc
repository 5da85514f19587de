#include <string>

#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//   0        8        16       24      32
//  +--------+--------+--------+--------+
//  | op     | htype  | hlen   | hops   |   op: 1 request, 2 reply
//  +--------+--------+--------+--------+
//  | xid, secs, flags, four addresses,  |
//  | chaddr (16), sname (64), file(128) |
//  +------------------------------------+ 236
//  | magic cookie 99.130.83.99, options |   option: code (8), length (8), value; 0 pads, 255 ends
//  +------------------------------------+
constexpr std::size_t kFixedBytes = 236;
constexpr std::uint32_t kMagicCookie = 0x63825363;
constexpr std::uint8_t kHostName = 12;
constexpr std::uint8_t kMessageType = 53;
constexpr std::uint8_t kParameterList = 55;
constexpr std::uint8_t kVendorClass = 60;
constexpr std::uint8_t kClientFqdn = 81;

std::string_view TypeName(std::uint8_t type) {
  constexpr std::string_view kNames[] = {"",    "discover", "offer",   "request", "decline",
                                         "ack", "nak",      "release", "inform"};
  return type < std::size(kNames) ? kNames[type] : "";
}

std::string NumberList(Bytes values) {
  std::string text;
  for (const std::uint8_t value : values) {
    if (!text.empty()) text += ',';
    text += std::to_string(value);
  }
  return text;
}

void ReadOption(std::uint8_t code, Bytes value, bool is_reply, Findings& findings) {
  switch (code) {
    case kMessageType:
      if (value.size() != 1) return;
      SetFirst(findings, is_reply ? MetadataField::kResponse : MetadataField::kRequest,
               TypeName(value[0]));
      return;
    case kHostName:  // some end it with a NUL
      while (!value.empty() && value.back() == 0) value = value.first(value.size() - 1);
      if (!is_reply) findings.Set(MetadataField::kHostName, AsText(value));
      return;
    case kClientFqdn:  // flags, two codes, then plain text unless the E flag says DNS labels
      if (is_reply || value.size() <= 3 || (value[0] & 4) != 0) return;
      SetFirst(findings, MetadataField::kHostName, value.subspan(3));
      return;
    case kParameterList:
      SetFirst(findings, MetadataField::kDhcpFingerprint, NumberList(value));
      return;
    case kVendorClass:
      if (!is_reply) SetFirst(findings, MetadataField::kVendorClass, value);
      return;
    default:
      return;
  }
}

bool IsDhcp(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  const std::uint8_t op = cursor.U8();
  cursor.Skip(1);
  const std::uint8_t address_bytes = cursor.U8();
  if (!cursor.ok() || (op != 1 && op != 2) || address_bytes > 16) return false;
  cursor.Skip(kFixedBytes - 3);
  if (cursor.U32() == kMagicCookie && cursor.ok()) return true;
  // BOOTP before RFC 1048 has no cookie; a packet that was cut does not show it.
  const bool has_ports =
      payload.HasPort(67) && (payload.HasPort(68) || payload.packet.source_port == 67);
  constexpr std::size_t kAddressEnd = 44;
  return has_ports && payload.wire_size() >= kFixedBytes && payload.bytes.size() >= kAddressEnd &&
         (!cursor.ok() || address_bytes == 6);
}

void ReadDhcp(const Payload& payload, Findings& findings) {
  base::ByteCursor cursor(payload.bytes);
  const bool is_reply = cursor.U8() == 2;
  cursor.Skip(kFixedBytes - 1);
  if (cursor.U32() != kMagicCookie) return;
  while (cursor.remaining() > 0) {
    const std::uint8_t code = cursor.U8();
    if (code == 0) continue;
    if (code == 255) return;
    const std::uint8_t length = cursor.U8();
    const Bytes value = cursor.Bytes(length);
    if (!cursor.ok()) return;
    ReadOption(code, value, is_reply, findings);
  }
}

}  // namespace

constinit const Parser kDhcpParser = {
    .application = Application::kDhcp,
    .match = MatchEach<IsDhcp>,
    .parse = ReadEach<ReadDhcp>,
    .first_bytes = FirstBytes::Of({1, 2}),
};

}  // namespace nta::internal
