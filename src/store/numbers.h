// Number streams: how a column of numbers becomes bytes, and back (docs/store_format.md).
#ifndef NTA_STORE_NUMBERS_H_
#define NTA_STORE_NUMBERS_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "store/bytes.h"

namespace nta::store {

// What is compressed and decompressed with; one thread at a time. Costs memory from its first use.
class Compressor {
 public:
  enum class Effort : std::uint8_t {
    kNone,  // bytes as they are: for what is packed anew soon
    kFast,
  };
  explicit Compressor(Effort effort = Effort::kFast);
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  // Appends `bytes`, compressed when that pays; their number is not part of it.
  void Append(std::span<const std::uint8_t> bytes, Bytes& out);

 private:
  class Context;
  const Effort effort_;
  std::unique_ptr<Context> context_;
  Bytes scratch_;
};

class Decompressor {
 public:
  Decompressor();
  ~Decompressor();
  Decompressor(const Decompressor&) = delete;
  Decompressor& operator=(const Decompressor&) = delete;

  // The `size` bytes that Append wrote, valid until the next call; empty with in.ok() == false
  // when they are damaged. Never takes more memory than `size`.
  std::span<const std::uint8_t> Read(ByteReader& in, std::size_t size);

 private:
  class Context;
  std::unique_ptr<Context> context_;
  Bytes scratch_;
};

enum class NumberOrder : std::uint8_t {
  kPlain = 0,
  kDelta = 1,  // each as its difference to the one before: for numbers that grow
};

// Numbers of 64 bits, signed ones in two's complement.
void EncodeNumbers(std::span<const std::uint64_t> values, NumberOrder order, Compressor& compressor,
                   Bytes& out);
// Fills `values`; false when the bytes are damaged.
bool DecodeNumbers(ByteReader& in, Decompressor& decompressor, std::span<std::uint64_t> values);

// The values at these places of a stream of `count` values: cheaper than all of them where they are
// few. False when the bytes are damaged.
bool DecodeNumbersAt(ByteReader& in, Decompressor& decompressor, std::size_t count,
                     std::span<const std::uint32_t> places, std::span<std::uint64_t> values);

}  // namespace nta::store

#endif  // NTA_STORE_NUMBERS_H_
