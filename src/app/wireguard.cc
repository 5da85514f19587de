#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  +--------+-----------------+----------------+
//  | type   | reserved, 0     | sender or      |   1 initiation: 148 bytes    2 response: 92
//  +--------+-----------------+ receiver index |   3 cookie: 64
//  | ...                                       |   4 data: receiver, counter (64, little endian),
//  +-------------------------------------------+     packet padded to 16 bytes, tag (16)
constexpr std::size_t kInitiationBytes = 148;
constexpr std::size_t kResponseBytes = 92;
constexpr std::size_t kCookieBytes = 64;
constexpr std::size_t kLeastDataBytes = 32;

bool IsWireguard(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  const std::uint32_t type = cursor.U32LittleEndian();
  cursor.Skip(8);
  const std::uint32_t upper_counter = cursor.U32LittleEndian();
  if (!cursor.ok()) return false;
  switch (type) {
    case 1:
      return payload.wire_size() == kInitiationBytes;
    case 2:
      return payload.wire_size() == kResponseBytes;
    case 3:
      return payload.wire_size() == kCookieBytes;
    case 4:  // a key ends long before its counter needs more than 32 bits
      return payload.wire_size() >= kLeastDataBytes && payload.wire_size() % 16 == 0 &&
             upper_counter == 0;
    default:
      return false;
  }
}

void ReadWireguard(const Payload& payload, Findings& findings) {
  constexpr std::string_view kNames[] = {"initiation", "response", "cookie", "data"};
  const std::uint8_t type = payload.bytes[0];
  if (type < 1 || type > 4) return;
  const auto field = payload.is_forward ? MetadataField::kRequest : MetadataField::kResponse;
  SetFirst(findings, field, kNames[type - 1]);
}

}  // namespace

constinit const Parser kWireguardParser = {
    .application = Application::kWireguard,
    .match = MatchEach<IsWireguard>,
    .parse = ReadEach<ReadWireguard>,
    .first_bytes = FirstBytes::Range(1, 4),
};

}  // namespace nta::internal
