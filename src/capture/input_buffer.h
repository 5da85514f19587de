// InputBuffer: a window over a ByteInput that is read in large blocks.
#ifndef NTA_CAPTURE_INPUT_BUFFER_H_
#define NTA_CAPTURE_INPUT_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "capture/block_pool.h"
#include "capture/byte_input.h"

namespace nta::internal {

class InputBuffer {
 public:
  // read(2) in blocks of this size is the fastest way to read mixed traffic; larger blocks leave
  // the CPU's cache. (mmap would save a copy, but a file that is cut while it is read would end the
  // program with SIGBUS.)
  static constexpr std::size_t kBlockBytes = std::size_t{256} << 10;
  // No record is longer: a length field beyond this is damage.
  static constexpr std::size_t kMaxRecordBytes = std::size_t{16} << 20;

  explicit InputBuffer(std::unique_ptr<ByteInput> input);

  // What has been read and not consumed; valid until the next Fill or Skip, or as long as Retain
  // says.
  std::span<const std::uint8_t> available() const {
    return std::span(*block_).subspan(begin_, end_ - begin_);
  }
  // Keeps the bytes that were available since the last Fill or Skip: those go on in another block.
  std::shared_ptr<const void> Retain() {
    is_retained_ = true;
    return block_;
  }
  // size <= available().size()
  void Consume(std::size_t size) { begin_ += size; }
  // Reads on until at least `size` bytes are available or the input ends; false when it ended
  // before. The buffer grows only as far as the input really has bytes.
  absl::StatusOr<bool> Fill(std::size_t size);
  // Passes over `size` bytes; false when the input ended before.
  absl::StatusOr<bool> Skip(std::uint64_t size);

  const ByteInput& input() const { return *input_; }
  // Bytes of the file that were consumed; of a compressed one those that were decompressed.
  std::uint64_t file_position() const;

 private:
  // One read into the free part; false at the end of the input.
  absl::StatusOr<bool> ReadMore();
  // Bytes consumed so far.
  std::uint64_t position() const { return end_offset_ - (end_ - begin_); }

  // Makes room at the end: moves what is available to the beginning of a block that nobody holds.
  void MoveToFront();

  std::unique_ptr<ByteInput> input_;
  std::shared_ptr<BlockPool> pool_;
  std::shared_ptr<BlockPool::Block> block_;
  bool is_retained_ = false;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t end_offset_ = 0;
};

}  // namespace nta::internal

#endif  // NTA_CAPTURE_INPUT_BUFFER_H_
