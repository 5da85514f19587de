#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>

#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"

namespace nta::internal {
namespace {

//  server: 220 text            client: USER name
//          331 text                    PASS secret          (RFC 959; AUTH TLS: RFC 4217)
//          230 text | 530 text
//  A reply of several lines is "230-text" ... "230 text".
enum Memory : std::size_t { kCommand = 0 };
enum Command : std::uint32_t { kOther = 0, kUser = 1, kPass = 2, kAuth = 3 };

bool IsGreeting(std::string_view text) {
  return text.starts_with("220 ") || text.starts_with("220-") || text.starts_with("120 ");
}

Verdict MatchServer(const Payload& payload) {
  const std::string_view text = payload.text();
  if (ContainsIgnoreCase(text, "SMTP")) return Verdict::kNo;
  if (ContainsIgnoreCase(text, "FTP")) return Verdict::kYes;
  if (payload.HasPort(21) && text.find('\n') < text.size()) return Verdict::kYes;
  return MoreUnlessLast(payload);  // the client's first command tells
}

Verdict MatchClient(const Payload& payload) {
  LineReader lines(payload.bytes);
  const auto line = lines.Next();
  std::string_view rest = line ? *line : payload.text();
  const std::string_view verb = TakeWord(rest);
  constexpr std::array<std::string_view, 10> kVerbs = {"USER", "AUTH", "FEAT", "SYST", "OPTS",
                                                       "PASS", "ACCT", "CLNT", "HOST", "NOOP"};
  const bool is_known =
      std::ranges::any_of(kVerbs, [&](std::string_view v) { return EqualsIgnoreCase(v, verb); });
  if (!line) return is_known || verb.size() < 4 ? MoreUnlessLast(payload) : Verdict::kNo;
  if (!is_known || !IsPrintableAscii(*line)) return Verdict::kNo;
  if (IsGreeting(AsText(payload.other)) || payload.HasPort(21)) return Verdict::kYes;
  // Without the greeting: POP3 has the same command, IRC gives it four words.
  const bool is_lone = payload.other.empty() && !payload.HasPort(110) && payload.is_start;
  return YesIf(is_lone && EqualsIgnoreCase(verb, "USER") && !rest.empty() &&
               rest.find(' ') == std::string_view::npos);
}

Verdict Match(const Payload& payload) {
  const std::string_view text = payload.text();
  if (IsDigit(text[0])) {
    if (IsGreeting(text)) return MatchServer(payload);
    const bool may_be = std::string_view("220").starts_with(text.substr(0, 3)) && text.size() < 4;
    return may_be ? MoreUnlessLast(payload) : Verdict::kNo;
  }
  return MatchClient(payload);
}

// "h1,h2,h3,h4,p1,p2", wherever it stands in the text (RFC 959 4.1.2).
void ExpectSixNumbers(std::string_view text, Findings& findings) {
  std::array<std::uint8_t, 6> numbers{};
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size() && count < numbers.size();) {
    const char* const end = text.data() + text.size();
    const auto [next, error] = std::from_chars(text.data() + i, end, numbers[count]);
    const bool is_number = error == std::errc();
    if (is_number) i = static_cast<std::size_t>(next - text.data());
    const bool goes_on = is_number && (++count == numbers.size() || (next != end && *next == ','));
    if (!goes_on) count = 0;
    if (!is_number || count < numbers.size()) ++i;
  }
  if (count < numbers.size()) return;
  findings.Expect({IpAddress::V4(std::span(numbers).first<4>()),
                   static_cast<std::uint16_t>(numbers[4] << 8 | numbers[5])},
                  Application::kFtpData);
}

// "|1|192.0.2.1|6275|" and "(|||6446|)" (RFC 2428): the port stands before the last bar.
void ExpectExtended(std::string_view text, const IpAddress& address, Findings& findings) {
  const std::size_t last = text.rfind('|');
  if (last == std::string_view::npos || last == 0) return;
  const std::size_t before = text.rfind('|', last - 1);
  if (before == std::string_view::npos) return;
  const auto port = ParseDigits(text.substr(before + 1, last - before - 1));
  if (!port || *port < 1 || *port > 0xFFFF) return;
  findings.Expect({address, static_cast<std::uint16_t>(*port)}, Application::kFtpData);
}

// The server says where it waits for the data connection.
void ExpectPassive(bool is_extended, std::string_view line, const DecodedPacket& packet,
                   Findings& findings) {
  if (is_extended) return ExpectExtended(line, packet.source, findings);
  ExpectSixNumbers(line.substr(4), findings);
}

ParseNext ReadReply(std::string_view line, const DecodedPacket& packet, Findings& findings) {
  const auto code = ParseDigits(line.substr(0, 3));
  if (!code || line.size() < 4 || line[3] != ' ') {
    if (line.starts_with("220-")) findings.SetFirst(MetadataField::kServerVersion, line.substr(4));
    return ParseNext::kMore;
  }
  const std::uint32_t command = findings.memory()[kCommand];
  if (*code >= 200) findings.memory()[kCommand] = kOther;
  if (*code == 220) findings.SetFirst(MetadataField::kServerVersion, TrimSpaces(line.substr(4)));
  if (*code == 234 && command == kAuth) return ParseNext::kRestart;
  if (*code == 230 || *code == 232) findings.Count(MetadataField::kLoginSuccesses);
  if (*code == 227 || *code == 229) ExpectPassive(*code == 229, line, packet, findings);
  // 530 also answers commands that came before any log-in.
  const bool is_refusal = *code == 530 || *code == 430 || *code == 421 || *code == 532;
  if (is_refusal && (command == kPass || command == kUser)) {
    findings.Count(MetadataField::kLoginFailures);
  }
  return ParseNext::kMore;
}

void ReadCommand(std::string_view line, const DecodedPacket& packet, Findings& findings) {
  const std::string_view verb = TakeWord(line);
  std::uint32_t command = kOther;
  if (EqualsIgnoreCase(verb, "USER")) {
    findings.SetFirst(MetadataField::kUserName, TrimSpaces(line));
    command = kUser;
  } else if (EqualsIgnoreCase(verb, "PASS")) {
    command = kPass;
  } else if (EqualsIgnoreCase(verb, "AUTH")) {
    command = kAuth;
  } else if (EqualsIgnoreCase(verb, "PORT")) {
    ExpectSixNumbers(line, findings);
  } else if (EqualsIgnoreCase(verb, "EPRT")) {
    ExpectExtended(line, packet.source, findings);
  }
  findings.memory()[kCommand] = command;
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  return ReadLines(payload, [&](std::string_view line) {
    // Commands are words, replies begin with a number: that also holds when the capture began
    // after the client did.
    if (!line.empty() && IsDigit(line[0])) return ReadReply(line, payload.packet, findings);
    if (!line.empty() && IsLetter(line[0])) ReadCommand(line, payload.packet, findings);
    return ParseNext::kMore;
  });
}

//  a listing:  drwxr-xr-x   2 user  group  4096 Jan 01 00:00 name
//              01-02-26  10:20PM  <DIR>  name
bool IsMode(std::string_view text) {
  return std::ranges::all_of(
      text, [](char c) { return std::string_view("rwxsStT-").find(c) != std::string_view::npos; });
}

bool IsUnixEntry(std::string_view line) {
  if (line.size() < 30 || std::string_view("-dlbcps").find(line[0]) == std::string_view::npos) {
    return false;
  }
  if (!IsMode(line.substr(1, 9))) return false;
  const std::string_view rest =
      TrimSpaces(line.substr(line[10] == '+' || line[10] == '.' ? 11 : 10));
  return !rest.empty() && IsDigit(rest[0]);
}

bool IsDosEntry(std::string_view line) {
  return line.size() >= 24 && IsDigit(line[0]) && IsDigit(line[1]) && line[2] == '-' &&
         IsDigit(line[3]) && IsDigit(line[4]) && line[5] == '-' &&
         (line.find("AM ") < 24 || line.find("PM ") < 24);
}

Verdict MatchData(const Payload& payload) {
  if (!payload.is_start) return Verdict::kNo;
  LineReader lines(payload.bytes);
  auto line = lines.Next();
  if (line && line->starts_with("total ") && ParseDigits(line->substr(6))) line = lines.Next();
  if (!line) {
    // Nine letters of permissions, or "total" and a number, as far as they came.
    const std::string_view text = payload.text();
    const bool may_be = text.starts_with("total ") ||
                        std::string_view("total ").starts_with(text) || IsMode(text.substr(1, 9)) ||
                        IsDigit(text[0]);
    return may_be && text.size() < 256 ? MoreUnlessLast(payload) : Verdict::kNo;
  }
  return YesIf(IsUnixEntry(*line) || IsDosEntry(*line));
}

}  // namespace

constinit const Parser kFtpParser = {
    .application = Application::kFtp,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Chars("12UuAaFfSsOoPpCcHhNn"),
    .patience = 8,
};
constinit const Parser kFtpDataParser = {
    .application = Application::kFtpData,
    .match = MatchData,
    .first_bytes = FirstBytes::Chars("-dlbcpst0123456789"),
};

}  // namespace nta::internal
