#include <string>

#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//   0   2     5     8        16       24      32
//  +---+-----+-----+--------+--------+--------+
//  |LI | VN  |mode | stratum| poll   |precis. |
//  +---+-----+-----+--------+--------+--------+
//  | root delay, root dispersion, reference id |
//  | four time stamps of 64 bits               |
//  +-------------------------------------------+ 48, then extension fields and a MAC
constexpr std::size_t kHeaderBytes = 48;
constexpr std::uint16_t kPort = 123;
constexpr std::uint8_t kMaxStratum = 16;
constexpr std::uint8_t kControl = 6;
constexpr std::uint8_t kPrivate = 7;

std::uint8_t Version(std::uint8_t first) { return first >> 3 & 7; }
std::uint8_t Mode(std::uint8_t first) { return first & 7; }

std::string_view ModeName(std::uint8_t mode) {
  constexpr std::string_view kNames[] = {"",        "symmetric_active", "symmetric_passive",
                                         "client",  "server",           "broadcast",
                                         "control", "private"};
  return kNames[mode & 7];
}

//  mode 6: |LI VN mode|R E M opcode| sequence (16) | status | association | offset | count |
bool IsControl(Bytes bytes, std::size_t wire_bytes) {
  base::ByteCursor cursor(bytes);
  cursor.Skip(10);
  const std::uint16_t count = cursor.U16();
  return cursor.ok() && count <= 468 && 12u + count <= wire_bytes;
}

//  mode 7: |R M VN mode|A sequence| implementation | request code | error, items | size of one |
bool IsPrivate(Bytes bytes, std::size_t wire_bytes) {
  base::ByteCursor cursor(bytes);
  cursor.Skip(2);
  const std::uint8_t implementation = cursor.U8();
  cursor.Skip(1);
  const std::uint32_t items = cursor.U16() & 0x0FFF;
  const std::uint32_t item_bytes = cursor.U16() & 0x0FFF;
  const bool is_known = implementation == 0 || implementation == 2 || implementation == 3;
  return cursor.ok() && is_known && 8 + items * item_bytes <= wire_bytes;
}

bool IsNtp(const Payload& payload) {
  // The layout has no constant to tell it by: its port must agree.
  if (payload.bytes.empty() || !payload.HasPort(kPort)) return false;
  const std::uint8_t first = payload.bytes[0];
  if (Version(first) < 1 || Version(first) > 4) return false;
  switch (Mode(first)) {
    case 0:
      return Version(first) == 1 && payload.wire_size() == kHeaderBytes;
    case kControl:
      return IsControl(payload.bytes, payload.wire_size());
    case kPrivate:
      return IsPrivate(payload.bytes, payload.wire_size());
    default:
      return payload.wire_size() >= kHeaderBytes && payload.wire_size() % 4 == 0 &&
             payload.bytes.size() >= 2 && payload.bytes[1] <= kMaxStratum;
  }
}

void ReadNtp(const Payload& payload, Findings& findings) {
  if (payload.bytes.empty()) return;
  const std::uint8_t mode = Mode(payload.bytes[0]);
  const std::string version = "NTPv" + std::to_string(Version(payload.bytes[0]));
  const bool has_reply_bit =
      payload.bytes.size() >= 2 && (mode == kControl   ? (payload.bytes[1] & 0x80) != 0
                                    : mode == kPrivate ? (payload.bytes[0] & 0x80) != 0
                                                       : false);
  if (mode == 4 || mode == 5 || has_reply_bit) {
    SetFirst(findings, MetadataField::kServerVersion, version);
    if (mode < kControl && payload.bytes.size() >= 2) {
      SetFirst(findings, MetadataField::kResponse, "stratum " + std::to_string(payload.bytes[1]));
    } else {
      SetFirst(findings, MetadataField::kResponse, ModeName(mode));
    }
    return;
  }
  SetFirst(findings, MetadataField::kClientVersion, version);
  if (mode == kPrivate && payload.bytes.size() >= 4) {
    // 20 and 42 are the monitor lists that reflection attacks ask for.
    SetFirst(findings, MetadataField::kRequest, "private " + std::to_string(payload.bytes[3]));
  } else {
    SetFirst(findings, MetadataField::kRequest, ModeName(mode));
  }
}

}  // namespace

constinit const Parser kNtpParser = {
    .application = Application::kNtp,
    .match = MatchEach<IsNtp>,
    .parse = ReadEach<ReadNtp>,
    .first_bytes = FirstBytes::All(),
};

}  // namespace nta::internal
