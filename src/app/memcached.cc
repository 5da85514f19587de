#include <algorithm>
#include <array>

#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  text:   get key | set key flags expiry bytes | stats | ...     answer: VALUE, STAT, STORED, END,
//  ... binary: | 0x80, answers 0x81 | opcode | key length (16) | extras (8) | 0 | bucket or status
//  (16) |
//          | length of extras, key and value (32) | opaque (32) | cas (64) |
//  UDP:    | request (16) | number, of how many (16 each) | 0 (16) | before either
constexpr std::uint8_t kRequestMark = 0x80;
constexpr std::uint8_t kAnswerMark = 0x81;

std::size_t CountWords(std::string_view line) {
  std::size_t count = 0;
  while (!line.empty()) {
    TakeWord(line);
    ++count;
  }
  return count;
}

bool IsStore(std::string_view verb) {
  return verb == "set" || verb == "add" || verb == "replace" || verb == "append" ||
         verb == "prepend" || verb == "cas";
}

// "set key flags expiry bytes": three numbers.
bool IsStoreLine(std::string_view rest) {
  TakeWord(rest);
  for (int i = 0; i < 3; ++i) {
    std::string_view number = TakeWord(rest);
    if (number.starts_with('-')) number.remove_prefix(1);
    if (!ParseDigits(number)) return false;
  }
  return true;
}

bool IsCommandLine(std::string_view line) {
  if (!IsPrintableAscii(line)) return false;
  std::string_view rest = line;
  const std::string_view verb = TakeWord(rest);
  const std::size_t words = CountWords(line);
  if (IsStore(verb)) return words >= 5 && words <= 7 && IsStoreLine(rest);
  if (verb == "get" || verb == "gets") return words >= 2 && rest.find('/') != 0;
  if (verb == "stats") return words <= 3;
  if (verb == "version" || verb == "flush_all") return words <= 3;
  if (verb == "delete" || verb == "touch") return words == 2 || words == 3;
  return (verb == "incr" || verb == "decr") && words >= 3;
}

bool IsAnswerLine(std::string_view line) {
  return (line.starts_with("STAT ") && CountWords(line) >= 3) ||
         (line.starts_with("VALUE ") && CountWords(line) >= 4);
}

bool IsBinary(Bytes bytes) {
  base::ByteCursor cursor(bytes);
  const std::uint8_t mark = cursor.U8();
  const std::uint8_t opcode = cursor.U8();
  const std::size_t key = cursor.U16();
  const std::size_t extras = cursor.U8();
  const std::uint8_t data_type = cursor.U8();
  const std::uint16_t status = cursor.U16();
  const std::size_t body = cursor.U32();
  cursor.Skip(12);
  if (!cursor.ok() || (mark != kRequestMark && mark != kAnswerMark)) return false;
  return opcode <= 0x40 && key <= 250 &&
         (extras == 0 || extras == 4 || extras == 8 || extras == 20) && data_type == 0 &&
         body >= key + extras && body <= (1u << 20) && status <= 0x86 && cursor.remaining() <= body;
}

// Beginnings of commands in a stream that comes in small parts.
bool MayBeCommand(std::string_view text) {
  constexpr std::array<std::string_view, 17> kVerbs = {
      "set ",  "add ",  "replace ", "append ", "prepend ", "cas ",
      "get ",  "gets ", "stats",    "version", "delete ",  "touch ",
      "incr ", "decr ", "STAT ",    "VALUE ",  "flush_all"};
  return std::ranges::any_of(kVerbs, [&](std::string_view verb) {
    return text.starts_with(verb) || verb.starts_with(text);
  });
}

Verdict Match(const Payload& payload) {
  const Bytes bytes = payload.bytes;
  if (bytes[0] >= kRequestMark) {
    if (bytes.size() >= 24) return YesIf(IsBinary(bytes));
    const bool may_be = payload.is_start && (bytes.size() < 2 || bytes[1] <= 0x40) &&
                        (bytes.size() < 6 || bytes[5] == 0);
    return may_be ? MoreUnlessLast(payload) : Verdict::kNo;
  }
  const std::string_view text = payload.text();
  const std::size_t end = text.find("\r\n");
  if (end == std::string_view::npos) {
    const bool may_be = payload.is_start && text.size() < 300 && MayBeCommand(text);
    return may_be ? MoreUnlessLast(payload) : Verdict::kNo;
  }
  const std::string_view line = text.substr(0, end);
  return YesIf(IsCommandLine(line) || IsAnswerLine(line));
}

bool IsFrame(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  cursor.Skip(2);
  const std::uint16_t number = cursor.U16();
  const std::uint16_t count = cursor.U16();
  const std::uint16_t zero = cursor.U16();
  if (!cursor.ok() || zero != 0 || count == 0 || number >= count) return false;
  if (IsBinary(cursor.rest())) return true;
  const std::string_view text = AsText(cursor.rest());
  const std::size_t end = text.find("\r\n");
  const std::string_view line = text.substr(0, std::min(end, text.size()));
  if (IsCommandLine(line) || IsAnswerLine(line)) return true;
  return payload.HasPort(11211) && count > 1;  // the middle of a long answer
}

void ReadText(std::string_view text, Findings& findings) {
  std::string_view line = text.substr(0, text.find("\r\n"));
  const bool is_command = IsCommandLine(line);
  const std::string_view verb = TakeWord(line);
  if (is_command) findings.SetFirst(MetadataField::kRequest, verb);
  if (verb == "VERSION") findings.SetFirst(MetadataField::kServerVersion, line);
  if (verb == "STAT" || verb == "VALUE" || verb == "STORED" || verb == "END" || verb == "ERROR") {
    findings.SetFirst(MetadataField::kResponse, verb);
  }
}

void ReadBinary(Bytes bytes, Findings& findings) {
  if (bytes.size() < 24) return;
  if (bytes[0] == kRequestMark)
    SetFirstNumber(findings, MetadataField::kRequest, "opcode", bytes[1]);
  if (bytes[0] != kAnswerMark) return;
  const std::uint32_t status = static_cast<std::uint32_t>(bytes[6] << 8 | bytes[7]);
  SetFirstNumber(findings, MetadataField::kResponse, "status", status);
  constexpr std::uint8_t kSaslAuth = 0x21;
  constexpr std::uint8_t kSaslStep = 0x22;
  if (bytes[1] != kSaslAuth && bytes[1] != kSaslStep) return;
  if (status == 0) findings.Count(MetadataField::kLoginSuccesses);
  if (status == 0x20) findings.Count(MetadataField::kLoginFailures);
}

ParseResult ReadStream(const Payload& payload, Findings& findings) {
  const bool is_binary = payload.bytes[0] >= kRequestMark;
  const bool is_enough = is_binary ? payload.bytes.size() >= 24
                                   : payload.text().find("\r\n") != std::string_view::npos;
  if (!is_enough && !payload.is_last && payload.bytes.size() < kMaxLineBytes) {
    return {0, ParseNext::kMore};
  }
  if (is_binary) {
    ReadBinary(payload.bytes, findings);
  } else {
    ReadText(payload.text(), findings);
  }
  return Read(payload, ParseNext::kMore);
}

void ReadFrame(const Payload& payload, Findings& findings) {
  constexpr std::size_t kFrameBytes = 8;
  if (payload.bytes.size() <= kFrameBytes) return;
  const Bytes rest = payload.bytes.subspan(kFrameBytes);
  if (rest[0] >= kRequestMark) {
    ReadBinary(rest, findings);
  } else {
    ReadText(AsText(rest), findings);
  }
}

}  // namespace

constinit const Parser kMemcachedStreamParser = {
    .application = Application::kMemcached,
    .match = Match,
    .parse = ReadStream,
    .first_bytes = FirstBytes::Chars("acdfgiprstvSV") | FirstBytes::Of({kRequestMark, kAnswerMark}),
};
constinit const Parser kMemcachedParser = {
    .application = Application::kMemcached,
    .match = MatchEach<IsFrame>,
    .parse = ReadEach<ReadFrame>,
};

}  // namespace nta::internal
