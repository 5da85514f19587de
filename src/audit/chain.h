// The arithmetic of the chain: hashes of records, and the keys that seal them.
//
//   digest(n) = SHA-256(digest(n-1) || record n)       digest(0) = 32 zero bytes
//   seal(n)   = HMAC-SHA-256(key(n), digest(n))
//   key(n+1)  = SHA-256("nta audit next key" || key(n))
#ifndef NTA_AUDIT_CHAIN_H_
#define NTA_AUDIT_CHAIN_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace nta::audit {

using Bytes = std::span<const std::uint8_t>;
using Digest = std::array<std::uint8_t, 32>;
using ChainId = std::array<std::uint8_t, 16>;

std::string ToHex(Bytes bytes);
// True when `text` has exactly two digits, lower case, for each byte.
bool FromHex(std::string_view text, std::span<std::uint8_t> bytes);

// Where the same time must be taken wherever the bytes differ.
bool IsEqual(const Digest& a, const Digest& b);

// SHA-256, again and again, without looking the algorithm up each time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  Digest operator()(Bytes first, Bytes second = {});

 private:
  struct Context;
  const std::unique_ptr<Context> context_;
};

// The present key. Wiped when it goes.
class SealingKey {
 public:
  explicit SealingKey(const Digest& key) : key_(key) {}
  SealingKey(const SealingKey&) = default;
  SealingKey& operator=(const SealingKey&) = default;
  ~SealingKey();

  Digest Seal(Sha256& sha, const Digest& digest) const;
  void Advance(Sha256& sha);
  const Digest& bytes() const { return key_; }

 private:
  Digest key_;
};

// Random bytes of the operating system; false when it has none.
bool FillRandom(std::span<std::uint8_t> bytes);

}  // namespace nta::audit

#endif  // NTA_AUDIT_CHAIN_H_
