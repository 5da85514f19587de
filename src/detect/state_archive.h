// StateWriter, StateReader: a detector's state as bytes and back. Both are called with the same
// fields in the same order, so that one function describes the layout of a struct for writing and
// for reading.
#ifndef NTA_SRC_DETECT_STATE_ARCHIVE_H_
#define NTA_SRC_DETECT_STATE_ARCHIVE_H_

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/byte_cursor.h"
#include "nta/net/ip_address.h"
#include "nta/net/time.h"

namespace nta::detect {

class StateWriter {
 public:
  static constexpr bool kReads = false;

  void operator()(std::integral auto value) {
    const auto bits = static_cast<std::uint64_t>(value);
    for (std::size_t i = 0; i < sizeof(value); ++i) {
      bytes_.push_back(static_cast<char>(bits >> (8 * i) & 0xff));
    }
  }
  void operator()(double value) { (*this)(std::bit_cast<std::uint64_t>(value)); }
  void operator()(Timestamp value) { (*this)(value.time_since_epoch().count()); }
  // Any double, where operator() takes only those that a measure can be.
  void Real(double value) { (*this)(value); }
  void operator()(Duration value) { (*this)(value.count()); }
  void operator()(std::string_view value) {
    Size(value.size(), value.size());
    bytes_ += value;
  }
  void operator()(const IpAddress& value) {
    (*this)(static_cast<std::uint8_t>(value.version()));
    for (const std::uint8_t byte : value.bytes()) bytes_.push_back(static_cast<char>(byte));
  }
  template <typename T, std::size_t N>
  void operator()(const std::array<T, N>& values) {
    for (const T& value : values) (*this)(value);
  }
  // An enumeration whose values are 0 to count - 1.
  template <typename E>
  void Enum(E value, int) {
    (*this)(static_cast<std::uint8_t>(value));
  }
  // How many entries follow; `most` is the reader's business.
  void Size(std::size_t value, std::size_t) { (*this)(static_cast<std::uint64_t>(value)); }

  std::string bytes() && { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Once something does not fit, ok() is false for good and everything reads as 0.
class StateReader {
 public:
  static constexpr bool kReads = true;

  explicit StateReader(std::span<const std::uint8_t> bytes) : cursor_(bytes) {}

  bool ok() const { return ok_ && cursor_.ok(); }
  std::size_t remaining() const { return cursor_.remaining(); }
  void Fail() { ok_ = false; }

  void operator()(bool& value) { value = cursor_.U8() != 0; }
  void operator()(std::integral auto& value) {
    std::uint64_t bits = 0;
    const auto bytes = cursor_.Bytes(sizeof(value));
    for (std::size_t i = bytes.size(); i > 0; --i) bits = bits << 8 | bytes[i - 1];
    value = static_cast<std::remove_reference_t<decltype(value)>>(bits);
  }
  // No measure of ours is infinite, negative or NaN.
  void operator()(double& value) {
    std::uint64_t bits = 0;
    (*this)(bits);
    value = std::bit_cast<double>(bits);
    if (!(value >= 0 && value <= 1e300)) Fail();
  }
  void operator()(Timestamp& value) {
    std::int64_t count = 0;
    (*this)(count);
    value = Timestamp(Duration(count));
  }
  void Real(double& value) {
    std::uint64_t bits = 0;
    (*this)(bits);
    value = std::bit_cast<double>(bits);
  }
  void operator()(Duration& value) {
    std::int64_t count = 0;
    (*this)(count);
    value = Duration(count);
  }
  void operator()(std::string& value) {
    std::size_t size = 0;
    Size(size, remaining());
    const auto bytes = cursor_.Bytes(size);
    value.assign(bytes.begin(), bytes.end());
  }
  void operator()(IpAddress& value) {
    switch (cursor_.U8()) {
      case 4:
        value = IpAddress::V4(cursor_.Fixed<4>());
        break;
      case 6:
        value = IpAddress::V6(cursor_.Fixed<16>());
        break;
      default:
        Fail();
    }
  }
  template <typename T, std::size_t N>
  void operator()(std::array<T, N>& values) {
    for (T& value : values) (*this)(value);
  }
  template <typename E>
  void Enum(E& value, int count) {
    const std::uint8_t number = cursor_.U8();
    if (number >= count) return Fail();
    value = static_cast<E>(number);
  }
  // Refuses more than `most`, and more than the bytes that are left could hold.
  void Size(std::size_t& value, std::size_t most) {
    std::uint64_t count = 0;
    (*this)(count);
    value = 0;
    if (count > most || count > cursor_.remaining()) return Fail();
    value = static_cast<std::size_t>(count);
  }

 private:
  base::ByteCursor cursor_;
  bool ok_ = true;
};

// The payload with a header that names the detector and the version of its layout, and a checksum
// (FNV-1a, 64 bits).
std::string SealState(std::string_view detector, std::uint16_t version, std::string_view payload);
// The payload. InvalidArgument for another detector's or a newer state, DataLoss for a damaged one.
absl::StatusOr<std::span<const std::uint8_t>> OpenState(std::string_view detector,
                                                        std::uint16_t version,
                                                        std::string_view state);

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_STATE_ARCHIVE_H_
