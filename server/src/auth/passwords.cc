#include "auth/passwords.h"

#include <sodium.h>

#include <array>
#include <utility>

#include "base/status.h"
#include "text.h"

namespace nta::server {

absl::Status CheckPassword(std::string_view password) {
  // Four bytes a character at the most: a megabyte is refused before it is looked at.
  const bool too_long = password.size() > kMaxPasswordCharacters * 4;
  const auto length = too_long ? std::nullopt : Utf8Length(password);
  if (!length || *length < kMinPasswordCharacters || *length > kMaxPasswordCharacters) {
    return base::InvalidArgument("a password has 12 to 256 characters");
  }
  return absl::OkStatus();
}

absl::StatusOr<PasswordHasher> PasswordHasher::Create(PasswordCost cost) {
  if (sodium_init() < 0) {
    return base::MakeStatus(absl::StatusCode::kInternal, "libsodium does not start");
  }
  PasswordHasher hasher(cost);
  NTA_ASSIGN_OR_RETURN(hasher.stand_in_, hasher.Hash(RandomToken(32)));
  return hasher;
}

absl::StatusOr<std::string> PasswordHasher::Hash(std::string_view password) const {
  std::array<char, crypto_pwhash_STRBYTES> hash{};
  if (crypto_pwhash_str_alg(hash.data(), password.data(), password.size(), cost_.passes,
                            cost_.memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return base::MakeStatus(absl::StatusCode::kResourceExhausted, "no memory to hash a password");
  }
  return std::string(hash.data());
}

bool PasswordHasher::Verify(std::string_view hash, std::string_view password) const {
  std::array<char, crypto_pwhash_STRBYTES> text{};
  if (hash.size() >= text.size()) return false;
  hash.copy(text.data(), hash.size());
  return crypto_pwhash_str_verify(text.data(), password.data(), password.size()) == 0;
}

}  // namespace nta::server
