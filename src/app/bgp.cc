#include <algorithm>

#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  BGP (RFC 4271, section 4.1)
//  | marker: 16 times 0xFF | length (16), 19 to 4096 | type: 1 open, 2 update, 3 notification,
//                                                          4 keepalive, 5 route refresh |
//  open: | version 4 | AS (16) | hold time (16) | id (32) | ...
constexpr std::size_t kMarkerBytes = 16;
constexpr std::size_t kHeaderBytes = 19;
constexpr std::uint8_t kOpen = 1;
constexpr std::uint8_t kNotification = 3;

Verdict Match(const Payload& payload) {
  const Bytes marker = payload.bytes.first(std::min(kMarkerBytes, payload.bytes.size()));
  if (!std::ranges::all_of(marker, [](std::uint8_t byte) { return byte == 0xFF; }))
    return Verdict::kNo;
  if (payload.bytes.size() < kHeaderBytes) return MoreUnlessLast(payload);
  base::ByteCursor cursor(payload.bytes.subspan(kMarkerBytes));
  const std::size_t length = cursor.U16();
  const std::uint8_t type = cursor.U8();
  return YesIf(length >= kHeaderBytes && length <= 4096 && type >= 1 && type <= 5);
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  constexpr std::string_view kNames[] = {"open", "update", "notification", "keepalive",
                                         "route_refresh"};
  const auto size_of = [](Bytes bytes) -> std::size_t {
    if (bytes.size() < kHeaderBytes) return 0;
    const std::size_t length = base::ByteCursor(bytes.subspan(kMarkerBytes)).U16();
    return length < kHeaderBytes || bytes[0] != 0xFF ? kBrokenFrame : length;
  };
  return ReadFrames(payload, size_of, [&](Bytes bytes) {
    if (bytes.size() < kHeaderBytes) return ParseNext::kDone;
    const std::uint8_t type = bytes[kHeaderBytes - 1];
    if (type < 1 || type > 5) return ParseNext::kDone;
    base::ByteCursor cursor(bytes.subspan(kHeaderBytes));
    if (type == kOpen) {
      cursor.Skip(1);
      SetFirstNumber(findings, VersionOf(payload), "AS", cursor.U16());
    }
    if (type == kNotification) {
      SetFirstNumber(findings, MetadataField::kResponse, "notification", cursor.U8());
    }
    findings.SetFirst(MetadataField::kRequest, kNames[type - 1]);
    return ParseNext::kMore;
  });
}

}  // namespace

constinit const Parser kBgpParser = {
    .application = Application::kBgp,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Of({0xFF}),
};

}  // namespace nta::internal
