#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  DNP3 link layer (IEEE 1815)                       little endian
//  +--------+--------+--------+--------+
//  | 0x05   | 0x64   | length |control |   length: 5 to 255
//  +--------+--------+--------+--------+
//  | destination     | source          |
//  +-----------------+-----------------+
//  | CRC of these 8  | transport, application control, function ... |
constexpr std::size_t kHeaderBytes = 8;

std::uint16_t Crc(Bytes bytes) {
  std::uint16_t crc = 0;
  for (const std::uint8_t byte : bytes) {
    crc = static_cast<std::uint16_t>(crc ^ byte);
    for (int bit = 0; bit < 8; ++bit) {
      crc = static_cast<std::uint16_t>((crc & 1) != 0 ? crc >> 1 ^ 0xA6BC : crc >> 1);
    }
  }
  return static_cast<std::uint16_t>(~crc);
}

bool IsHeader(Bytes bytes) {
  base::ByteCursor cursor(bytes);
  const bool has_marks = cursor.U16() == 0x0564 && cursor.U8() >= 5;
  cursor.Skip(5);
  const std::uint16_t crc = cursor.U16LittleEndian();
  return cursor.ok() && has_marks && crc == Crc(bytes.first(kHeaderBytes));
}

Verdict Match(const Payload& payload) {
  if (payload.bytes.size() >= kHeaderBytes + 2) return YesIf(IsHeader(payload.bytes));
  if (!payload.is_tcp() || (payload.bytes.size() > 1 && payload.bytes[1] != 0x64))
    return Verdict::kNo;
  return MoreUnlessLast(payload);
}

std::string_view FunctionName(std::uint8_t function) {
  constexpr std::string_view kNames[] = {"confirm",
                                         "read",
                                         "write",
                                         "select",
                                         "operate",
                                         "direct_operate",
                                         "direct_operate_no_ack",
                                         "freeze",
                                         "freeze_no_ack",
                                         "freeze_clear"};
  if (function < std::size(kNames)) return kNames[function];
  switch (function) {
    case 13:
      return "cold_restart";
    case 14:
      return "warm_restart";
    case 18:
      return "stop_application";
    case 20:
      return "enable_unsolicited";
    case 21:
      return "disable_unsolicited";
    case 23:
      return "delay_measure";
    default:
      return "";
  }
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  constexpr std::size_t kWithFunction = kHeaderBytes + 2 + 3;
  if (payload.is_tcp() && payload.bytes.size() < kWithFunction && !payload.is_last) {
    return {0, ParseNext::kMore};
  }
  base::ByteCursor cursor(payload.bytes);
  cursor.Skip(kHeaderBytes + 2 + 2);
  const std::uint8_t function = cursor.U8();
  if (cursor.ok() && IsHeader(payload.bytes)) {
    constexpr std::uint8_t kResponse = 129;
    constexpr std::uint8_t kUnsolicited = 130;
    if (function == kResponse) findings.SetFirst(MetadataField::kResponse, "response");
    if (function == kUnsolicited) findings.SetFirst(MetadataField::kResponse, "unsolicited");
    findings.SetFirst(MetadataField::kRequest, FunctionName(function));
  }
  return Read(payload, ParseNext::kMore);
}

}  // namespace

constinit const Parser kDnp3Parser = {
    .application = Application::kDnp3,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Of({0x05}),
};

}  // namespace nta::internal
