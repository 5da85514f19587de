#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  Teredo (RFC 4380): up to two indications, then an IPv6 packet
//  | 0x0001 | id length | auth length | id | auth | nonce (64) | confirmation (8) |
//  | 0x0000 | obfuscated port (16) | obfuscated address (32) |
constexpr std::uint16_t kOrigin = 0x0000;
constexpr std::uint16_t kAuthentication = 0x0001;
constexpr std::uint16_t kServerPort = 3544;
constexpr std::uint32_t kPrefix = 0x20010000;
constexpr std::size_t kIpv6HeaderBytes = 40;

void SkipIndications(base::ByteCursor& cursor) {
  base::ByteCursor ahead = cursor;
  if (ahead.U16() == kAuthentication) {
    const std::size_t id_bytes = ahead.U8();
    const std::size_t value_bytes = ahead.U8();
    ahead.Skip(id_bytes + value_bytes + 9);
    if (!ahead.ok()) return;
    cursor = ahead;
  } else {
    ahead = cursor;
    if (ahead.U16() != kOrigin) return;
  }
  ahead = cursor;
  if (ahead.U16() == kOrigin && ahead.remaining() >= 6) {
    ahead.Skip(6);
    cursor = ahead;
  }
}

bool IsTeredo(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  SkipIndications(cursor);
  const std::size_t before = payload.bytes.size() - cursor.remaining();
  const std::uint32_t first = cursor.U32();
  const std::size_t length = cursor.U16();
  cursor.Skip(2);
  const std::uint32_t source_prefix = cursor.U32();
  cursor.Skip(12);
  const std::uint32_t destination_prefix = cursor.U32();
  if (!cursor.ok() || first >> 28 != 6) return false;
  // Bubbles may carry a trailer (RFC 6081).
  if (before + kIpv6HeaderBytes + length > payload.wire_size()) return false;
  return source_prefix == kPrefix || destination_prefix == kPrefix || payload.HasPort(kServerPort);
}

}  // namespace

constinit const Parser kTeredoParser = {
    .application = Application::kTeredo,
    .match = MatchEach<IsTeredo>,
    .parse = nullptr,
    .first_bytes = FirstBytes::Range(0x60, 0x6F) | FirstBytes::Of({0}),
};

}  // namespace nta::internal
