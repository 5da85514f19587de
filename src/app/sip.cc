#include <algorithm>
#include <array>
#include <string>

#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"

namespace nta::internal {
namespace {

//  INVITE sip:bob@example.org SIP/2.0        SIP/2.0 401 Unauthorized         (RFC 3261)
//  From: <sip:alice@example.org>;tag=1       CSeq: 1 REGISTER
//  User-Agent: name                          Server: name
enum Memory : std::size_t { kHadCredentials = 0 };

constexpr std::array<std::string_view, 14> kMethods = {
    "INVITE", "REGISTER",  "OPTIONS", "ACK",   "BYE",  "CANCEL", "MESSAGE",
    "NOTIFY", "SUBSCRIBE", "PUBLISH", "PRACK", "INFO", "REFER",  "UPDATE"};

bool IsRequestLine(std::string_view line) {
  const std::string_view method = TakeWord(line);
  if (std::ranges::find(kMethods, method) == kMethods.end()) return false;
  return line.ends_with(" SIP/2.0");
}

bool IsStatusLine(std::string_view line) {
  return line.starts_with("SIP/2.0 ") && line.size() >= 11 && ParseDigits(line.substr(8, 3));
}

Verdict Match(const Payload& payload) {
  LineReader lines(payload.bytes);
  auto line = lines.Next();
  while (line && line->empty()) line = lines.Next();  // keeps bindings alive
  if (line) return YesIf(IsRequestLine(*line) || IsStatusLine(*line));
  if (!payload.is_start || payload.text().size() > 512) return Verdict::kNo;
  std::string_view rest = payload.text();
  const std::string_view word = TakeWord(rest);
  const bool may_be =
      std::ranges::any_of(kMethods, [&](std::string_view m) { return m.starts_with(word); }) ||
      std::string_view("SIP/2.0").starts_with(word);
  return may_be ? MoreUnlessLast(payload) : Verdict::kNo;
}

std::string_view Header(std::string_view message, std::string_view name, std::string_view compact) {
  const std::string_view value = FindHeader(message, name);
  return value.empty() && !compact.empty() ? FindHeader(message, compact) : value;
}

// "alice@example.org" of "Alice <sip:alice@example.org>;tag=1".
std::string_view AddressIn(std::string_view value) {
  const std::size_t at = value.find("sip");
  if (at == std::string_view::npos) return {};
  value.remove_prefix(at);
  const std::size_t colon = value.find(':');
  if (colon > 4) return {};
  value.remove_prefix(colon + 1);
  value = value.substr(0, value.find_first_of(">;? "));
  // "alice:secret@example.org" is allowed.
  const std::size_t host = value.find('@');
  const std::size_t secret = value.find(':');
  return secret < host && host < value.size() ? value.substr(0, secret) : value;
}

void ReadResponse(std::string_view message, Findings& findings) {
  const std::string_view status = message.substr(8, 3);
  findings.Set(MetadataField::kResponse, status);
  findings.SetFirst(MetadataField::kServerVersion, FindHeader(message, "Server"));
  const bool answers_register = Header(message, "CSeq", "").ends_with("REGISTER");
  std::uint32_t& had_credentials = findings.memory()[kHadCredentials];
  if (status == "200" && answers_register) findings.Count(MetadataField::kLoginSuccesses);
  // A first 401 only asks for credentials.
  const bool is_challenge = status == "401" || status == "407";
  if ((is_challenge && had_credentials != 0) || (status == "403" && answers_register)) {
    findings.Count(MetadataField::kLoginFailures);
  }
  if (status[0] != '1') had_credentials = 0;
}

void ReadMessage(std::string_view message, Findings& findings) {
  while (message.starts_with("\r\n")) message.remove_prefix(2);
  if (message.starts_with("SIP/2.0 ")) {
    if (message.size() >= 11) ReadResponse(message, findings);
    return;
  }
  const std::string_view method = message.substr(0, message.find(' '));
  if (std::ranges::find(kMethods, method) == kMethods.end()) return;
  findings.SetFirst(MetadataField::kRequest, method);
  findings.SetFirst(MetadataField::kUserAgent, FindHeader(message, "User-Agent"));
  findings.SetFirst(MetadataField::kUserName, AddressIn(Header(message, "From", "f")));
  if (!FindHeader(message, "Authorization").empty() ||
      !FindHeader(message, "Proxy-Authorization").empty()) {
    findings.memory()[kHadCredentials] = 1;
  }
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  const std::string_view text = payload.text();
  const bool is_complete = text.find("\r\n\r\n") != std::string_view::npos;
  if (payload.is_tcp() && !is_complete && !payload.is_last && text.size() < kMaxLineBytes) {
    return {0, ParseNext::kMore};
  }
  ReadMessage(text, findings);
  return Read(payload, ParseNext::kMore);
}

}  // namespace

constinit const Parser kSipParser = {
    .application = Application::kSip,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Chars("IROABCMNSPU\r"),
    .patience = 8,
};

}  // namespace nta::internal
