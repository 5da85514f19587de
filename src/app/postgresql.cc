#include <algorithm>

#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  client: | length (32) | 3.0 (32) | "user", 0, name, 0, "database", 0, ..., 0 |    start
//          | 8 | 80877103 |   asks for TLS; the server answers S or N
//  then messages: | type (8) | length (32), itself included | ... |
//  server: R: 0 logged in, 3, 5, 10, ... how to;   E: error, fields of | code (8) | text, 0 |
constexpr std::uint32_t kVersion3 = 3u << 16;
constexpr std::uint32_t kTlsRequest = 80877103;
constexpr std::uint32_t kGssRequest = 80877104;
constexpr std::uint32_t kCancelRequest = 80877102;
constexpr std::size_t kMaxStart = 10'000;

enum Memory : std::size_t { kStarted = 0, kAskedTls = 1, kClientIsReverse = 2 };

bool IsStart(Bytes body) { return AsText(body).find(std::string_view("user\0", 5)) < 256; }

Verdict Match(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  const std::uint32_t length = cursor.U32();
  const std::uint32_t code = cursor.U32();
  if (!cursor.ok()) return payload.bytes[0] == 0 ? MoreUnlessLast(payload) : Verdict::kNo;
  if (code == kTlsRequest || code == kGssRequest) return YesIf(length == 8);
  if (code == kCancelRequest) return YesIf(length == 16);
  if (code >> 16 != 3 || (code & 0xFFFF) > 2 || length < 9 || length > kMaxStart)
    return Verdict::kNo;
  if (IsStart(cursor.rest())) return Verdict::kYes;
  return cursor.remaining() + 8 < length ? MoreUnlessLast(payload) : Verdict::kNo;
}

std::string_view TakeText(std::string_view& bytes) {
  const std::size_t end = std::min(bytes.find('\0'), bytes.size());
  const std::string_view text = bytes.substr(0, end);
  bytes.remove_prefix(std::min(end + 1, bytes.size()));
  return text;
}

// Only these two: other parameters are the client's business.
void ReadStart(Bytes body, Findings& findings) {
  std::string_view rest = AsText(body);
  while (!rest.empty()) {
    const std::string_view name = TakeText(rest);
    if (name.empty()) return;
    const std::string_view value = TakeText(rest);
    if (name == "user") findings.SetFirst(MetadataField::kUserName, value);
    if (name == "database") findings.SetFirst(MetadataField::kRequest, value);
    if (name == "application_name") findings.SetFirst(MetadataField::kClientVersion, value);
  }
}

// 28P01 wrong password, 28000 refused.
ParseNext ReadError(std::string_view fields, Findings& findings) {
  while (!fields.empty() && fields[0] != '\0') {
    const char field = fields[0];
    fields.remove_prefix(1);
    const std::string_view value = TakeText(fields);
    if (field != 'C') continue;
    findings.SetFirst(MetadataField::kResponse, value);
    if (value.starts_with("28")) findings.Count(MetadataField::kLoginFailures);
    return ParseNext::kDone;
  }
  return ParseNext::kDone;
}

ParseNext ReadServerMessage(Bytes bytes, Findings& findings) {
  base::ByteCursor cursor(bytes);
  const std::uint8_t type = cursor.U8();
  cursor.Skip(4);
  if (type == 'E') return ReadError(AsText(cursor.rest()), findings);
  if (type == 'R' && cursor.U32() == 0 && cursor.ok()) {
    findings.Count(MetadataField::kLoginSuccesses);
    findings.SetFirst(MetadataField::kResponse, "ok");
  } else if (type == 'S') {
    std::string_view rest = AsText(cursor.rest());
    if (TakeText(rest) == "server_version") {
      findings.SetFirst(MetadataField::kServerVersion, TakeText(rest));
    }
  }
  constexpr std::uint8_t kReady = 'Z';
  return type == kReady ? ParseNext::kDone : ParseNext::kMore;
}

ParseResult ReadStarts(const Payload& payload, Findings& findings) {
  ParserMemory& memory = findings.memory();
  const auto size_of = [](Bytes bytes) -> std::size_t {
    return bytes.size() < 4 ? 0 : std::max<std::size_t>(4, base::ByteCursor(bytes).U32());
  };
  return ReadFrames(payload, size_of, [&](Bytes bytes) {
    base::ByteCursor cursor(bytes);
    cursor.Skip(4);
    const std::uint32_t code = cursor.U32();
    if (code == kTlsRequest || code == kGssRequest) {
      memory[kAskedTls] = 1;
    } else if (code >> 16 == kVersion3 >> 16 && memory[kStarted] == 0) {
      memory[kStarted] = 1;
      ReadStart(cursor.rest(), findings);
    }
    return ParseNext::kMore;
  });
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  ParserMemory& memory = findings.memory();
  // The client starts with a zero byte; the server's messages have a letter there.
  if (memory[kStarted] == 0 && payload.bytes[0] == 0) {
    memory[kClientIsReverse] = payload.is_forward ? 0 : 1;
    return ReadStarts(payload, findings);
  }
  const bool is_client = payload.is_forward == (memory[kClientIsReverse] == 0);
  if (is_client) return Read(payload, ParseNext::kMore);
  if (memory[kAskedTls] != 0 && payload.bytes.size() == 1) {
    memory[kAskedTls] = 0;
    const bool accepts = payload.bytes[0] == 'S' || payload.bytes[0] == 'G';
    return {1, accepts ? ParseNext::kRestart : ParseNext::kMore};
  }
  const auto size_of = [](Bytes bytes) -> std::size_t {
    if (bytes.size() < 5) return 0;
    const std::uint32_t length = base::ByteCursor(bytes.subspan(1)).U32();
    return IsLetter(static_cast<char>(bytes[0])) && length >= 4 ? 1u + length : kBrokenFrame;
  };
  return ReadFrames(payload, size_of,
                    [&](Bytes bytes) { return ReadServerMessage(bytes, findings); });
}

}  // namespace

constinit const Parser kPostgresqlParser = {
    .application = Application::kPostgresql,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Of({0}),
};

}  // namespace nta::internal
