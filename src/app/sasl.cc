#include "app/sasl.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "app/ntlm.h"
#include "app/text.h"

namespace nta::internal {
namespace {

constexpr std::size_t kMaxDecoded = 2048;

int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

// Empty when it is not base64 (RFC 4648).
std::string DecodeBase64(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  for (const char c : text.substr(0, kMaxDecoded)) {
    const int value = Base64Value(c);
    if (value < 0) return {};
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xFF);
    }
  }
  return out;
}

//  PLAIN (RFC 4616):    authorization id, 0, user, 0, password
//  XOAUTH2, OAUTHBEARER: user=..., 1, auth=Bearer ...;  n,a=user,
//  SCRAM (RFC 5802):    n,,n=user,r=nonce
//  CRAM-MD5 (RFC 2195): user, blank, digest
//  NTLM:                NTLMSSP ...
std::string_view UserIn(std::string_view message) {
  if (message.starts_with("user=")) return message.substr(5, message.find('\x01') - 5);
  if (message.starts_with("n,") || message.starts_with("y,") || message.starts_with("p=")) {
    const std::size_t at = message.find(",n=");
    if (at == std::string_view::npos) return {};
    const std::string_view rest = message.substr(at + 3);
    return rest.substr(0, rest.find(','));
  }
  if (const std::size_t first = message.find('\0'); first < message.size()) {
    const std::string_view rest = message.substr(first + 1);
    const std::size_t second = rest.find('\0');
    return second < rest.size() ? rest.substr(0, second) : std::string_view();
  }
  const std::size_t blank = message.rfind(' ');
  constexpr std::size_t kDigestBytes = 32;
  if (blank < message.size() && message.size() - blank - 1 == kDigestBytes) {
    return message.substr(0, blank);
  }
  return {};
}

void ReadMessage(std::string_view line, Findings& findings) {
  const std::string message = DecodeBase64(line);
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(message.data()), message.size());
  if (message.starts_with(kNtlmMark)) {
    ReadNtlm(bytes, findings);
  } else {
    findings.SetFirst(MetadataField::kUserName, UserIn(message));
  }
}

}  // namespace

SaslStep StartSasl(std::string_view mechanism, std::string_view initial_response,
                   Findings& findings) {
  if (EqualsIgnoreCase(mechanism, "LOGIN")) {
    if (initial_response.empty()) return SaslStep::kUser;
    return ContinueSasl(SaslStep::kUser, initial_response, findings);
  }
  if (!initial_response.empty()) ReadMessage(initial_response, findings);
  return SaslStep::kMessage;
}

SaslStep ContinueSasl(SaslStep step, std::string_view line, Findings& findings) {
  if (line == "*") return SaslStep::kNone;
  switch (step) {
    case SaslStep::kUser:
      findings.SetFirst(MetadataField::kUserName, DecodeBase64(line));
      return SaslStep::kSecret;
    case SaslStep::kMessage:
      ReadMessage(line, findings);
      return SaslStep::kMessage;
    case SaslStep::kSecret:
    case SaslStep::kNone:
      return SaslStep::kNone;
  }
  return SaslStep::kNone;
}

}  // namespace nta::internal
