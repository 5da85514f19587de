#include <string>

#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//   0        8                                32
//  +--------+--------------------------------+
//  | type   |        transaction id          |   relays: type, hop count, two addresses
//  +--------+--------------------------------+
//  |  options: code (16), length (16), value |
//  +-----------------------------------------+
constexpr std::uint8_t kRelayForward = 12;
constexpr std::uint8_t kRelayReply = 13;
constexpr std::uint16_t kClientId = 1;
constexpr std::uint16_t kServerId = 2;
constexpr std::uint16_t kOptionRequest = 6;
constexpr std::uint16_t kRelayMessage = 9;
constexpr std::uint16_t kVendorClass = 16;
constexpr std::uint16_t kClientFqdn = 39;

std::string_view TypeName(std::uint8_t type) {
  constexpr std::string_view kNames[] = {"",
                                         "solicit",
                                         "advertise",
                                         "request",
                                         "confirm",
                                         "renew",
                                         "rebind",
                                         "reply",
                                         "release",
                                         "decline",
                                         "reconfigure",
                                         "information_request",
                                         "relay_forward",
                                         "relay_reply"};
  return type < std::size(kNames) ? kNames[type] : "";
}

bool IsReply(std::uint8_t type) { return type == 2 || type == 7 || type == kRelayReply; }

// Where the options start; nothing when this is no DHCPv6 message.
bool SkipHeader(base::ByteCursor& cursor, std::uint8_t& type) {
  type = cursor.U8();
  cursor.Skip(type == kRelayForward || type == kRelayReply ? 33 : 3);
  return cursor.ok() && !TypeName(type).empty();
}

// DNS labels (RFC 4704, section 4.2) with dots between them.
std::string LabelsToText(Bytes value) {
  std::string text;
  base::ByteCursor cursor(value);
  while (cursor.remaining() > 0) {
    const Bytes label = cursor.Bytes(cursor.U8());
    if (!cursor.ok() || label.empty()) break;
    if (!text.empty()) text += '.';
    text.append(label.begin(), label.end());
  }
  return text;
}

std::string NumberList(Bytes value) {
  std::string text;
  base::ByteCursor cursor(value);
  while (cursor.remaining() >= 2) {
    if (!text.empty()) text += ',';
    text += std::to_string(cursor.U16());
  }
  return text;
}

void ReadOption(std::uint16_t code, Bytes value, Findings& findings) {
  if (code == kClientFqdn && value.size() > 1) {
    SetFirst(findings, MetadataField::kHostName, LabelsToText(value.subspan(1)));
  } else if (code == kOptionRequest) {
    SetFirst(findings, MetadataField::kDhcpFingerprint, NumberList(value));
  } else if (code == kVendorClass && value.size() > 6) {  // enterprise number, length, text
    SetFirst(findings, MetadataField::kVendorClass, value.subspan(6));
  }
}

bool IsDhcpv6(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  std::uint8_t type = 0;
  if (!SkipHeader(cursor, type)) return false;
  const bool has_port = payload.HasPort(546) || payload.HasPort(547);
  bool names_someone = false;
  while (cursor.remaining() > 0) {
    const std::uint16_t code = cursor.U16();
    cursor.Skip(cursor.U16());
    if (!cursor.ok()) return has_port && names_someone && !IsWhole(payload);
    if (code == 0 || code > 255) return false;
    names_someone |= code == kClientId || code == kServerId || code == kRelayMessage;
  }
  return names_someone || (has_port && type == 11);
}

void ReadDhcpv6(const Payload& payload, Findings& findings) {
  base::ByteCursor cursor(payload.bytes);
  std::uint8_t type = 0;
  if (!SkipHeader(cursor, type)) return;
  const bool is_reply = IsReply(type);
  SetFirst(findings, is_reply ? MetadataField::kResponse : MetadataField::kRequest, TypeName(type));
  while (cursor.remaining() >= 4) {
    const std::uint16_t code = cursor.U16();
    const Bytes value = cursor.Bytes(cursor.U16());
    if (!cursor.ok()) return;
    if (!is_reply) ReadOption(code, value, findings);
  }
}

}  // namespace

constinit const Parser kDhcpv6Parser = {
    .application = Application::kDhcpv6,
    .match = MatchEach<IsDhcpv6>,
    .parse = ReadEach<ReadDhcpv6>,
    .first_bytes = FirstBytes::Range(1, 13),
};

}  // namespace nta::internal
