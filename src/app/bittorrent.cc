#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  TCP (BEP 3):  | 19 | "BitTorrent protocol" | reserved (8) | info hash (20) | peer id (20) |
//  DHT (BEP 5):  a bencoded dictionary: d1:ad2:id20:...e1:q4:ping1:t2:aa1:y1:qe
//  uTP (BEP 29):
//  +----+----+--------+-----------------+
//  |type|ver1|  ext   |  connection id  |   type 0 to 4: data, fin, state, reset, syn
//  +----+----+--------+-----------------+
//  | time, time difference, window (32 each)
//  | sequence (16)    | acknowledged (16)|
//  +------------------------------------+ 20
//  tracker (BEP 15): | 0x41727101980 (64) | action 0 (32) | transaction (32) |
constexpr std::string_view kHandshake =
    "\x13"
    "BitTorrent protocol";
constexpr std::uint64_t kTrackerMagic = 0x0000041727101980;
constexpr std::string_view kSync{"BSYNC\0", 6};  // folders over the same network of peers
constexpr std::string_view kLocalDiscovery = "BT-SEARCH * HTTP/1.";

bool IsDht(std::string_view text) {
  const bool starts = text.starts_with("d1:ad") || text.starts_with("d1:rd") ||
                      text.starts_with("d1:el") || text.starts_with("d2:ip");
  return starts && (text.find("1:y1:") != std::string_view::npos ||
                    text.find("2:id20:") != std::string_view::npos);
}

struct Utp {
  std::uint8_t type = 0;
  std::uint16_t connection = 0;
  std::uint32_t time = 0;  // microseconds
  std::uint32_t difference = 0;
  std::uint32_t window = 0;
  std::uint16_t sequence = 0;
  std::uint16_t acknowledged = 0;
};

bool ReadUtp(Bytes bytes, Utp& header) {
  base::ByteCursor cursor(bytes);
  const std::uint8_t first = cursor.U8();
  const std::uint8_t extension = cursor.U8();
  header.type = first >> 4;
  header.connection = cursor.U16();
  header.time = cursor.U32();
  header.difference = cursor.U32();
  header.window = cursor.U32();
  header.sequence = cursor.U16();
  header.acknowledged = cursor.U16();
  return cursor.ok() && (first & 0x0F) == 1 && header.type <= 4 && extension <= 2;
}

bool IsUtp(const Payload& payload) {
  Utp now;
  if (!ReadUtp(payload.bytes, now)) return false;
  constexpr std::uint8_t kSyn = 4;
  if (now.type == kSyn && now.difference == 0 && now.sequence == 1 && now.acknowledged == 0)
    return true;
  Utp before;
  constexpr std::uint32_t kMaxWindow = 1u << 26;
  if (now.window == 0 || now.window > kMaxWindow) return false;
  if (ReadUtp(payload.previous, before) && before.connection == now.connection) {
    constexpr std::uint32_t kTenSeconds = 10'000'000;
    const std::uint32_t passed = now.time - before.time;
    return passed > 0 && passed < kTenSeconds &&
           static_cast<std::uint16_t>(now.sequence - before.sequence) <= 1;
  }
  // Both sides' connection ids differ by one, and one acknowledges what the other numbers.
  return ReadUtp(payload.other, before) &&
         (static_cast<std::uint16_t>(now.connection - before.connection) == 1 ||
          static_cast<std::uint16_t>(before.connection - now.connection) == 1) &&
         static_cast<std::uint16_t>(before.sequence - now.acknowledged) <= 16;
}

bool MayBeUtp(const Payload& payload) {
  Utp header;
  return ReadUtp(payload.bytes, header);
}

bool IsTracker(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  return cursor.U64() == kTrackerMagic && cursor.U32() == 0 && cursor.ok() &&
         payload.wire_size() >= 16;
}

bool IsBittorrentDatagram(const Payload& payload) {
  return IsDht(payload.text()) || IsUtp(payload) || IsTracker(payload) ||
         payload.text().starts_with(kLocalDiscovery) || payload.text().starts_with(kSync);
}

// "1:q9:get_peers" names what is asked.
void ReadDatagram(const Payload& payload, Findings& findings) {
  const std::string_view text = payload.text();
  if (IsDht(text)) {
    if (const std::size_t at = text.find("1:v4:"); at < text.size() && text.size() - at >= 9) {
      findings.SetFirst(VersionOf(payload), text.substr(at + 5, 2));
    }
    const std::size_t at = text.find("1:q");
    if (at >= text.size()) return;
    const std::string_view rest = text.substr(at + 3);
    const std::size_t colon = rest.substr(0, 3).find(':');
    if (colon > rest.size()) return;
    const auto size = ParseDigits(rest.substr(0, colon));
    if (size && *size <= 32)
      findings.SetFirst(MetadataField::kRequest, rest.substr(colon + 1, *size));
  } else if (IsTracker(payload)) {
    findings.SetFirst(MetadataField::kRequest, "tracker");
  }
}

Verdict MatchStream(const Payload& payload) {
  const std::string_view text = payload.text();
  if (text.starts_with(kHandshake) || text.starts_with(kSync)) return Verdict::kYes;
  return kHandshake.starts_with(text) || kSync.starts_with(text) ? MoreUnlessLast(payload)
                                                                 : Verdict::kNo;
}

ParseResult ParseStream(const Payload& payload, Findings& findings) {
  constexpr std::size_t kPeerIdAt = 48;
  constexpr std::size_t kHandshakeBytes = 68;
  if (payload.bytes[0] != kHandshake[0]) return Read(payload, ParseNext::kDone);
  if (payload.bytes.size() < kHandshakeBytes && !payload.is_last) return {0, ParseNext::kMore};
  // "-UT3550-" and random bytes (BEP 20): the program and its version.
  base::ByteCursor cursor(payload.bytes);
  cursor.Skip(kPeerIdAt);
  const std::string_view id = AsText(cursor.Bytes(8));
  if (id.size() == 8 && id.front() == '-' && id.back() == '-') {
    findings.SetFirst(VersionOf(payload), id.substr(1, 6));
  }
  return Read(payload, payload.is_forward ? ParseNext::kMore : ParseNext::kDone);
}

}  // namespace

constinit const Parser kBittorrentParser = {
    .application = Application::kBittorrent,
    .match = MatchPair<IsBittorrentDatagram, MayBeUtp>,
    .parse = ReadEach<ReadDatagram>,
    .first_bytes = FirstBytes::Of({0x00, 0x01, 0x11, 0x21, 0x31, 0x41}) | FirstBytes::Chars("dB"),
};
constinit const Parser kBittorrentStreamParser = {
    .application = Application::kBittorrent,
    .match = MatchStream,
    .parse = ParseStream,
    .first_bytes = FirstBytes::Of({19, 'B'}),
};

}  // namespace nta::internal
