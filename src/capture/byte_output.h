// ByteOutput: a file that is written in large blocks, compressed or not.
#ifndef NTA_CAPTURE_BYTE_OUTPUT_H_
#define NTA_CAPTURE_BYTE_OUTPUT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/capture/compression.h"

namespace nta::internal {

class Compressor;

class ByteOutput {
 public:
  // Replaces an existing file; "-" is standard output. InvalidArgument for a level that the
  // compression does not have.
  static absl::StatusOr<std::unique_ptr<ByteOutput>> Create(const std::string& path,
                                                            Compression compression,
                                                            std::optional<int> level);
  // Closes and keeps silent.
  ~ByteOutput();
  ByteOutput(const ByteOutput&) = delete;
  ByteOutput& operator=(const ByteOutput&) = delete;

  // After an error every later call has the same one: the file is damaged. FailedPrecondition after
  // Close.
  absl::Status Write(std::span<const std::uint8_t> bytes);
  absl::Status Close();

 private:
  static constexpr std::size_t kBlockBytes = std::size_t{128} << 10;

  ByteOutput(std::string path, int fd, std::unique_ptr<Compressor> compressor);
  absl::Status Flush(bool is_last);
  absl::Status WriteFile(std::span<const std::uint8_t> bytes);

  std::string path_;
  int fd_;
  std::unique_ptr<Compressor> compressor_;  // null: as it is
  std::vector<std::uint8_t> block_;
  std::vector<std::uint8_t> packed_;
  absl::Status failure_;
};

}  // namespace nta::internal

#endif  // NTA_CAPTURE_BYTE_OUTPUT_H_
