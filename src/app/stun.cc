#include <algorithm>
#include <string>

#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//   0                   1                   2                   3
//  +-+-+-----------------------------+-----------------------------+
//  |0 0|  class and method (14 bits) |  length of the attributes   |
//  +---+-----------------------------+-----------------------------+
//  |                  magic cookie 0x2112A442                      |
//  +---------------------------------------------------------------+
//  |                 transaction id (96 bits)                      |
//  +---------------------------------------------------------------+
//  attribute: type (16), length (16), value padded to four bytes
constexpr std::uint32_t kMagicCookie = 0x2112A442;
constexpr std::size_t kHeaderBytes = 20;
constexpr std::uint16_t kUserName = 0x0006;
constexpr std::uint16_t kErrorCode = 0x0009;
constexpr std::uint16_t kRealm = 0x0014;
constexpr std::uint16_t kSoftware = 0x8022;

struct Header {
  std::uint16_t type = 0;
  std::uint16_t length = 0;
  std::uint32_t cookie = 0;
  bool is_valid = false;
};

Header ReadHeader(base::ByteCursor& cursor) {
  Header header{cursor.U16(), cursor.U16(), cursor.U32()};
  cursor.Skip(12);
  header.is_valid = cursor.ok() && header.type < 0x4000 && header.length % 4 == 0;
  return header;
}

std::uint16_t Method(std::uint16_t type) {
  return static_cast<std::uint16_t>((type & 0x000F) | (type & 0x00E0) >> 1 | (type & 0x3E00) >> 2);
}

std::string_view MethodName(std::uint16_t method) {
  switch (method) {
    case 0x001:
      return "binding";
    case 0x002:
      return "shared_secret";
    case 0x003:
      return "allocate";
    case 0x004:
      return "refresh";
    case 0x006:
      return "send";
    case 0x007:
      return "data";
    case 0x008:
      return "create_permission";
    case 0x009:
      return "channel_bind";
    default:
      return "";
  }
}

// RFC 3489 has no cookie: its few types, and attributes of its own numbers that fill the message.
bool IsClassicStun(const Header& header, base::ByteCursor cursor) {
  const bool is_known = header.type == 0x0001 || header.type == 0x0101 || header.type == 0x0111;
  if (!is_known || cursor.remaining() != header.length) return false;
  int attributes = 0;
  while (cursor.remaining() > 0) {
    const std::uint16_t type = cursor.U16();
    const std::uint16_t length = cursor.U16();
    cursor.Skip((length + 3u) / 4 * 4);
    const bool is_named = (type >= 1 && type <= 0x0020) || (type >= 0x8000 && type <= 0x80FF);
    if (!cursor.ok() || !is_named) return false;
    ++attributes;
  }
  return attributes > 0;
}

bool IsStun(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  const Header header = ReadHeader(cursor);
  if (!header.is_valid || kHeaderBytes + header.length > payload.wire_size()) return false;
  if (header.cookie == kMagicCookie) return Method(header.type) <= 0x0FF;
  if (IsClassicStun(header, cursor)) return true;
  return header.type == 0x0001 && payload.wire_size() == kHeaderBytes && payload.HasPort(3478);
}

void ReadStun(const Payload& payload, Findings& findings) {
  base::ByteCursor cursor(payload.bytes);
  const Header header = ReadHeader(cursor);
  if (!header.is_valid) return;
  const bool is_response = (header.type & 0x0100) != 0;
  const bool is_error = (header.type & 0x0110) == 0x0110;
  if (!is_response) SetFirst(findings, MetadataField::kRequest, MethodName(Method(header.type)));
  if (is_response && !is_error) SetFirst(findings, MetadataField::kResponse, "success");
  cursor = base::ByteCursor(
      cursor.rest().first(std::min<std::size_t>(header.length, cursor.remaining())));
  while (cursor.remaining() >= 4) {
    const std::uint16_t type = cursor.U16();
    const std::uint16_t length = cursor.U16();
    const Bytes value = cursor.Bytes(length);
    cursor.Skip((4 - length % 4) % 4);
    if (value.size() != length) return;
    if (type == kUserName && !is_response) SetFirst(findings, MetadataField::kUserName, value);
    if (type == kRealm) SetFirst(findings, MetadataField::kServerName, value);
    if (type == kSoftware) {
      SetFirst(findings,
               is_response ? MetadataField::kServerVersion : MetadataField::kClientVersion, value);
    }
    if (type == kErrorCode && is_error && length >= 4 && value[3] < 100) {
      const int code = (value[2] & 7) * 100 + value[3];
      SetFirst(findings, MetadataField::kResponse, std::to_string(code));
    }
  }
}

}  // namespace

constinit const Parser kStunParser = {
    .application = Application::kStun,
    .match = MatchEach<IsStun>,
    .parse = ReadEach<ReadStun>,
    .first_bytes = FirstBytes::Range(0, 63),
};

}  // namespace nta::internal
