#include "app/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstddef>

namespace nta::internal {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kHmacBlock = 64;

struct Deleter {
  void operator()(EVP_MD* algorithm) const { EVP_MD_free(algorithm); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Algorithm = std::unique_ptr<EVP_MD, Deleter>;
using Context = std::unique_ptr<EVP_MD_CTX, Deleter>;

std::string Hex(Bytes digest, std::size_t digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex(digits, '0');
  for (std::size_t i = 0; i < digits; ++i) {
    hex[i] = kDigits[i % 2 == 0 ? digest[i / 2] >> 4 : digest[i / 2] & 15];
  }
  return hex;
}

Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

}  // namespace

struct Digests::Algorithms {
  Algorithm md5{EVP_MD_fetch(nullptr, "MD5", nullptr)};
  Algorithm sha256{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
  Context context{EVP_MD_CTX_new()};

  // Of `first` and `second`, one after the other.
  bool Digest(const Algorithm& algorithm, Bytes first, Bytes second, std::span<std::uint8_t> out) {
    return algorithm != nullptr && context != nullptr &&
           EVP_DigestInit_ex2(context.get(), algorithm.get(), nullptr) == 1 &&
           EVP_DigestUpdate(context.get(), first.data(), first.size()) == 1 &&
           EVP_DigestUpdate(context.get(), second.data(), second.size()) == 1 &&
           EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1;
  }
};

Digests::Digests() : algorithms_(std::make_unique<Algorithms>()) {}
Digests::Digests(Digests&&) noexcept = default;
Digests& Digests::operator=(Digests&&) noexcept = default;
Digests::~Digests() = default;

std::string Digests::Md5Hex(std::string_view text) {
  std::array<std::uint8_t, 16> digest{};
  if (!algorithms_->Digest(algorithms_->md5, AsBytes(text), {}, digest)) return "";
  return Hex(digest, 32);
}

std::string Digests::Sha256Hex12(std::string_view text) {
  Sha256 digest{};
  if (!algorithms_->Digest(algorithms_->sha256, AsBytes(text), {}, digest)) return "";
  return Hex(digest, 12);
}

bool Digests::Hmac(Bytes key, Bytes data, Sha256& out) {
  if (key.size() > kHmacBlock) return false;
  std::array<std::uint8_t, kHmacBlock> inner{};
  std::array<std::uint8_t, kHmacBlock> outer{};
  std::ranges::copy(key, inner.begin());
  std::ranges::copy(key, outer.begin());
  for (std::uint8_t& byte : inner) byte ^= 0x36;
  for (std::uint8_t& byte : outer) byte ^= 0x5C;
  Sha256 digest{};
  return algorithms_->Digest(algorithms_->sha256, inner, data, digest) &&
         algorithms_->Digest(algorithms_->sha256, outer, digest, out);
}

}  // namespace nta::internal
