#include "audit/chain.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <new>

namespace nta::audit {

std::string ToHex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0xF];
  }
  return text;
}

bool FromHex(std::string_view text, std::span<std::uint8_t> bytes) {
  if (text.size() != 2 * bytes.size()) return false;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
  }
  return true;
}

bool IsEqual(const Digest& a, const Digest& b) {
  return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

struct Sha256::Context {
  EVP_MD* algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* context = EVP_MD_CTX_new();
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  // Fails without memory only; SHA-256 is in every build of the library.
  if (context_->algorithm == nullptr || context_->context == nullptr ||
      EVP_DigestInit_ex2(context_->context, context_->algorithm, nullptr) != 1) {
    throw std::bad_alloc();
  }
}

Sha256::~Sha256() {
  EVP_MD_CTX_free(context_->context);
  EVP_MD_free(context_->algorithm);
}

Digest Sha256::operator()(Bytes first, Bytes second) {
  EVP_MD_CTX* const context = context_->context;
  Digest digest{};
  EVP_DigestInit_ex2(context, nullptr, nullptr);
  EVP_DigestUpdate(context, first.data(), first.size());
  if (!second.empty()) EVP_DigestUpdate(context, second.data(), second.size());
  EVP_DigestFinal_ex(context, digest.data(), nullptr);
  return digest;
}

SealingKey::~SealingKey() { OPENSSL_cleanse(key_.data(), key_.size()); }

// HMAC (RFC 2104) spelled out: setting the library's up costs more than its four blocks.
Digest SealingKey::Seal(Sha256& sha, const Digest& digest) const {
  constexpr std::size_t kBlockBytes = 64;
  std::array<std::uint8_t, kBlockBytes> pad{};
  pad.fill(0x36);
  for (std::size_t i = 0; i < key_.size(); ++i) pad[i] ^= key_[i];
  const Digest inner = sha(pad, digest);
  for (std::uint8_t& byte : pad) byte ^= 0x36 ^ 0x5c;
  const Digest seal = sha(pad, inner);
  OPENSSL_cleanse(pad.data(), pad.size());
  return seal;
}

void SealingKey::Advance(Sha256& sha) {
  static constexpr std::string_view kLabel = "nta audit next key";
  const Bytes label(reinterpret_cast<const std::uint8_t*>(kLabel.data()), kLabel.size());
  key_ = sha(label, key_);
}

bool FillRandom(std::span<std::uint8_t> bytes) {
  return RAND_priv_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1;
}

}  // namespace nta::audit
