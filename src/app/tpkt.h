// TPKT and X.224 (RFC 1006), which RDP and S7comm begin with.
#ifndef NTA_APP_TPKT_H_
#define NTA_APP_TPKT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "base/byte_cursor.h"

namespace nta::internal {

//  +--------+--------+-----------------+
//  | 3      | 0      | length, of all  |   TPKT
//  +--------+--------+-----------------+
//  | length | type   | destination, source, class: E0 request, D0 confirm; or F0, end mark: data
//  +--------+--------+-----------------...
inline constexpr std::uint8_t kX224Request = 0xE0;
inline constexpr std::uint8_t kX224Confirm = 0xD0;
inline constexpr std::uint8_t kX224Data = 0xF0;

struct Tpkt {
  std::size_t size = 0;  // of the whole packet
  std::uint8_t type = 0;
  std::span<const std::uint8_t> parameters;  // of a request or confirmation
  std::span<const std::uint8_t> user_data;   // of data
  bool is_whole = false;
};

// Nothing when it is another protocol; is_whole is false when more bytes are needed.
inline std::optional<Tpkt> ReadTpkt(std::span<const std::uint8_t> bytes) {
  base::ByteCursor cursor(bytes);
  Tpkt packet;
  const std::uint8_t version = cursor.U8();
  if (version != 3 || (cursor.remaining() > 0 && cursor.U8() != 0)) return std::nullopt;
  packet.size = cursor.U16();
  const std::size_t header_bytes = cursor.U8();
  packet.type = cursor.U8();
  if (!cursor.ok()) return packet;
  if (packet.size < 7 || header_bytes < 2 || 5 + header_bytes > packet.size) return std::nullopt;
  const bool is_known =
      packet.type == kX224Request || packet.type == kX224Confirm || packet.type == kX224Data;
  if (!is_known) return std::nullopt;
  if (bytes.size() < packet.size) return packet;
  packet.is_whole = true;
  if (packet.type == kX224Data) {
    packet.user_data = bytes.subspan(5 + header_bytes, packet.size - 5 - header_bytes);
  } else if (header_bytes >= 6) {
    packet.parameters = bytes.subspan(11, packet.size - 11);
  }
  return packet;
}

}  // namespace nta::internal

#endif  // NTA_APP_TPKT_H_
