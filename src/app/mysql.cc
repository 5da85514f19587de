#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  | length (24) | sequence | ... |    little endian
//  server: | 10 | version, 0 | thread (32) | salt (8) | 0 | capabilities (16) | ... |  or FF: error
//  client: | capabilities (32) | most bytes (32) | charset | 23 zeros | user, 0 | answer to the
//  salt |
//          with TLS it ends before the user and TLS begins
//  server: 00 OK, FF error, FE another method, 01 more of this one
constexpr std::size_t kFrameBytes = 4;
constexpr std::uint8_t kProtocol = 10;
constexpr std::uint8_t kErrorMark = 0xFF;
constexpr std::uint32_t kTls = 0x800;
constexpr std::uint16_t kAccessDenied = 1045;

enum Memory : std::size_t { kServer = 0, kAsked = 1 };
enum Side : std::uint32_t { kUnknown = 0, kForward = 1, kReverse = 2 };

bool IsGreeting(Bytes body) {
  base::ByteCursor cursor(body);
  if (cursor.U8() != kProtocol) return false;
  const std::string_view rest = AsText(cursor.rest());
  const std::size_t end = rest.substr(0, 64).find('\0');
  if (end == std::string_view::npos || end == 0 || !IsPrintableAscii(rest.substr(0, end)))
    return false;
  cursor.Skip(end + 1 + 4 + 8);
  return cursor.U8() == 0 && cursor.ok();
}

// A server that does not like the client says so at once.
bool IsRefusal(Bytes body) {
  base::ByteCursor cursor(body);
  const std::uint8_t mark = cursor.U8();
  const std::uint16_t code = cursor.U16LittleEndian();
  return cursor.ok() && mark == kErrorMark && code >= 1000 && code < 5000 && body.size() > 8 &&
         IsPrintableAscii(AsText(body.subspan(3, 6)));
}

// Little endian, three bytes.
std::size_t BodySize(Bytes bytes) {
  if (bytes.size() < 3) return 0;
  return bytes[0] | std::size_t{bytes[1]} << 8 | std::size_t{bytes[2]} << 16;
}

Verdict Match(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  const std::size_t length = BodySize(payload.bytes);
  cursor.Skip(3);
  const std::uint8_t sequence = cursor.U8();
  if (!cursor.ok()) return MoreUnlessLast(payload);
  if (sequence != 0 || length < 8 || length > 1024) return Verdict::kNo;
  const std::uint8_t mark = cursor.remaining() > 0 ? cursor.rest()[0] : kProtocol;
  if (mark != kProtocol && mark != kErrorMark) return Verdict::kNo;
  if (cursor.remaining() < length) return MoreUnlessLast(payload);
  const Bytes body = cursor.Bytes(length);
  return YesIf(IsGreeting(body) || (IsRefusal(body) && cursor.remaining() == 0));
}

ParseNext ReadClient(Bytes body, Findings& findings) {
  base::ByteCursor cursor(body);
  const std::uint32_t capabilities = cursor.U32LittleEndian();
  cursor.Skip(28);
  if (!cursor.ok()) return ParseNext::kMore;
  if ((capabilities & kTls) != 0 && cursor.remaining() == 0) {
    return ParseNext::kRestart;
  }
  const std::string_view rest = AsText(cursor.rest());
  findings.SetFirst(MetadataField::kUserName, rest.substr(0, rest.find('\0')));
  return ParseNext::kMore;
}

ParseNext ReadAnswer(Bytes body, Findings& findings) {
  base::ByteCursor cursor(body);
  const std::uint8_t mark = cursor.U8();
  if (mark == 0) {
    findings.Count(MetadataField::kLoginSuccesses);
    findings.SetFirst(MetadataField::kResponse, "ok");
    return ParseNext::kDone;
  }
  if (mark != kErrorMark) return ParseNext::kMore;
  const std::uint16_t code = cursor.U16LittleEndian();
  SetFirstNumber(findings, MetadataField::kResponse, "error", code);
  if (code == kAccessDenied || code == 1044 || code == 1698) {
    findings.Count(MetadataField::kLoginFailures);
  }
  return ParseNext::kDone;
}

ParseNext ReadPacket(Bytes bytes, Side side, Findings& findings) {
  if (bytes.size() <= kFrameBytes) return ParseNext::kMore;
  const Bytes body = bytes.subspan(kFrameBytes);
  ParserMemory& memory = findings.memory();
  if (memory[kServer] == kUnknown) {
    memory[kServer] = side;
    if (!IsGreeting(body)) return ReadAnswer(body, findings);
    const std::string_view rest = AsText(body.subspan(1));
    findings.SetFirst(MetadataField::kServerVersion, rest.substr(0, rest.find('\0')));
    return ParseNext::kMore;
  }
  if (memory[kServer] == side) return ReadAnswer(body, findings);
  if (memory[kAsked] != 0) return ParseNext::kMore;
  memory[kAsked] = 1;
  return ReadClient(body, findings);
}

std::size_t SizeOf(Bytes bytes) {
  return bytes.size() < kFrameBytes ? 0 : kFrameBytes + BodySize(bytes);
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  const Side side = payload.is_forward ? kForward : kReverse;
  return ReadFrames(payload, SizeOf,
                    [&](Bytes bytes) { return ReadPacket(bytes, side, findings); });
}

}  // namespace

constinit const Parser kMysqlParser = {
    .application = Application::kMysql,
    .match = Match,
    .parse = Parse,
};

}  // namespace nta::internal
