// Passwords: argon2id hashes, and the one rule for passwords.
#ifndef NTA_SERVER_AUTH_PASSWORDS_H_
#define NTA_SERVER_AUTH_PASSWORDS_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace nta::server {

inline constexpr std::size_t kMinPasswordCharacters = 12;
inline constexpr std::size_t kMaxPasswordCharacters = 256;

// InvalidArgument unless the password has 12 to 256 characters (code points).
absl::Status CheckPassword(std::string_view password);

struct PasswordCost {
  unsigned long long passes = 2;
  std::size_t memory_bytes = 19 << 20;  // with two passes the least that OWASP recommends
};

// Slow on purpose: about 30 to 70 ms. Immutable, thread-safe; each call takes memory_bytes for its
// time.
class PasswordHasher {
 public:
  // Makes the hash that stands in for unknown users.
  static absl::StatusOr<PasswordHasher> Create(PasswordCost cost = {});

  // A text that holds algorithm, cost, salt and hash.
  absl::StatusOr<std::string> Hash(std::string_view password) const;
  bool Verify(std::string_view hash, std::string_view password) const;
  // Takes as long as Verify and is never right: so an unknown user name costs what a wrong password
  // costs.
  void VerifyNothing(std::string_view password) const { Verify(stand_in_, password); }

 private:
  explicit PasswordHasher(PasswordCost cost) : cost_(cost) {}

  PasswordCost cost_;
  std::string stand_in_;
};

}  // namespace nta::server

#endif  // NTA_SERVER_AUTH_PASSWORDS_H_
