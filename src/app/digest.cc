#include "app/digest.h"

#include <openssl/evp.h>

#include <array>
#include <cstddef>

namespace nta::internal {
namespace {

std::string HexDigest(const EVP_MD* algorithm, std::string_view text, std::size_t digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  // Fails only where policy forbids the algorithm (MD5 under FIPS): then there is no fingerprint.
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, algorithm, nullptr) != 1)
    return "";
  std::string hex;
  hex.reserve(digits);
  for (std::size_t i = 0; i < size && hex.size() < digits; ++i) {
    hex += kDigits[digest[i] >> 4];
    hex += kDigits[digest[i] & 15];
  }
  return hex;
}

}  // namespace

std::string Md5Hex(std::string_view text) { return HexDigest(EVP_md5(), text, 32); }
std::string Sha256Hex12(std::string_view text) { return HexDigest(EVP_sha256(), text, 12); }

}  // namespace nta::internal
