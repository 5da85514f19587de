// ByteCursor: the one way in which parsers here read bytes they do not trust.
//
// Reading past the end gives zeros and makes ok() false for good, so a parser reads a whole header
// and asks once.
#ifndef NTA_BASE_BYTE_CURSOR_H_
#define NTA_BASE_BYTE_CURSOR_H_

#include <cstddef>
#include <cstdint>
#include <span>

namespace nta::base {

class ByteCursor {
 public:
  explicit ByteCursor(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  std::size_t remaining() const { return bytes_.size(); }
  // What is left, without moving.
  std::span<const std::uint8_t> rest() const { return bytes_; }

  std::uint8_t U8() {
    if (!Has(1)) return 0;
    const std::uint8_t value = bytes_[0];
    Advance(1);
    return value;
  }
  std::uint16_t U16() { return static_cast<std::uint16_t>(BigEndian(2)); }
  std::uint32_t U24() { return static_cast<std::uint32_t>(BigEndian(3)); }
  std::uint32_t U32() { return static_cast<std::uint32_t>(BigEndian(4)); }
  std::uint64_t U64() { return BigEndian(8); }
  std::uint16_t U16LittleEndian() { return static_cast<std::uint16_t>(LittleEndian(2)); }
  std::uint32_t U32LittleEndian() { return static_cast<std::uint32_t>(LittleEndian(4)); }

  // The next `size` bytes; empty when there are fewer.
  std::span<const std::uint8_t> Bytes(std::size_t size) {
    if (!Has(size)) return {};
    const auto result = bytes_.first(size);
    Advance(size);
    return result;
  }
  // A copy-free view of exactly N bytes for fixed-size fields; zeros when there are fewer.
  template <std::size_t N>
  std::span<const std::uint8_t, N> Fixed() {
    static constexpr std::uint8_t kZeros[N] = {};
    if (!Has(N)) return std::span<const std::uint8_t, N>(kZeros);
    const auto result = bytes_.template first<N>();
    Advance(N);
    return result;
  }
  void Skip(std::size_t size) {
    if (Has(size)) Advance(size);
  }

 private:
  bool Has(std::size_t size) {
    if (size <= bytes_.size()) return true;
    ok_ = false;
    bytes_ = {};
    return false;
  }
  void Advance(std::size_t size) { bytes_ = bytes_.subspan(size); }
  std::uint64_t BigEndian(std::size_t size) {
    if (!Has(size)) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value << 8 | bytes_[i];
    Advance(size);
    return value;
  }
  std::uint64_t LittleEndian(std::size_t size) {
    if (!Has(size)) return 0;
    std::uint64_t value = 0;
    for (std::size_t i = size; i > 0; --i) value = value << 8 | bytes_[i - 1];
    Advance(size);
    return value;
  }

  std::span<const std::uint8_t> bytes_;
  bool ok_ = true;
};

}  // namespace nta::base

#endif  // NTA_BASE_BYTE_CURSOR_H_
