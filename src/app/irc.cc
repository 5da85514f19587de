#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"

namespace nta::internal {
namespace {

//  client: CAP LS | PASS secret | NICK name | USER name 0 * :real name       (RFC 2812)
//  server: :host NNN name :text | :host NOTICE * :text | PING :token
bool IsUserLine(std::string_view line) {
  int words = 0;
  while (!line.empty() && line[0] != ':') {
    TakeWord(line);
    ++words;
  }
  return words >= 4 || (words == 3 && !line.empty());
}

bool IsNick(std::string_view name) {
  if (name.starts_with(':')) name.remove_prefix(1);
  return !name.empty() && name.size() <= 64 && !IsDigit(name[0]) && IsPrintableAscii(name) &&
         name.find(' ') == std::string_view::npos;
}

// kNeedMore: a line that says nothing.
Verdict JudgeLine(std::string_view line) {
  std::string_view rest = line;
  const std::string_view verb = TakeWord(rest);
  if (EqualsIgnoreCase(verb, "NICK")) return YesIf(IsNick(rest));
  if (EqualsIgnoreCase(verb, "USER")) return YesIf(IsUserLine(line));
  if (EqualsIgnoreCase(verb, "CAP"))
    return YesIf(StartsWithIgnoreCase(rest, "LS") || StartsWithIgnoreCase(rest, "REQ"));
  if (EqualsIgnoreCase(verb, "PASS")) return Verdict::kNeedMore;
  if (verb == "NOTICE") return YesIf(rest.starts_with("AUTH ") || rest.starts_with("* "));
  if (!verb.starts_with(':') || verb.size() < 2) return Verdict::kNo;
  const std::string_view command = TakeWord(rest);
  const bool is_number = command.size() == 3 && ParseDigits(command);
  return YesIf((is_number || command == "NOTICE" || command == "PRIVMSG" || command == "JOIN") &&
               !rest.empty());
}

Verdict Match(const Payload& payload) {
  LineReader lines(payload.bytes);
  while (const auto line = lines.Next()) {
    if (!IsPrintableAscii(line->substr(0, 16))) return Verdict::kNo;
    const Verdict verdict = JudgeLine(*line);
    if (verdict != Verdict::kNeedMore) return verdict;
  }
  return payload.is_start && payload.bytes.size() < 512 ? MoreUnlessLast(payload) : Verdict::kNo;
}

ParseNext ReadLine(std::string_view line, Findings& findings) {
  if (line.starts_with(':')) {
    const std::string_view host = TakeWord(line);
    const std::string_view command = TakeWord(line);
    if (command == "001") {
      findings.SetFirst(MetadataField::kServerName, host.substr(1));
      findings.SetFirst(MetadataField::kResponse, "welcome");
    }
    // 464 wrong password; 903, 904: SASL.
    if (command == "464" || command == "904") findings.Count(MetadataField::kLoginFailures);
    if (command == "903") findings.Count(MetadataField::kLoginSuccesses);
    return ParseNext::kMore;
  }
  const std::string_view verb = TakeWord(line);
  if (EqualsIgnoreCase(verb, "NICK")) {
    if (line.starts_with(':')) line.remove_prefix(1);
    findings.SetFirst(MetadataField::kUserName, line);
  }
  if (EqualsIgnoreCase(verb, "JOIN")) findings.SetFirst(MetadataField::kRequest, "JOIN");
  return ParseNext::kMore;
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  return ReadLines(payload, [&](std::string_view line) { return ReadLine(line, findings); });
}

}  // namespace

constinit const Parser kIrcParser = {
    .application = Application::kIrc,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Chars("NnUuCcPp:"),
    .patience = 2,
};

}  // namespace nta::internal
