#include "app/rows.h"
#include "app/sasl.h"
#include "app/text.h"
#include "app/values.h"

namespace nta::internal {
namespace {

//  server: 220 host text               client: EHLO host
//          250-AUTH LOGIN PLAIN                AUTH PLAIN base64    (RFC 5321, RFC 4954)
//          235 text | 535 text                 STARTTLS             (RFC 3207)
enum Memory : std::size_t { kSasl = 0, kAuthRunning = 1, kTlsAsked = 2 };

Verdict MatchServer(const Payload& payload) {
  LineReader lines(payload.bytes);
  const auto line = lines.Next();
  const bool has_port = payload.HasPort(25) || payload.HasPort(587) || payload.HasPort(2525);
  const std::string_view text = payload.text();
  if (ContainsIgnoreCase(line ? *line : text, "SMTP")) return Verdict::kYes;
  if (line && has_port && line->size() >= 4) return Verdict::kYes;
  return text.starts_with("220") ? MoreUnlessLast(payload) : Verdict::kNo;
}

Verdict Match(const Payload& payload) {
  const std::string_view text = payload.text();
  if (text.starts_with("220") || text.starts_with("554 ") || text.starts_with("421 ")) {
    return MatchServer(payload);
  }
  const bool is_hello = StartsWithIgnoreCase(text, "EHLO") || StartsWithIgnoreCase(text, "HELO") ||
                        StartsWithIgnoreCase(text, "LHLO");
  if (!is_hello) {
    const bool may_be = text.size() < 4 &&
                        (StartsWithIgnoreCase("EHLO", text) || StartsWithIgnoreCase("HELO", text) ||
                         StartsWithIgnoreCase("220", text));
    return may_be ? MoreUnlessLast(payload) : Verdict::kNo;
  }
  LineReader lines(payload.bytes);
  const auto line = lines.Next();
  if (!line) return MoreUnlessLast(payload);
  return YesIf(IsPrintableAscii(*line) && (line->size() == 4 || (*line)[4] == ' '));
}

ParseNext ReadReply(std::string_view line, Findings& findings) {
  const auto code = ParseDigits(line.substr(0, 3));
  if (!code || line.size() < 4 || line[3] == '-') return ParseNext::kMore;
  ParserMemory& memory = findings.memory();
  if (*code == 220) {
    if (memory[kTlsAsked] != 0) return ParseNext::kRestart;
    std::string_view rest = TrimSpaces(line.substr(4));
    findings.SetFirst(MetadataField::kServerName, TakeWord(rest));
    findings.SetFirst(MetadataField::kServerVersion, rest);
  }
  memory[kTlsAsked] = 0;
  if (*code == 235) {
    findings.Count(MetadataField::kLoginSuccesses);
    memory[kSasl] = memory[kAuthRunning] = 0;
  } else if (*code == 535 || (memory[kAuthRunning] != 0 && *code >= 400)) {
    findings.Count(MetadataField::kLoginFailures);
    memory[kSasl] = memory[kAuthRunning] = 0;
  }
  return *code == 354 ? ParseNext::kDone : ParseNext::kMore;
}

void ReadCommand(std::string_view line, Findings& findings) {
  ParserMemory& memory = findings.memory();
  if (memory[kSasl] != 0) {
    const auto step = ContinueSasl(static_cast<SaslStep>(memory[kSasl]), line, findings);
    memory[kSasl] = static_cast<std::uint32_t>(step);
    return;
  }
  const std::string_view verb = TakeWord(line);
  if (EqualsIgnoreCase(verb, "EHLO") || EqualsIgnoreCase(verb, "HELO")) {
    findings.SetFirst(MetadataField::kHostName, line);
  } else if (EqualsIgnoreCase(verb, "STARTTLS")) {
    memory[kTlsAsked] = 1;
  } else if (EqualsIgnoreCase(verb, "AUTH")) {
    const std::string_view mechanism = TakeWord(line);
    memory[kAuthRunning] = 1;
    memory[kSasl] = static_cast<std::uint32_t>(StartSasl(mechanism, line, findings));
  }
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  return ReadLines(payload, [&](std::string_view line) {
    const bool is_reply = line.size() >= 3 && ParseDigits(line.substr(0, 3)) &&
                          (line.size() == 3 || line[3] == ' ' || line[3] == '-');
    if (is_reply) return ReadReply(line, findings);
    ReadCommand(line, findings);
    return EqualsIgnoreCase(line, "DATA") ? ParseNext::kDone : ParseNext::kMore;
  });
}

}  // namespace

constinit const Parser kSmtpParser = {
    .application = Application::kSmtp,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Chars("245EeHhLl"),
    .patience = 4,
};

}  // namespace nta::internal
