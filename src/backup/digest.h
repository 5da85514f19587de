// SHA-256, and bytes as hexadecimal digits.
#ifndef NTA_BACKUP_DIGEST_H_
#define NTA_BACKUP_DIGEST_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nta::backup {

using Digest = std::array<std::uint8_t, 32>;

class Hasher {
 public:
  Hasher();
  ~Hasher();
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;

  void Add(std::span<const std::uint8_t> bytes);
  // Once.
  Digest Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Digest HashOf(std::span<const std::uint8_t> bytes);

std::string ToHex(std::span<const std::uint8_t> bytes);
// Absent unless `text` is that of `bytes` bytes, in small letters.
std::optional<std::vector<std::uint8_t>> FromHex(std::string_view text, std::size_t bytes);

}  // namespace nta::backup

#endif  // NTA_BACKUP_DIGEST_H_
