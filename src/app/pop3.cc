#include <algorithm>
#include <array>

#include "app/rows.h"
#include "app/sasl.h"
#include "app/text.h"
#include "app/values.h"

namespace nta::internal {
namespace {

//  server: +OK text              client: USER name
//          +OK | -ERR text               PASS secret        (RFC 1939; AUTH, STLS: RFC 2449, 2595)
enum Memory : std::size_t { kSasl = 0, kCommand = 1 };
enum Command : std::uint32_t { kOther = 0, kLogin = 1, kTls = 2 };

bool IsCommand(std::string_view verb) {
  constexpr std::array<std::string_view, 7> kVerbs = {"USER", "CAPA", "AUTH", "APOP",
                                                      "STLS", "PASS", "STAT"};
  return std::ranges::any_of(kVerbs, [&](std::string_view v) { return EqualsIgnoreCase(v, verb); });
}

Verdict Match(const Payload& payload) {
  const std::string_view text = payload.text();
  LineReader lines(payload.bytes);
  const auto line = lines.Next();
  if (text[0] == '+') {
    if (!line)
      return std::string_view("+OK").starts_with(text.substr(0, 3)) ? MoreUnlessLast(payload)
                                                                    : Verdict::kNo;
    if (!line->starts_with("+OK")) return Verdict::kNo;
    if (payload.HasPort(110)) return Verdict::kYes;
    // "+OK" alone is Redis' answer, too.
    return YesIf(payload.is_start && line->size() > 4 && (*line)[3] == ' ' &&
                 payload.other.empty());
  }
  std::string_view rest = line ? *line : text;
  const std::string_view verb = TakeWord(rest);
  const bool has_greeting = AsText(payload.other).starts_with("+OK") || payload.HasPort(110);
  if (!has_greeting) return Verdict::kNo;
  if (!line) return verb.size() <= 4 ? MoreUnlessLast(payload) : Verdict::kNo;
  return YesIf(IsCommand(verb));
}

ParseNext ReadReply(std::string_view line, Findings& findings) {
  ParserMemory& memory = findings.memory();
  const std::uint32_t command = memory[kCommand];
  const bool is_ok = line.starts_with("+OK");
  if (!is_ok && !line.starts_with("-ERR")) return ParseNext::kMore;
  memory[kCommand] = kOther;
  memory[kSasl] = 0;
  if (is_ok) findings.SetFirst(MetadataField::kServerVersion, TrimSpaces(line.substr(3)));
  if (command == kTls) return is_ok ? ParseNext::kRestart : ParseNext::kMore;
  if (command != kLogin) return ParseNext::kMore;
  findings.Count(is_ok ? MetadataField::kLoginSuccesses : MetadataField::kLoginFailures);
  return is_ok ? ParseNext::kDone : ParseNext::kMore;
}

void ReadCommand(std::string_view line, Findings& findings) {
  ParserMemory& memory = findings.memory();
  if (memory[kSasl] != 0) {
    const auto step = ContinueSasl(static_cast<SaslStep>(memory[kSasl]), line, findings);
    memory[kSasl] = static_cast<std::uint32_t>(step);
    return;
  }
  const std::string_view verb = TakeWord(line);
  std::uint32_t command = kOther;
  if (EqualsIgnoreCase(verb, "USER")) {
    findings.SetFirst(MetadataField::kUserName, line);
  } else if (EqualsIgnoreCase(verb, "PASS")) {
    command = kLogin;
  } else if (EqualsIgnoreCase(verb, "APOP")) {
    findings.SetFirst(MetadataField::kUserName, TakeWord(line));
    command = kLogin;
  } else if (EqualsIgnoreCase(verb, "STLS")) {
    command = kTls;
  } else if (EqualsIgnoreCase(verb, "AUTH") && !line.empty()) {
    const std::string_view mechanism = TakeWord(line);
    memory[kSasl] = static_cast<std::uint32_t>(StartSasl(mechanism, line, findings));
    command = kLogin;
  }
  memory[kCommand] = command;
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  return ReadLines(payload, [&](std::string_view line) {
    const bool is_reply =
        line.starts_with("+OK") || line.starts_with("-ERR") || line.starts_with("+ ");
    if (is_reply) return ReadReply(line, findings);
    if (!line.empty()) ReadCommand(line, findings);
    return ParseNext::kMore;
  });
}

}  // namespace

constinit const Parser kPop3Parser = {
    .application = Application::kPop3,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Chars("+UuCcAaSsPp"),
    .patience = 8,
};

}  // namespace nta::internal
