#include <algorithm>
#include <array>
#include <string>

#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  commands within the text (RFC 854):
//  | IAC 255 | WILL 251, WONT 252, DO 253, DONT 254 | option |
//  | IAC 255 | SB 250 | option | ... | IAC 255 | SE 240 |
//   then "login:", the name, "Password:", the secret, and what the server makes of it
constexpr std::uint8_t kIac = 255;
constexpr std::uint8_t kSubBegin = 250;
constexpr std::uint8_t kSubEnd = 240;
constexpr std::uint8_t kWill = 251;
constexpr std::uint8_t kDont = 254;

enum Memory : std::size_t { kStep = 0, kClientIsForward = 1 };
enum Step : std::uint32_t { kNone = 0, kName = 1, kSecret = 2, kAnswer = 3 };

bool IsOption(std::uint8_t option) {
  return option <= 49 || (option >= 138 && option <= 140) || option == 255;
}

// Takes one command; false when the bytes are none or end too early.
bool TakeCommand(base::ByteCursor& cursor) {
  if (cursor.U8() != kIac) return false;
  const std::uint8_t command = cursor.U8();
  if (command >= kWill && command <= kDont) return IsOption(cursor.U8()) && cursor.ok();
  if (command != kSubBegin) return cursor.ok() && command > kSubEnd && command < kSubBegin;
  if (!IsOption(cursor.U8())) return false;
  std::uint8_t last = 0;
  while (cursor.remaining() > 0) {
    const std::uint8_t byte = cursor.U8();
    if (last == kIac && byte == kSubEnd) return true;
    last = last == kIac ? std::uint8_t{0} : byte;
  }
  return false;
}

bool HasTelnetPort(const Payload& payload) { return payload.HasPort(23) || payload.HasPort(2323); }

bool IsPrompt(std::string_view line, std::string_view name) {
  line = TrimSpaces(line);
  return (line.ends_with(':') || line.ends_with('>')) &&
         ContainsIgnoreCase(line.substr(line.size() < 40 ? 0 : line.size() - 40), name);
}

bool IsNamePrompt(std::string_view line) {
  return (IsPrompt(line, "login") && !ContainsIgnoreCase(line, "last login")) ||
         IsPrompt(line, "username") || IsPrompt(line, "user name") || IsPrompt(line, "account");
}
bool IsSecretPrompt(std::string_view line) {
  return IsPrompt(line, "password") || IsPrompt(line, "passcode");
}

Verdict Match(const Payload& payload) {
  if (payload.bytes[0] != kIac) {  // no negotiation: the port and a prompt
    if (!HasTelnetPort(payload) || !payload.is_start) return Verdict::kNo;
    const std::string_view text = payload.text();
    const std::string_view last = text.substr(text.rfind('\n') + 1);
    return YesIf(IsNamePrompt(last) || IsSecretPrompt(last));
  }
  base::ByteCursor cursor(payload.bytes);
  int commands = 0;
  while (cursor.remaining() > 0 && cursor.rest()[0] == kIac && commands < 8) {
    if (!TakeCommand(cursor)) {
      const bool is_cut = cursor.remaining() == 0 && payload.is_start;
      if (commands > 0) return Verdict::kYes;
      return is_cut && payload.bytes.size() < 64 ? MoreUnlessLast(payload) : Verdict::kNo;
    }
    ++commands;
  }
  return YesIf(commands >= 2 || cursor.remaining() == 0 || HasTelnetPort(payload));
}

// The text without commands; the cursor stops before a command that is not complete.
std::string PlainText(Bytes bytes, std::size_t& used) {
  std::string text;
  base::ByteCursor cursor(bytes);
  while (cursor.remaining() > 0) {
    used = bytes.size() - cursor.remaining();
    if (cursor.rest()[0] != kIac) {
      text += static_cast<char>(cursor.U8());
      continue;
    }
    base::ByteCursor ahead = cursor;
    if (TakeCommand(ahead)) {
      cursor = ahead;
    } else if (ahead.remaining() == 0) {
      return text;
    } else {
      cursor.Skip(1);
    }
  }
  used = bytes.size();
  return text;
}

bool IsRefusal(std::string_view line) {
  constexpr std::array<std::string_view, 9> kPhrases = {
      "incorrect",    "login failed", "access denied", "authentication failed",
      "bad password", "invalid",      "failed",        "not authorized",
      "too many"};
  return std::ranges::any_of(kPhrases,
                             [&](std::string_view p) { return ContainsIgnoreCase(line, p); });
}

bool IsWelcome(std::string_view line) {
  const std::string_view text = TrimSpaces(line);
  return ContainsIgnoreCase(line, "last login") || ContainsIgnoreCase(line, "welcome") ||
         (!text.empty() && std::string_view("$#>%").find(text.back()) != std::string_view::npos);
}

ParseNext ReadServerLine(std::string_view line, Findings& findings) {
  std::uint32_t& step = findings.memory()[kStep];
  if (step >= kSecret && IsRefusal(line)) {
    findings.Count(MetadataField::kLoginFailures);
    step = kNone;
  } else if (IsNamePrompt(line)) {
    // Asked again without a word.
    if (step == kAnswer) findings.Count(MetadataField::kLoginFailures);
    step = kName;
  } else if (IsSecretPrompt(line)) {
    step = kSecret;
  } else if (step == kAnswer && IsWelcome(line)) {
    findings.Count(MetadataField::kLoginSuccesses);
    return ParseNext::kDone;
  }
  return ParseNext::kMore;
}

std::string WithoutBackspaces(std::string_view line) {
  std::string text;
  for (const char c : line) {
    if (c == '\b' || c == '\x7F') {
      if (!text.empty()) text.pop_back();
    } else if (c != '\0') {
      text += c;
    }
  }
  return text;
}

void ReadClientLine(std::string_view line, Findings& findings) {
  std::uint32_t& step = findings.memory()[kStep];
  if (step == kName) {
    findings.SetFirst(MetadataField::kUserName, WithoutBackspaces(line));
    step = kNone;
  } else if (step == kSecret) {
    step = kAnswer;
  }
}

// Lines end with CR LF, CR NUL or CR.
ParseResult ReadClient(Bytes bytes, Findings& findings) {
  std::size_t used = 0;
  const std::string text = PlainText(bytes, used);
  const std::size_t last_end = text.find_last_of("\r\n");
  if (last_end == std::string::npos) {
    // Kept until its end comes, unless it is all commands.
    const bool is_kept = !text.empty() && text.size() < 256;
    return {is_kept ? 0 : used, ParseNext::kMore};
  }
  std::string_view rest = std::string_view(text).substr(0, last_end + 1);
  while (!rest.empty()) {
    const std::size_t end = rest.find_first_of("\r\n");
    std::size_t next = end + 1;
    if (rest[end] == '\r' && next < rest.size() && rest[next] == '\n') ++next;
    std::string_view line = rest.substr(0, end);
    if (line.starts_with('\0')) line.remove_prefix(1);
    ReadClientLine(line, findings);
    rest.remove_prefix(next);
  }
  return {bytes.size(), ParseNext::kMore};
}

// Whether a line without an end says something yet.
bool IsTelling(std::string_view line, std::uint32_t step) {
  return IsNamePrompt(line) || IsSecretPrompt(line) || (step == kAnswer && IsWelcome(line));
}

ParseResult ReadServer(const Payload& payload, Findings& findings) {
  Bytes rest = payload.bytes;
  constexpr std::size_t kMaxLine = 256;
  while (!rest.empty()) {
    const std::size_t end = AsText(rest).find('\n');
    const bool is_complete = end != std::string_view::npos;
    const Bytes part = is_complete ? rest.first(end + 1) : rest;
    std::size_t used = 0;
    const std::string line = PlainText(part, used);
    const bool is_kept = !is_complete && !line.empty() && line.size() < kMaxLine &&
                         !payload.is_last && !IsTelling(line, findings.memory()[kStep]);
    if (is_kept) break;
    if (ReadServerLine(line, findings) == ParseNext::kDone) return Read(payload, ParseNext::kDone);
    // A line goes whole, even with a command in it that never ends.
    rest = rest.subspan(is_complete ? part.size() : used);
    if (!is_complete) break;
  }
  return {payload.bytes.size() - rest.size(), ParseNext::kMore};
}

// The server asks; whoever is not the one that asked first is the client.
ParseResult Parse(const Payload& payload, Findings& findings) {
  const std::string_view text = payload.text();
  const bool asks = IsNamePrompt(text.substr(text.rfind('\n') + 1));
  ParserMemory& memory = findings.memory();
  constexpr std::uint32_t kUnknown = 0;
  if (memory[kClientIsForward] == kUnknown && asks) {
    memory[kClientIsForward] = payload.is_forward ? 2 : 1;
  }
  const bool client_is_forward = memory[kClientIsForward] != 2;
  if (payload.is_forward == client_is_forward) return ReadClient(payload.bytes, findings);
  return ReadServer(payload, findings);
}

}  // namespace

constinit const Parser kTelnetParser = {
    .application = Application::kTelnet,
    .match = Match,
    .parse = Parse,
    .patience = 20,
};

}  // namespace nta::internal
