#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  RADIUS (RFC 2865, RFC 2866, RFC 5176)
//  +--------+--------+-----------------+
//  | code   | id     | length          |
//  +--------+--------+-----------------+
//  | authenticator (128)               |
//  +-----------------------------------+ 20
//  | attributes: type (8), length (8, of all of it), value
//   The user's password is attribute 2: never read.
constexpr std::size_t kHeaderBytes = 20;
constexpr std::size_t kMaxBytes = 4096;
constexpr std::uint8_t kAccept = 2;
constexpr std::uint8_t kReject = 3;
constexpr std::uint8_t kUserName = 1;

std::string_view CodeName(std::uint8_t code) {
  constexpr std::string_view kNames[] = {"",
                                         "access_request",
                                         "access_accept",
                                         "access_reject",
                                         "accounting_request",
                                         "accounting_response"};
  if (code < std::size(kNames)) return kNames[code];
  constexpr std::string_view kDynamic[] = {"disconnect_request", "disconnect_ack", "disconnect_nak",
                                           "coa_request",        "coa_ack",        "coa_nak"};
  if (code >= 40 && code <= 45) return kDynamic[code - 40];
  return code == 11   ? "access_challenge"
         : code == 12 ? "status_server"
         : code == 13 ? "status_client"
                      : "";
}

bool IsRequest(std::uint8_t code) {
  return code == 1 || code == 4 || code == 12 || code == 40 || code == 43;
}

bool IsRadius(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  const std::uint8_t code = cursor.U8();
  cursor.Skip(1);
  const std::size_t length = cursor.U16();
  cursor.Skip(16);
  if (!cursor.ok() || CodeName(code).empty()) return false;
  if (length < kHeaderBytes || length > kMaxBytes || length != payload.wire_size()) return false;
  int attributes = 0;
  while (cursor.remaining() > 0) {
    const std::uint8_t type = cursor.U8();
    const std::uint8_t size = cursor.U8();
    if (type == 0 || size < 2) return false;
    cursor.Skip(size - 2u);
    if (!cursor.ok()) return !IsWhole(payload) && attributes > 0;
    ++attributes;
  }
  return attributes > 0 || payload.HasPort(1812) || payload.HasPort(1813) ||
         payload.HasPort(1645) || payload.HasPort(1646);
}

void ReadRadius(const Payload& payload, Findings& findings) {
  base::ByteCursor cursor(payload.bytes);
  const std::uint8_t code = cursor.U8();
  cursor.Skip(kHeaderBytes - 1);
  SetFirst(findings, IsRequest(code) ? MetadataField::kRequest : MetadataField::kResponse,
           CodeName(code));
  if (code == kAccept) findings.Count(MetadataField::kLoginSuccesses);
  if (code == kReject) findings.Count(MetadataField::kLoginFailures);
  while (cursor.remaining() >= 2) {
    const std::uint8_t type = cursor.U8();
    const std::uint8_t size = cursor.U8();
    if (size < 2) return;
    const Bytes value = cursor.Bytes(size - 2u);
    if (type == kUserName && IsRequest(code)) SetFirst(findings, MetadataField::kUserName, value);
  }
}

}  // namespace

constinit const Parser kRadiusParser = {
    .application = Application::kRadius,
    .match = MatchEach<IsRadius>,
    .parse = ReadEach<ReadRadius>,
    .first_bytes = FirstBytes::Range(1, 45),
    .patience = 8,
};

}  // namespace nta::internal
