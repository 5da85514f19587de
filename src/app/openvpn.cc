#include <algorithm>

#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  over TCP, the length (16) of what follows
//  +-----+---+---------------------------+
//  |opcod|key|  session id (64)          |   opcode: upper five bits; key id 0 at first
//  +-----+---+---------------------------+
//  | tls-auth: HMAC (16 to 64), packet id (32), time (32); tls-crypt: packet id, time, tag (32)
//  | acknowledged packets: count (8), ids (32 each), the peer's session id if there are any
//  | packet id (32), TLS ...             |
constexpr std::uint8_t kClientResetV2 = 7;
constexpr std::uint8_t kServerResetV2 = 8;
constexpr std::uint8_t kClientResetV3 = 10;
constexpr std::size_t kPlainClientReset = 14;
constexpr std::size_t kMaxReset = 1400;  // V3 carries the client's wrapped key

bool IsNumberOne(Bytes bytes, std::size_t at) {
  base::ByteCursor cursor(bytes);
  cursor.Skip(at);
  const std::uint32_t number = cursor.U32();
  // tls-crypt-v2 marks its early negotiation in the highest byte.
  return cursor.ok() && (number == 1 || number == 0x0F000001);
}

// The first packet of a client: nothing is acknowledged and its packet id is 0.
bool IsClientReset(Bytes bytes, std::size_t wire_size) {
  const std::uint8_t opcode = bytes[0] >> 3;
  if ((opcode != kClientResetV2 && opcode != kClientResetV3) || (bytes[0] & 7) != 0) return false;
  if (wire_size < kPlainClientReset || wire_size > kMaxReset) return false;
  base::ByteCursor session(bytes);
  session.Skip(1);
  if (session.U64() == 0 || !session.ok()) return false;
  const bool has_zeros = bytes.size() == wire_size &&
                         std::ranges::all_of(bytes.last(5), [](std::uint8_t b) { return b == 0; });
  if (has_zeros && wire_size == kPlainClientReset) return true;
  if (IsNumberOne(bytes, 9) && wire_size >= 54) return true;  // tls-crypt
  if (!has_zeros) return false;
  for (const std::size_t hmac_bytes : {16u, 20u, 28u, 32u, 48u, 64u}) {
    if (IsNumberOne(bytes, 9 + hmac_bytes) && wire_size == hmac_bytes + 22) return true;
  }
  return false;
}

// The answer acknowledges one packet and names the client's session.
bool IsServerReset(Bytes bytes, std::size_t wire_size) {
  if (bytes[0] != kServerResetV2 << 3 || wire_size > kMaxReset) return false;
  constexpr std::size_t kPlain = 26;
  base::ByteCursor plain(bytes);
  plain.Skip(9);
  if (wire_size == kPlain) return plain.U8() == 1 && plain.U32() == 0 && plain.ok();
  if (IsNumberOne(bytes, 9) && wire_size >= 54) return true;
  for (const std::size_t hmac_bytes : {16u, 20u, 28u, 32u, 48u, 64u}) {
    if (IsNumberOne(bytes, 9 + hmac_bytes) && wire_size == hmac_bytes + 34) return true;
  }
  return false;
}

bool IsReset(Bytes bytes, std::size_t wire_size) {
  return !bytes.empty() && (IsClientReset(bytes, wire_size) || IsServerReset(bytes, wire_size));
}

//  data, version 1: | opcode 6 | packet id (32) | ... |   version 2: | opcode 9 | peer (24) |
//  packet id (32) | ... |
//   with a cipher that authenticates; older ciphers hide the packet id
// A connection that began before the capture: the packet ids of one direction count.
constexpr std::uint8_t kDataV1 = 6;
constexpr std::uint8_t kDataV2 = 9;

bool MayBeData(const Payload& payload) {
  const std::uint8_t opcode = payload.bytes[0] >> 3;
  return (opcode == kDataV1 || opcode == kDataV2) && payload.bytes.size() > 24;
}

bool IsDataInARow(const Payload& payload) {
  base::ByteCursor now(payload.bytes);
  base::ByteCursor before(payload.previous);
  const std::uint8_t opcode = payload.bytes[0] >> 3;
  if (opcode != kDataV1 && opcode != kDataV2) return false;
  if (now.U8() != before.U8()) return false;
  if (opcode == kDataV2 && now.U24() != before.U24()) return false;
  const std::uint32_t step = now.U32() - before.U32();
  return now.ok() && before.ok() && step >= 1 && step <= 2 && now.remaining() > 16;
}

bool IsOpenvpn(const Payload& payload) {
  return IsReset(payload.bytes, payload.wire_size()) || IsDataInARow(payload);
}

Verdict MatchStream(const Payload& payload) {
  if (!payload.is_start) return Verdict::kNo;
  base::ByteCursor cursor(payload.bytes);
  const std::size_t size = cursor.U16();
  const std::uint8_t first = cursor.U8();
  if (!cursor.ok()) return MoreUnlessLast(payload);
  const std::uint8_t opcode = first >> 3;
  const bool may_be =
      (opcode == kClientResetV2 || opcode == kServerResetV2 || opcode == kClientResetV3) &&
      (first & 7) == 0;
  if (!may_be || size < kPlainClientReset || size > kMaxReset) return Verdict::kNo;
  const Bytes rest = payload.bytes.subspan(2);
  if (rest.size() < size) return MoreUnlessLast(payload);
  return YesIf(IsReset(rest.first(size), size));
}

}  // namespace

constinit const Parser kOpenvpnParser = {
    .application = Application::kOpenvpn,
    .match = MatchPair<IsOpenvpn, MayBeData>,
    .first_bytes = FirstBytes::Of({0x38, 0x40, 0x50}) | FirstBytes::Range(0x30, 0x37) |
                   FirstBytes::Range(0x48, 0x4F),
};
constinit const Parser kOpenvpnStreamParser = {
    .application = Application::kOpenvpn,
    .match = MatchStream,
    .first_bytes = FirstBytes::Range(0, 5),
};

}  // namespace nta::internal
