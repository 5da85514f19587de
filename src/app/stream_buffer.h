// StreamBuffer: the bytes of a stream that are still needed, in whatever order they came.
#ifndef NTA_APP_STREAM_BUFFER_H_
#define NTA_APP_STREAM_BUFFER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace nta::internal {

// Offsets count from the first byte that was not dropped. Never holds more than the limit that
// Write is given.
class StreamBuffer {
 public:
  // Puts `bytes` at `offset`, over what was there. False, and nothing changes, when they end beyond
  // `limit` or make more than kMaxRanges separate ranges.
  bool Write(std::size_t offset, std::span<const std::uint8_t> bytes, std::size_t limit);
  // Makes room for `size` bytes before the first one, which are missing until written. False when
  // that exceeds `limit`.
  bool Prepend(std::size_t size, std::size_t limit);
  // The bytes from offset 0 to the first hole. Valid until the next change.
  std::span<const std::uint8_t> Prefix() const;
  // Forgets the first `size` bytes.
  void Drop(std::size_t size);
  bool empty() const { return ranges_count_ == 0; }
  std::size_t memory_bytes() const { return sizeof(*this) + capacity_; }

  // Leaves the ranges as they are.
  StreamBuffer() {}  // NOLINT(modernize-use-equals-default)

  static constexpr std::size_t kMaxRanges = 16;

 private:
  struct Range {
    std::uint32_t begin;
    std::uint32_t end;
  };

  bool AddRange(Range added);

  // Room for `size` bytes, more than that when it had to grow before.
  void Reserve(std::size_t size);

  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;                  // where the last range ends
  std::array<Range, kMaxRanges> ranges_;  // ascending, apart from each other
  std::size_t ranges_count_ = 0;
};

}  // namespace nta::internal

#endif  // NTA_APP_STREAM_BUFFER_H_
