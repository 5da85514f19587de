// TokenSigner: access tokens, JSON Web Tokens of exactly one kind (RFC 7519, RFC 8725).
//
//   auto signer = nta::server::TokenSigner::Create(secret);
//   std::string token = signer->Sign(claims);
//   auto verified = signer->Verify(token, now);
#ifndef NTA_SERVER_AUTH_JWT_H_
#define NTA_SERVER_AUTH_JWT_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "nta/net/time.h"

namespace nta::server {

inline constexpr std::size_t kMinSecretBytes = 32;  // RFC 7518 section 3.2
inline constexpr std::size_t kMaxTokenBytes = 1024;
inline constexpr std::chrono::hours kMaxTokenLifetime{24};
// How far in the future iat and nbf may lie, for a clock that was set back a little.
inline constexpr std::chrono::seconds kClockLeeway{5};

// The payload of a compact JWS whose header is {"alg":"HS256","typ":"JWT"} with nothing beside it,
// once its MAC was checked. Unauthenticated says no more than that.
absl::StatusOr<std::string> OpenJws(std::string_view token, std::string_view secret);
std::string MakeJws(std::string_view payload, std::string_view secret);
// `text` and its MAC: "HEADER.PAYLOAD" becomes a token.
std::string SignText(std::string text, std::string_view secret);

// All claims of a token; iss and aud are fixed. The role is not among them: it is looked up for
// each request.
struct TokenClaims {
  std::string subject;          // sub: the user
  std::string id;               // jti
  std::string session;          // the part of jti before the dot
  std::int64_t generation = 0;  // gen: of the user when the token was made
  std::int64_t issued_at = 0;   // iat, nbf, exp: seconds since 1970
  std::int64_t not_before = 0;
  std::int64_t expires_at = 0;
};

// Immutable, thread-safe.
class TokenSigner {
 public:
  // InvalidArgument when the secret has fewer than 32 bytes.
  static absl::StatusOr<TokenSigner> Create(std::string secret);

  std::string Sign(const TokenClaims& claims) const;
  // Unauthenticated unless every claim is there, has its type and holds now. Claims beyond ours are
  // refused.
  absl::StatusOr<TokenClaims> Verify(std::string_view token, Timestamp now) const;

 private:
  explicit TokenSigner(std::string secret) : secret_(std::move(secret)) {}

  std::string secret_;
};

}  // namespace nta::server

#endif  // NTA_SERVER_AUTH_JWT_H_
