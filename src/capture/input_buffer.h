// InputBuffer: a window over a file or pipe that is read in large blocks.
#ifndef NTA_CAPTURE_INPUT_BUFFER_H_
#define NTA_CAPTURE_INPUT_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace nta::internal {

class InputBuffer {
 public:
  // read(2) in blocks of this size is the fastest way to read mixed traffic; larger blocks leave
  // the CPU's cache.
  static constexpr std::size_t kBlockBytes = std::size_t{256} << 10;
  // No record is longer: a length field beyond this is damage.
  static constexpr std::size_t kMaxRecordBytes = std::size_t{16} << 20;

  // "-" is standard input.
  static absl::StatusOr<InputBuffer> Open(const std::string& path);
  InputBuffer(InputBuffer&& other) noexcept;
  InputBuffer& operator=(InputBuffer&&) = delete;
  ~InputBuffer();

  // What has been read and not consumed; valid until the next Fill or Skip.
  std::span<const std::uint8_t> available() const {
    return std::span(buffer_).subspan(begin_, end_ - begin_);
  }
  // size <= available().size()
  void Consume(std::size_t size) { begin_ += size; }
  // Reads on until at least `size` bytes are available or the input ends; false when it ended
  // before. The buffer grows only as far as the input really has bytes.
  absl::StatusOr<bool> Fill(std::size_t size);
  // Passes over `size` bytes; false when the input ended before.
  absl::StatusOr<bool> Skip(std::uint64_t size);

  // Bytes consumed so far.
  std::uint64_t position() const { return end_offset_ - (end_ - begin_); }
  // Size of a regular file; 0 for a pipe.
  std::uint64_t total() const { return total_; }

 private:
  InputBuffer(int fd, std::string path, std::uint64_t total);
  // One read(2) into the free part; false at the end of the input.
  absl::StatusOr<bool> ReadMore();

  int fd_;
  std::string path_;
  std::uint64_t total_;
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t end_offset_ = 0;
};

}  // namespace nta::internal

#endif  // NTA_CAPTURE_INPUT_BUFFER_H_
