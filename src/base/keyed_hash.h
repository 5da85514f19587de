// A fast keyed hash for hash tables that strangers fill.
//
// Each step multiplies two keyed words to 128 bits and folds the halves (the construction of wyhash
// and of Abseil's own hash). The key never leaves the process, so colliding inputs cannot be
// prepared; it is not a MAC.
#ifndef NTA_BASE_KEYED_HASH_H_
#define NTA_BASE_KEYED_HASH_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace nta::base {

class KeyedHash {
 public:
  explicit constexpr KeyedHash(std::uint64_t seed) : key_{} {
    // splitmix64 spreads the seed over the four words of the key.
    for (auto& word : key_) {
      seed += 0x9e3779b97f4a7c15;
      std::uint64_t z = seed;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      word = (z ^ (z >> 31)) | 1;
    }
  }

  std::uint64_t operator()(std::uint64_t a, std::uint64_t b) const {
    return Fold(Fold(a ^ key_[0], b ^ key_[1]) ^ key_[2], key_[3]);
  }
  std::uint64_t operator()(std::uint64_t a, std::uint64_t b, std::uint64_t c, std::uint64_t d,
                           std::uint64_t e) const {
    const std::uint64_t first = Fold(a ^ key_[0], b ^ key_[1]);
    const std::uint64_t second = Fold(c ^ key_[2], d ^ key_[3]);
    return Fold(first ^ second ^ key_[1], e ^ key_[2] ^ (first << 1));
  }
  // Any bytes, read in words of eight.
  std::uint64_t Bytes(const void* data, std::size_t size) const {
    const auto* bytes = static_cast<const unsigned char*>(data);
    std::uint64_t state = key_[0] ^ size;
    while (size > 0) {
      const std::size_t step = size < 8 ? size : 8;
      std::uint64_t word = 0;
      std::memcpy(&word, bytes, step);
      state = Fold(state ^ word ^ key_[1], key_[2] + state);
      bytes += step;
      size -= step;
    }
    return Fold(state ^ key_[3], key_[1]);
  }

 private:
  static constexpr std::uint64_t Fold(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }

  std::uint64_t key_[4];
};

}  // namespace nta::base

#endif  // NTA_BASE_KEYED_HASH_H_
