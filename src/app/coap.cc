#include <string>

#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  CoAP (RFC 7252)
//  +----+----+--------+--------+-----------------+
//  | 01 | T  | token  | code   | message id      |   token length 0 to 8
//  +----+----+--------+--------+-----------------+
//  | token | options: delta (4), length (4), longer ones follow, value | 0xFF, content |
constexpr std::uint16_t kPort = 5683;
constexpr std::uint32_t kUriHost = 3;
constexpr std::uint32_t kUriPath = 11;
constexpr std::uint32_t kLastNumber = 2053;

struct Message {
  std::uint8_t code = 0;
  std::size_t token_bytes = 0;
};

bool ReadHeader(base::ByteCursor& cursor, Message& message) {
  const std::uint8_t first = cursor.U8();
  message.code = cursor.U8();
  cursor.Skip(2);
  message.token_bytes = first & 0x0F;
  if (first >> 6 != 1 || message.token_bytes > 8) return false;
  cursor.Skip(message.token_bytes);
  if (!cursor.ok()) return false;
  const int group = message.code >> 5;
  const int detail = message.code & 0x1F;
  if (message.code == 0) return message.token_bytes == 0 && cursor.remaining() == 0;
  return (group == 0 && detail <= 7) || (group >= 2 && group <= 5 && group != 3 && detail <= 8) ||
         (group == 4 && detail <= 29);
}

// Delta and length: 13 and 14 say that one or two bytes follow.
std::uint32_t Extended(base::ByteCursor& cursor, std::uint32_t nibble) {
  if (nibble == 13) return 13u + cursor.U8();
  if (nibble == 14) return 269u + cursor.U16();
  return nibble;
}

struct Option {
  std::uint32_t number = 0;
  Bytes value;
};

// False at the content, at the end, and when the option is broken: then the cursor is not ok.
bool NextOption(base::ByteCursor& cursor, Option& option) {
  if (cursor.remaining() == 0) return false;
  const std::uint8_t first = cursor.U8();
  if (first == 0xFF) return false;
  if (first >> 4 == 15 || (first & 15) == 15) {
    cursor.Skip(cursor.remaining() + 1);
    return false;
  }
  const std::uint32_t delta = Extended(cursor, first >> 4);
  const std::uint32_t size = Extended(cursor, first & 15);
  option.number += delta;
  option.value = cursor.Bytes(size);
  return cursor.ok();
}

bool IsCoap(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  Message message;
  if (!ReadHeader(cursor, message)) return false;
  if (message.code == 0) return payload.HasPort(kPort);
  Option option;
  bool has_path = false;
  int options = 0;
  while (NextOption(cursor, option)) {
    if (option.number > kLastNumber) return false;
    has_path |= option.number == kUriPath && IsPrintableAscii(AsText(option.value));
    ++options;
  }
  if (!cursor.ok()) return false;
  const bool is_request = message.code >> 5 == 0;
  return payload.HasPort(kPort) || (is_request && has_path && options <= 16);
}

void ReadCoap(const Payload& payload, Findings& findings) {
  base::ByteCursor cursor(payload.bytes);
  Message message;
  if (!ReadHeader(cursor, message) || message.code == 0) return;
  if (message.code >> 5 != 0) {
    const int detail = message.code & 0x1F;
    std::string text = std::to_string(message.code >> 5);
    text += detail < 10 ? ".0" : ".";
    SetFirst(findings, MetadataField::kResponse, text + std::to_string(detail));
    return;
  }
  constexpr std::string_view kMethods[] = {"",       "GET",   "POST",  "PUT",
                                           "DELETE", "FETCH", "PATCH", "iPATCH"};
  std::string request(kMethods[message.code]);
  request += ' ';
  Option option;
  while (NextOption(cursor, option)) {
    if (option.number == kUriHost) SetFirst(findings, MetadataField::kServerName, option.value);
    if (option.number == kUriPath) {
      request += '/';
      request += AsText(option.value);
    }
  }
  SetFirst(findings, MetadataField::kRequest, request);
}

}  // namespace

constinit const Parser kCoapParser = {
    .application = Application::kCoap,
    .match = MatchEach<IsCoap>,
    .parse = ReadEach<ReadCoap>,
    .first_bytes = FirstBytes::Range(0x40, 0x7F),
};

}  // namespace nta::internal
