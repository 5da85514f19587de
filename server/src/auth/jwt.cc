#include "auth/jwt.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <optional>
#include <utility>

#include "base/status.h"
#include "http/json_text.h"
#include "text.h"

namespace nta::server {
namespace {

constexpr std::string_view kIssuer = "nta-server";
constexpr std::string_view kAudience = "nta-api";
constexpr std::size_t kClaimCount = 8;
constexpr std::size_t kMaxSubjectBytes = 64;

// One text for every reason: a forger learns nothing.
absl::Status Refused() {
  return base::MakeStatus(absl::StatusCode::kUnauthenticated, "the token is not valid");
}

std::string Hs256(std::string_view text, std::string_view secret) {
  std::array<unsigned char, 32> mac{};
  unsigned int size = mac.size();
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
  return {reinterpret_cast<const char*>(mac.data()), size};
}

bool IsText(const FlatObject& object, std::string_view name, std::string_view expected) {
  const auto member = object.find(name);
  if (member == object.end()) return false;
  const auto* text = std::get_if<std::string>(&member->second);
  return text != nullptr && *text == expected;
}

bool HeaderIsOurs(std::string_view header) {
  const auto object = ParseFlatObject(header);
  return object.ok() && object->size() == 2 && IsText(*object, "alg", "HS256") &&
         IsText(*object, "typ", "JWT");
}

template <typename T>
bool Take(const FlatObject& object, std::string_view name, T& value) {
  const auto member = object.find(name);
  if (member == object.end()) return false;
  const T* found = std::get_if<T>(&member->second);
  if (found == nullptr) return false;
  value = *found;
  return true;
}

std::optional<TokenClaims> ReadClaims(std::string_view payload) {
  const auto object = ParseFlatObject(payload);
  if (!object.ok() || object->size() != kClaimCount) return std::nullopt;
  if (!IsText(*object, "iss", kIssuer) || !IsText(*object, "aud", kAudience)) return std::nullopt;
  TokenClaims claims;
  const bool complete =
      Take(*object, "sub", claims.subject) && Take(*object, "jti", claims.id) &&
      Take(*object, "gen", claims.generation) && Take(*object, "iat", claims.issued_at) &&
      Take(*object, "nbf", claims.not_before) && Take(*object, "exp", claims.expires_at);
  const std::size_t dot = claims.id.find('.');
  if (!complete || dot == std::string::npos || dot == 0) return std::nullopt;
  if (claims.subject.empty() || claims.subject.size() > kMaxSubjectBytes) return std::nullopt;
  claims.session = claims.id.substr(0, dot);
  return claims;
}

bool HoldsAt(const TokenClaims& claims, std::int64_t now) {
  constexpr std::int64_t kLeeway = kClockLeeway.count();
  constexpr std::int64_t kLifetime = std::chrono::seconds(kMaxTokenLifetime).count();
  // Negative times first, so that no difference below can overflow.
  if (claims.issued_at < 0 || claims.not_before < 0 || claims.expires_at < 0 ||
      claims.generation < 0)
    return false;
  if (claims.expires_at <= now) return false;
  if (claims.not_before > now + kLeeway || claims.issued_at > now + kLeeway) return false;
  return claims.expires_at - claims.issued_at <= kLifetime;
}

}  // namespace

absl::StatusOr<std::string> OpenJws(std::string_view token, std::string_view secret) {
  if (token.size() > kMaxTokenBytes) return Refused();
  const std::size_t first = token.find('.');
  const std::size_t last = token.rfind('.');
  if (first == std::string_view::npos || first == last) return Refused();
  const auto header = Base64UrlDecode(token.substr(0, first));
  const auto payload = Base64UrlDecode(token.substr(first + 1, last - first - 1));
  const auto mac = Base64UrlDecode(token.substr(last + 1));
  if (!header || !payload || !mac) return Refused();
  if (!SecretsEqual(*mac, Hs256(token.substr(0, last), secret))) return Refused();
  if (!HeaderIsOurs(*header)) return Refused();
  return *payload;
}

std::string SignText(std::string text, std::string_view secret) {
  const std::string mac = Hs256(text, secret);
  return text.append(".").append(Base64UrlEncode(mac));
}

std::string MakeJws(std::string_view payload, std::string_view secret) {
  return SignText(
      Base64UrlEncode(R"({"alg":"HS256","typ":"JWT"})") + "." + Base64UrlEncode(payload), secret);
}

absl::StatusOr<TokenSigner> TokenSigner::Create(std::string secret) {
  if (secret.size() < kMinSecretBytes) {
    return base::InvalidArgument("the signing key has fewer than 32 bytes");
  }
  return TokenSigner(std::move(secret));
}

std::string TokenSigner::Sign(const TokenClaims& claims) const {
  std::string payload = R"({"iss":)" + JsonQuote(kIssuer) + R"(,"aud":)" + JsonQuote(kAudience);
  payload += R"(,"sub":)" + JsonQuote(claims.subject) + R"(,"jti":)" + JsonQuote(claims.id);
  payload += R"(,"gen":)" + std::to_string(claims.generation);
  payload += R"(,"iat":)" + std::to_string(claims.issued_at);
  payload += R"(,"nbf":)" + std::to_string(claims.not_before);
  payload += R"(,"exp":)" + std::to_string(claims.expires_at) + "}";
  return MakeJws(payload, secret_);
}

absl::StatusOr<TokenClaims> TokenSigner::Verify(std::string_view token, Timestamp now) const {
  const absl::StatusOr<std::string> payload = OpenJws(token, secret_);
  if (!payload.ok()) return payload.status();
  std::optional<TokenClaims> claims = ReadClaims(*payload);
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  if (!claims || !HoldsAt(*claims, seconds)) return Refused();
  return *std::move(claims);
}

}  // namespace nta::server
