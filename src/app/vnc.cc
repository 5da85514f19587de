#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  server: "RFB 003.008\n"              client: "RFB 003.008\n"         (RFC 6143)
//          | n | n security types |             | chosen type |
//          type 2: challenge (16)               answer (16)
//          | result (32): 0 is a success |
//  3.3: the server says | security type (32) | instead, and the client chooses nothing
constexpr std::size_t kVersionBytes = 12;
constexpr std::uint32_t kPassword = 2;

enum Memory : std::size_t {
  kType = 0,
  kMinor = 1,
  kServerStep = 2,
  kClientStep = 3,
  kServerIs = 4
};
enum Step : std::uint32_t { kVersion = 0, kTypes = 1, kChallenge = 2, kResult = 3 };

bool IsVersion(std::string_view text) {
  return text.size() >= kVersionBytes && text.starts_with("RFB ") && text[7] == '.' &&
         text[11] == '\n' && ParseDigits(text.substr(4, 3)) && ParseDigits(text.substr(8, 3));
}

Verdict Match(const Payload& payload) {
  const std::string_view text = payload.text();
  if (text.size() >= kVersionBytes) return YesIf(IsVersion(text));
  return std::string_view("RFB ").starts_with(text.substr(0, 4)) ? MoreUnlessLast(payload)
                                                                 : Verdict::kNo;
}

// Takes what the server says; false when more is needed.
bool ReadServer(base::ByteCursor& cursor, Findings& findings, ParseNext& next) {
  ParserMemory& memory = findings.memory();
  switch (memory[kServerStep]) {
    case kTypes: {
      base::ByteCursor ahead = cursor;
      if (memory[kMinor] < 7) {
        memory[kType] = ahead.U32();
      } else {
        ahead.Skip(ahead.U8());
      }
      if (!ahead.ok()) return false;
      cursor = ahead;
      memory[kServerStep] = kChallenge;
      return true;
    }
    case kChallenge:
      if (memory[kType] != kPassword) {
        next = ParseNext::kDone;
        return false;
      }
      if (cursor.remaining() < 16) return false;
      cursor.Skip(16);
      memory[kServerStep] = kResult;
      return true;
    default: {
      if (cursor.remaining() < 4) return false;
      const bool is_success = cursor.U32() == 0;
      findings.Count(is_success ? MetadataField::kLoginSuccesses : MetadataField::kLoginFailures);
      next = ParseNext::kDone;
      return false;
    }
  }
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  ParserMemory& memory = findings.memory();
  base::ByteCursor cursor(payload.bytes);
  const auto consumed = [&] { return payload.bytes.size() - cursor.remaining(); };
  ParseNext next = ParseNext::kMore;
  // The server speaks first.
  if (memory[kServerIs] == 0) memory[kServerIs] = payload.is_forward ? 2 : 1;
  const bool is_server = payload.is_forward == (memory[kServerIs] == 2);
  std::uint32_t& step = memory[is_server ? kServerStep : kClientStep];
  if (step == kVersion) {
    if (cursor.remaining() < kVersionBytes) return {0, next};
    const std::string_view text = AsText(cursor.Bytes(kVersionBytes));
    findings.SetFirst(is_server ? MetadataField::kServerVersion : MetadataField::kClientVersion,
                      text.substr(0, kVersionBytes - 1));
    const std::uint32_t minor = ParseDigits(text.substr(8, 3)).value_or(8);
    if (memory[kMinor] == 0 || minor < memory[kMinor]) memory[kMinor] = minor;
    step = kTypes;
  }
  if (is_server) {
    // The client's version and choice decide what comes; they arrive before it.
    while (cursor.remaining() > 0 && ReadServer(cursor, findings, next)) {
    }
    return {consumed(), next};
  }
  if (step == kTypes && memory[kMinor] >= 7 && cursor.remaining() > 0) {
    memory[kType] = cursor.U8();
    step = kChallenge;
  }
  return Read(payload, next);
}

}  // namespace

constinit const Parser kVncParser = {
    .application = Application::kVnc,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Chars("R"),
};

}  // namespace nta::internal
