#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  | type (4), flags (4) | length: 7 bits a byte, up to 4 | ... |        (MQTT 3.1.1, 5.0)
//  CONNECT 0x10: | 4 (16) "MQTT" or 6 (16) "MQIsdp" | level | flags | keep alive (16) |
//                level 5: properties | client id | will ... | user name | password |
//  CONNACK 0x20: | flags | code | ...
constexpr std::uint8_t kConnect = 0x10;
constexpr std::uint8_t kConnack = 0x20;
constexpr std::uint8_t kUserFlag = 0x80;
constexpr std::uint8_t kWillFlag = 0x04;

// False when it is broken; 0 bytes remain in the cursor when more is needed.
bool TakeLength(base::ByteCursor& cursor, std::size_t& length) {
  length = 0;
  for (int shift = 0; shift < 28; shift += 7) {
    const std::uint8_t byte = cursor.U8();
    length |= static_cast<std::size_t>(byte & 0x7F) << shift;
    if ((byte & 0x80) == 0) return cursor.ok();
  }
  return false;
}

Bytes TakeText(base::ByteCursor& cursor) { return cursor.Bytes(cursor.U16()); }

bool SkipName(base::ByteCursor& cursor, std::uint8_t& level) {
  const std::string_view name = AsText(TakeText(cursor));
  level = cursor.U8();
  return cursor.ok() &&
         ((name == "MQTT" && (level == 4 || level == 5)) || (name == "MQIsdp" && level == 3) ||
          // bridges set the highest bit
          (name == "MQTT" && (level & 0x7F) == 4));
}

Verdict Match(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  cursor.Skip(1);
  std::size_t length = 0;
  constexpr std::size_t kEnough = 16;
  if (!TakeLength(cursor, length)) {
    return payload.bytes.size() < 5 ? MoreUnlessLast(payload) : Verdict::kNo;
  }
  std::uint8_t level = 0;
  if (SkipName(cursor, level)) return YesIf(length >= 10);
  base::ByteCursor ahead(payload.bytes.subspan(payload.bytes.size() < 2 ? 0 : 2));
  return payload.bytes.size() < kEnough && length >= 10 && length < 1u << 20 && ahead.U8() == 0
             ? MoreUnlessLast(payload)
             : Verdict::kNo;
}

void SkipProperties(base::ByteCursor& cursor) {
  std::size_t length = 0;
  if (TakeLength(cursor, length)) cursor.Skip(length);
}

void ReadConnect(base::ByteCursor cursor, Findings& findings) {
  std::uint8_t level = 0;
  if (!SkipName(cursor, level)) return;
  const std::uint8_t flags = cursor.U8();
  cursor.Skip(2);
  if (level == 5) SkipProperties(cursor);
  SetFirst(findings, MetadataField::kHostName, TakeText(cursor));
  SetFirstNumber(findings, MetadataField::kClientVersion, "MQTT level", level & 0x7Fu);
  if ((flags & kWillFlag) != 0) {
    if (level == 5) SkipProperties(cursor);
    TakeText(cursor);
    TakeText(cursor);
  }
  if ((flags & kUserFlag) != 0) SetFirst(findings, MetadataField::kUserName, TakeText(cursor));
  // The password comes next: it is left where it is.
}

// 4, 5: wrong user name or password, not authorised; 5.0: 0x86, 0x87.
void ReadAnswer(base::ByteCursor cursor, Findings& findings) {
  cursor.Skip(1);
  const std::uint8_t code = cursor.U8();
  if (!cursor.ok()) return;
  SetFirstNumber(findings, MetadataField::kResponse, "code", code);
  if (code == 0 && !findings.Get(MetadataField::kUserName).empty()) {
    findings.Count(MetadataField::kLoginSuccesses);
  }
  if (code == 4 || code == 5 || code == 0x86 || code == 0x87) {
    findings.Count(MetadataField::kLoginFailures);
  }
}

std::size_t SizeOf(Bytes bytes) {
  base::ByteCursor cursor(bytes);
  cursor.Skip(1);
  std::size_t length = 0;
  if (!TakeLength(cursor, length)) return bytes.size() < 5 ? 0 : kBrokenFrame;
  return bytes.size() - cursor.remaining() + length;
}

ParseNext ReadMessage(Bytes bytes, Findings& findings) {
  base::ByteCursor cursor(bytes);
  const std::uint8_t type = cursor.U8();
  std::size_t length = 0;
  TakeLength(cursor, length);
  if (type == kConnect) ReadConnect(cursor, findings);
  if (type != kConnack) return ParseNext::kMore;
  ReadAnswer(cursor, findings);
  return ParseNext::kDone;
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  return ReadFrames(payload, SizeOf, [&](Bytes bytes) { return ReadMessage(bytes, findings); });
}

}  // namespace

constinit const Parser kMqttParser = {
    .application = Application::kMqtt,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Of({kConnect}),
};

}  // namespace nta::internal
