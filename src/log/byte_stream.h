// ByteStream: what a file holds, unpacked on the way; LineStream: its lines.
#ifndef NTA_LOG_BYTE_STREAM_H_
#define NTA_LOG_BYTE_STREAM_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/descriptor.h"
#include "nta/log/rotating_file_sink.h"

namespace nta::log {

class ByteStream {
 public:
  virtual ~ByteStream() = default;
  // The number of bytes read, 0 at the end. DataLoss when a packed file is damaged.
  virtual absl::StatusOr<std::size_t> Read(std::span<char> buffer) = 0;

  static absl::StatusOr<std::unique_ptr<ByteStream>> Create(base::Descriptor file,
                                                            LogCompression packing);
};

// Lines without their line feeds, with the offsets at which they start. Lines that are longer than
// any of ours are passed over, as is a last one that has no line feed (it is being written).
class LineStream {
 public:
  explicit LineStream(std::unique_ptr<ByteStream> bytes);

  // False at the end. `line` is good until the next call.
  absl::StatusOr<bool> Next(std::string_view& line, std::uint64_t& offset);
  std::uint64_t bytes_read() const { return base_ + end_; }

 private:
  absl::StatusOr<bool> Refill();

  std::unique_ptr<ByteStream> bytes_;
  std::string buffer_;
  std::uint64_t base_ = 0;  // offset of the buffer's first byte
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool skipping_ = false;
};

}  // namespace nta::log

#endif  // NTA_LOG_BYTE_STREAM_H_
