#include <algorithm>
#include <array>

#include "app/rows.h"
#include "app/sasl.h"
#include "app/text.h"
#include "app/values.h"

namespace nta::internal {
namespace {

//  server: * OK text                 client: a1 LOGIN user secret       (RFC 9051)
//          a1 OK | NO | BAD text             a1 AUTHENTICATE PLAIN
//   An argument may be quoted, or be a literal: {5}, end of line, five bytes.
enum Memory : std::size_t { kSasl = 0, kCommand = 1, kLiteral = 2, kClientIsForward = 3 };
enum Command : std::uint32_t { kOther = 0, kLogin = 1, kTls = 2 };
enum Literal : std::uint32_t { kNone = 0, kUser = 1, kSecret = 2 };

bool IsTag(std::string_view word) {
  return !word.empty() && word.size() <= 16 && std::ranges::all_of(word, [](char c) {
    return IsDigit(c) || IsLetter(c) || c == '.' || c == '_' || c == '-';
  });
}

bool IsCommand(std::string_view verb) {
  constexpr std::array<std::string_view, 10> kVerbs = {
      "CAPABILITY", "LOGIN",  "AUTHENTICATE", "STARTTLS",  "ID",
      "NOOP",       "LOGOUT", "SELECT",       "NAMESPACE", "ENABLE"};
  return std::ranges::any_of(kVerbs, [&](std::string_view v) { return EqualsIgnoreCase(v, verb); });
}

Verdict Match(const Payload& payload) {
  const std::string_view text = payload.text();
  LineReader lines(payload.bytes);
  const auto line = lines.Next();
  if (text[0] == '*') {
    if (!line) {
      return std::string_view("* ").starts_with(text.substr(0, 2)) ? MoreUnlessLast(payload)
                                                                   : Verdict::kNo;
    }
    return YesIf(line->starts_with("* OK") || line->starts_with("* PREAUTH") ||
                 line->starts_with("* BYE") || line->starts_with("* CAPABILITY IMAP"));
  }
  std::string_view rest = line ? *line : text;
  const std::string_view tag = TakeWord(rest);
  if (!IsTag(tag)) return Verdict::kNo;
  if (!line) return text.size() < 32 ? MoreUnlessLast(payload) : Verdict::kNo;
  const bool has_digit = std::ranges::any_of(tag, IsDigit);
  return YesIf(IsCommand(TakeWord(rest)) && (has_digit || AsText(payload.other).starts_with("* ")));
}

bool EndsWithLiteral(std::string_view line) { return line.ends_with('}'); }

// Quoted or a word.
std::string_view TakeString(std::string_view& rest) {
  if (!rest.starts_with('"')) return TakeWord(rest);
  const std::size_t end = rest.find('"', 1);
  if (end == std::string_view::npos) return {};
  const std::string_view text = rest.substr(1, end - 1);
  rest.remove_prefix(end + 1);
  return text;
}

void ReadLogin(std::string_view rest, Findings& findings) {
  ParserMemory& memory = findings.memory();
  if (rest.starts_with('{')) {
    memory[kLiteral] = kUser;
    return;
  }
  findings.SetFirst(MetadataField::kUserName, TakeString(rest));
  memory[kLiteral] = EndsWithLiteral(rest) ? kSecret : kNone;
}

void ReadCommand(std::string_view line, Findings& findings) {
  ParserMemory& memory = findings.memory();
  if (memory[kSasl] != 0) {
    const auto step = ContinueSasl(static_cast<SaslStep>(memory[kSasl]), line, findings);
    memory[kSasl] = static_cast<std::uint32_t>(step);
    return;
  }
  if (memory[kLiteral] == kSecret) {
    memory[kLiteral] = kNone;
    return;
  }
  if (memory[kLiteral] == kUser) {
    ReadLogin(line, findings);
    return;
  }
  TakeWord(line);
  const std::string_view verb = TakeWord(line);
  if (EqualsIgnoreCase(verb, "LOGIN")) {
    ReadLogin(line, findings);
    memory[kCommand] = kLogin;
  } else if (EqualsIgnoreCase(verb, "AUTHENTICATE")) {
    const std::string_view mechanism = TakeWord(line);
    memory[kSasl] = static_cast<std::uint32_t>(StartSasl(mechanism, line, findings));
    memory[kCommand] = kLogin;
  } else if (EqualsIgnoreCase(verb, "STARTTLS")) {
    memory[kCommand] = kTls;
  }
}

bool IsTagged(std::string_view line, std::string_view& status) {
  const std::string_view tag = TakeWord(line);
  status = TakeWord(line);
  return IsTag(tag) && (status == "OK" || status == "NO" || status == "BAD");
}

ParseNext ReadReply(std::string_view status, Findings& findings) {
  ParserMemory& memory = findings.memory();
  const std::uint32_t command = memory[kCommand];
  memory[kCommand] = kOther;
  memory[kSasl] = memory[kLiteral] = 0;
  const bool is_ok = status == "OK";
  if (command == kTls) return is_ok ? ParseNext::kRestart : ParseNext::kMore;
  if (command != kLogin) return ParseNext::kMore;
  findings.Count(is_ok ? MetadataField::kLoginSuccesses : MetadataField::kLoginFailures);
  return is_ok ? ParseNext::kDone : ParseNext::kMore;
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  return ReadLines(payload, [&](std::string_view line) {
    ParserMemory& memory = findings.memory();
    const std::uint32_t side = payload.is_forward ? 1 : 0;
    const bool in_login = memory[kLiteral] != kNone || memory[kSasl] != 0;
    // Nothing that the client sends as part of its log-in is taken for an answer.
    if (in_login && side == memory[kClientIsForward]) {
      ReadCommand(line, findings);
      return ParseNext::kMore;
    }
    if (line.starts_with("* ") || line.starts_with("+")) {
      if (line.starts_with("* OK ")) {
        findings.SetFirst(MetadataField::kServerVersion, line.substr(5));
      }
      return ParseNext::kMore;
    }
    std::string_view status;
    if (IsTagged(line, status)) return ReadReply(status, findings);
    memory[kClientIsForward] = side;
    if (!line.empty()) ReadCommand(line, findings);
    return ParseNext::kMore;
  });
}

}  // namespace

constinit const Parser kImapParser = {
    .application = Application::kImap,
    .match = Match,
    .parse = Parse,
    .first_bytes =
        FirstBytes::Chars("*ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
    .patience = 8,
};

}  // namespace nta::internal
