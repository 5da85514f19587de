//  "SSH-2.0-software comments" CRLF (RFC 4253 4.2), then packets (6):
//  +-------------------+-------------------+---------+---------
//  | packet_length (4) | padding_length 1  | payload | padding
//  +-------------------+-------------------+---------+---------
//  SSH_MSG_KEXINIT (7.1): 20, cookie (16), ten name-lists (length (4), names): key exchange, host
//  keys, encryption, MAC and compression for client to server and server to client, languages
#include "app/ssh.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "app/fingerprints.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

using base::ByteCursor;
using Text = std::string_view;

constexpr Text kMark = "SSH-";
constexpr std::uint8_t kKexInit = 20;
// RFC 4253 4.2: 255 with CRLF. Lines that a server may send before it are as long.
constexpr std::size_t kMaxLine = 1024;
constexpr std::size_t kMaxPacket = 35000;

// Flags in the parser's memory: for each direction, what was read.
enum Step : std::uint32_t { kVersion = 1, kKeyExchange = 2, kOver = 4 };

Verdict MatchSsh(const Payload& payload) {
  const Text text = payload.text();
  const std::size_t size = std::min(text.size(), kMark.size());
  if (text.substr(0, size) != kMark.substr(0, size)) return Verdict::kNo;
  if (size < kMark.size()) return payload.is_last ? Verdict::kNo : Verdict::kNeedMore;
  if (text.size() < 6) return payload.is_last ? Verdict::kNo : Verdict::kNeedMore;
  return text[4] >= '1' && text[4] <= '2' && text[5] == '.' ? Verdict::kYes : Verdict::kNo;
}

// The version line; npos while its end is missing.
std::size_t ReadVersion(const Payload& payload, Findings& findings) {
  const Text text = payload.text();
  const std::size_t end = text.substr(0, kMaxLine).find('\n');
  if (end == Text::npos && text.size() < kMaxLine && !payload.is_last) return Text::npos;
  Text line = text.substr(0, std::min(end, kMaxLine));
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.starts_with(kMark)) {
    findings.Set(payload.is_forward ? MetadataField::kClientVersion : MetadataField::kServerVersion,
                 line);
  }
  return end == Text::npos ? text.size() : end + 1;
}

// https://github.com/salesforce/hassh: key exchange, encryption, MAC and compression of the
// sender's own direction, joined by semicolons.
void ReadKexInit(ByteCursor message, bool is_client, Findings& findings) {
  message.Skip(16);
  std::array<Text, 8> lists;
  for (Text& list : lists) {
    const auto bytes = message.Bytes(message.U32());
    list = {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  if (!message.ok()) return;
  const std::size_t own = is_client ? 0 : 1;
  std::string text(lists[0]);
  for (const std::size_t list : {std::size_t{2}, std::size_t{4}, std::size_t{6}}) {
    text += ';';
    text += lists[list + own];
  }
  findings.SetPlain(is_client ? MetadataField::kHassh : MetadataField::kHasshServer,
                    findings.fingerprints().OfText(text));
}

// Reads one packet; 0 while it is incomplete. Sets kOver at the first that is not a key exchange.
std::size_t ReadPacket(std::span<const std::uint8_t> bytes, bool is_client, std::uint32_t& steps,
                       Findings& findings) {
  ByteCursor cursor(bytes);
  const std::size_t length = cursor.U32();
  if (!cursor.ok()) return 0;
  if (length < 12 || length > kMaxPacket) {
    steps |= kOver;
    return bytes.size();
  }
  ByteCursor packet(cursor.Bytes(length));
  if (!cursor.ok()) return 0;
  packet.Skip(1);
  if (packet.U8() == kKexInit) {
    ReadKexInit(packet, is_client, findings);
    steps |= kKeyExchange;
  }
  steps |= kOver;
  return 4 + length;
}

ParseResult ParseSsh(const Payload& payload, Findings& findings) {
  std::uint32_t& steps = findings.memory()[payload.is_forward ? 0 : 1];
  std::size_t consumed = 0;
  if ((steps & kVersion) == 0) {
    consumed = ReadVersion(payload, findings);
    if (consumed == Text::npos) return {0, ParseNext::kMore};
    // A server may say other things first.
    if (payload.text().starts_with(kMark)) steps |= kVersion;
  }
  // SSH 1 has other packets.
  if (payload.text().starts_with("SSH-1.") && !payload.text().starts_with("SSH-1.99")) {
    steps |= kOver;
  }
  if ((steps & (kVersion | kOver)) == kVersion) {
    consumed += ReadPacket(payload.bytes.subspan(consumed), payload.is_forward, steps, findings);
  }
  if ((steps & kOver) != 0) consumed = payload.bytes.size();
  const bool is_over = (findings.memory()[0] & findings.memory()[1] & kOver) != 0;
  return {consumed, is_over ? ParseNext::kDone : ParseNext::kMore};
}

}  // namespace

constinit const Parser kSshParser = {
    .application = Application::kSsh,
    .match = MatchSsh,
    .parse = ParseSsh,
    .first_bytes = FirstBytes::Chars("S"),
};

}  // namespace nta::internal
