// Checksum: what every stored block of bytes ends with.
#ifndef NTA_STORE_CHECKSUM_H_
#define NTA_STORE_CHECKSUM_H_

#include <cstdint>
#include <span>

namespace nta::store {

// XXH64 (xxHash, 64 bits) with the seed 0.
std::uint64_t Hash64(std::span<const std::uint8_t> bytes);

inline std::uint32_t Checksum(std::span<const std::uint8_t> bytes) {
  return static_cast<std::uint32_t>(Hash64(bytes));
}

}  // namespace nta::store

#endif  // NTA_STORE_CHECKSUM_H_
