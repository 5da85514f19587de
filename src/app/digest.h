// Digests: MD5 and SHA-256 as fingerprints and QUIC's keys want them.
#ifndef NTA_APP_DIGEST_H_
#define NTA_APP_DIGEST_H_

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace nta::internal {

// Looks up the algorithms once and keeps one context: doing so for each digest costs more than
// digesting a hello. One thread at a time.
class Digests {
 public:
  using Sha256 = std::array<std::uint8_t, 32>;

  Digests();
  Digests(Digests&&) noexcept;
  Digests& operator=(Digests&&) noexcept;
  ~Digests();

  // 32 lower-case digits; empty where policy forbids MD5 (FIPS): then there is no fingerprint.
  std::string Md5Hex(std::string_view text);
  // The first 12 digits of SHA-256.
  std::string Sha256Hex12(std::string_view text);
  // HMAC-SHA-256 (RFC 2104) with a key of at most 64 bytes.
  bool Hmac(std::span<const std::uint8_t> key, std::span<const std::uint8_t> data, Sha256& out);

 private:
  struct Algorithms;
  std::unique_ptr<Algorithms> algorithms_;
};

}  // namespace nta::internal

#endif  // NTA_APP_DIGEST_H_
