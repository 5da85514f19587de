#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  GTPv1 (3GPP TS 29.060, 29.281)          GTPv2-C (3GPP TS 29.274)
//  +-----------+-------+-----------+       +-----------+-------+-----------+
//  |001 1 0ESN | type  | length    |       |010 P T 000| type  | length    |
//  +-----------+-------+-----------+       +-----------+-------+-----------+
//  | tunnel id             | ...           | tunnel id if T, sequence, ...
//   length: what follows the first 8 bytes   length: what follows the first 4
constexpr std::uint8_t kEchoRequest = 1;
constexpr std::uint8_t kUserData = 255;

// 2123 control, 2152 user data, 3386 charging: fixed by the specifications.
bool HasGtpPort(const Payload& payload) {
  return payload.HasPort(2123) || payload.HasPort(2152) || payload.HasPort(3386);
}

bool IsGtp(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  const std::uint8_t flags = cursor.U8();
  const std::uint8_t type = cursor.U8();
  const std::size_t length = cursor.U16();
  if (!cursor.ok() || !HasGtpPort(payload) || type == 0) return false;
  if (flags >> 5 == 2) return length + 4 == payload.wire_size() && (flags & 7) == 0;
  if (flags >> 5 == 1) return length + 8 == payload.wire_size();
  // GTP' version 0 and GTPv0: a header of 20 bytes, or of 6 for charging.
  return flags >> 5 == 0 && type <= 7 &&
         (length + 20 == payload.wire_size() || length + 6 == payload.wire_size());
}

void ReadGtp(const Payload& payload, Findings& findings) {
  base::ByteCursor cursor(payload.bytes);
  const std::uint8_t flags = cursor.U8();
  const std::uint8_t type = cursor.U8();
  SetFirstNumber(findings, VersionOf(payload), "GTP version", flags >> 5);
  if (type == kUserData) {
    SetFirst(findings, MetadataField::kRequest, "user_data");
  } else if (type == kEchoRequest) {
    SetFirst(findings, MetadataField::kRequest, "echo");
  } else {
    SetFirstNumber(findings,
                   payload.is_forward ? MetadataField::kRequest : MetadataField::kResponse,
                   "message", type);
  }
}

}  // namespace

constinit const Parser kGtpParser = {
    .application = Application::kGtp,
    .match = MatchEach<IsGtp>,
    .parse = ReadEach<ReadGtp>,
    .first_bytes = FirstBytes::Range(0x00, 0x5F),
};

}  // namespace nta::internal
