#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  both sides: | 3 | time (32) | 0 or a version (32) | 1528 bytes |  then  | 1536 bytes: the peer's
//  | client:     chunks, the first of them a command in AMF0: "connect", ..., "tcUrl", text
constexpr std::uint8_t kVersion = 3;
constexpr std::size_t kHandshakeBytes = 1 + 1536 + 1536;

bool StartsHandshake(Bytes bytes) {
  base::ByteCursor cursor(bytes);
  const std::uint8_t version = cursor.U8();
  cursor.Skip(4);
  const std::uint32_t zero = cursor.U32();
  // Flash players wrote their version there: 9 to 11 and 128.
  const std::uint32_t player = zero >> 24;
  return cursor.ok() && version == kVersion &&
         (zero == 0 || (player >= 9 && player <= 0x80 && (zero & 0xFF) <= 9));
}

Verdict Match(const Payload& payload) {
  if (payload.bytes.size() < 9) {
    return payload.is_start ? MoreUnlessLast(payload) : Verdict::kNo;
  }
  // TPKT begins with 3 and 0, too, but then has a length that fits.
  if (!StartsHandshake(payload.bytes)) return Verdict::kNo;
  if (payload.HasPort(1935)) return Verdict::kYes;
  if (StartsHandshake(payload.other)) return Verdict::kYes;
  return payload.is_start ? MoreUnlessLast(payload) : Verdict::kNo;
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  if (!payload.is_forward) return Read(payload, ParseNext::kMore);
  const bool has_handshake = payload.bytes.size() > kHandshakeBytes;
  if (!has_handshake && !payload.is_last) return {0, ParseNext::kMore};
  if (!has_handshake) return Read(payload, ParseNext::kDone);
  const std::string_view text = AsText(payload.bytes.subspan(kHandshakeBytes));
  constexpr std::string_view kUrl{"\0\x05tcUrl\x02", 8};
  const std::size_t at = text.find(kUrl);
  if (at == std::string_view::npos) {
    return payload.is_last ? Read(payload, ParseNext::kDone) : ParseResult{0, ParseNext::kMore};
  }
  base::ByteCursor cursor(payload.bytes.subspan(kHandshakeBytes + at + kUrl.size()));
  std::string_view url = AsText(cursor.Bytes(cursor.U16()));
  if (!cursor.ok() && !payload.is_last) return {0, ParseNext::kMore};
  // The host only: keys of streams are part of the path.
  const std::size_t host_at = url.find("://");
  if (host_at < url.size()) {
    url.remove_prefix(host_at + 3);
    findings.SetFirst(MetadataField::kServerName, url.substr(0, url.find_first_of(":/")));
    findings.SetFirst(MetadataField::kRequest, "connect");
  }
  return Read(payload, ParseNext::kDone);
}

}  // namespace

constinit const Parser kRtmpParser = {
    .application = Application::kRtmp,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Of({kVersion}),
};

}  // namespace nta::internal
