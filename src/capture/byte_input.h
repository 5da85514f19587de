// ByteInput: the bytes of a capture file, wherever they come from.
#ifndef NTA_CAPTURE_BYTE_INPUT_H_
#define NTA_CAPTURE_BYTE_INPUT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "nta/capture/compression.h"
#include "nta/capture/pcap_file_reader.h"

namespace nta::internal {

class ByteInput {
 public:
  virtual ~ByteInput() = default;
  // At least one byte and at most buffer.size(); 0 at the end.
  virtual absl::StatusOr<std::size_t> Read(std::span<std::uint8_t> buffer) = 0;
  // How many bytes Read gives in all; 0 when that is not known beforehand.
  virtual std::uint64_t size() const = 0;
  virtual Compression compression() const = 0;
  // Progress, in bytes of the file as it lies on the disk: those read, and all (0 for a pipe).
  virtual std::uint64_t file_position() const = 0;
  virtual std::uint64_t file_size() const = 0;
};

// A file or pipe as it is.
class FileInput final : public ByteInput {
 public:
  static constexpr std::size_t kHeadBytes = 16;

  // "-" is standard input.
  static absl::StatusOr<std::unique_ptr<FileInput>> Open(const std::string& path);
  ~FileInput() override;
  FileInput(const FileInput&) = delete;
  FileInput& operator=(const FileInput&) = delete;

  // The first kHeadBytes, or all there are. Read gives them, too.
  std::span<const std::uint8_t> head() const { return std::span(head_).first(head_size_); }

  absl::StatusOr<std::size_t> Read(std::span<std::uint8_t> buffer) override;
  std::uint64_t size() const override { return size_; }
  Compression compression() const override { return Compression::kNone; }
  std::uint64_t file_position() const override { return position_; }
  std::uint64_t file_size() const override { return size_; }

 private:
  FileInput(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  absl::Status ReadHead();
  absl::StatusOr<std::size_t> ReadFile(std::span<std::uint8_t> buffer);

  int fd_;
  std::string path_;
  std::uint64_t size_ = 0;
  std::uint64_t position_ = 0;
  std::array<std::uint8_t, kHeadBytes> head_{};
  std::size_t head_size_ = 0;
  std::size_t head_given_ = 0;
};

// Opens a file; one that begins as gzip or zstd do is decompressed within the options' limits.
absl::StatusOr<std::unique_ptr<ByteInput>> OpenByteInput(const std::string& path,
                                                         const PcapFileReaderOptions& options);

}  // namespace nta::internal

#endif  // NTA_CAPTURE_BYTE_INPUT_H_
