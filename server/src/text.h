// Small text helpers: base64url, UTF-8, random tokens, digests.
#ifndef NTA_SERVER_TEXT_H_
#define NTA_SERVER_TEXT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace nta::server {

// RFC 4648 section 5 without padding.
std::string Base64UrlEncode(std::string_view bytes);
// Absent for padding, foreign characters, an impossible length, or non-zero trailing bits: one text
// per value.
std::optional<std::string> Base64UrlDecode(std::string_view text);

// `bytes` random bytes of the operating system, as base64url.
std::string RandomToken(std::size_t bytes);
// SHA-256 as base64url; for tokens with enough entropy of their own.
std::string Digest(std::string_view text);
// Takes the same time wherever the texts differ.
bool SecretsEqual(std::string_view a, std::string_view b);

// The number of code points; absent when the text is not UTF-8 (no surrogates, no overlong forms).
std::optional<std::size_t> Utf8Length(std::string_view text);
// Valid UTF-8 with U+FFFD in place of wrong bytes, and control characters as \xNN.
std::string Printable(std::string_view text);

}  // namespace nta::server

#endif  // NTA_SERVER_TEXT_H_
