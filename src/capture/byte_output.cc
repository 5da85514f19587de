#include "capture/byte_output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/status.h"
#include "capture/compressor.h"

namespace nta::internal {

absl::StatusOr<std::unique_ptr<ByteOutput>> ByteOutput::Create(const std::string& path,
                                                               Compression compression,
                                                               std::optional<int> level) {
  NTA_ASSIGN_OR_RETURN(auto compressor, Compressor::Create(compression, level));
  constexpr mode_t kMode = 0666;  // the umask takes away what others may not
  const int fd = path == "-" ? dup(STDOUT_FILENO)
                             : open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kMode);
  if (fd < 0) return base::ErrnoStatus(errno, "cannot create \"" + path + '"');
  return std::unique_ptr<ByteOutput>(new ByteOutput(path, fd, std::move(compressor)));
}

ByteOutput::ByteOutput(std::string path, int fd, std::unique_ptr<Compressor> compressor)
    : path_(std::move(path)), fd_(fd), compressor_(std::move(compressor)) {
  block_.reserve(kBlockBytes);
}

ByteOutput::~ByteOutput() {
  if (fd_ >= 0) Close().IgnoreError();
}

absl::Status ByteOutput::Write(std::span<const std::uint8_t> bytes) {
  if (fd_ < 0) {
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition, '"' + path_ + "\" was closed");
  }
  if (!failure_.ok()) return failure_;
  while (bytes.size() > kBlockBytes - block_.size()) {
    const auto part = bytes.first(kBlockBytes - block_.size());
    block_.insert(block_.end(), part.begin(), part.end());
    bytes = bytes.subspan(part.size());
    failure_ = Flush(false);
    if (!failure_.ok()) return failure_;
  }
  block_.insert(block_.end(), bytes.begin(), bytes.end());
  return absl::OkStatus();
}

absl::Status ByteOutput::Flush(bool is_last) {
  absl::Status status;
  if (compressor_ == nullptr) {
    status = WriteFile(block_);
  } else {
    packed_.clear();
    status = compressor_->Run(block_, is_last, packed_);
    if (status.ok()) status = WriteFile(packed_);
  }
  block_.clear();
  return status;
}

absl::Status ByteOutput::WriteFile(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(fd_, bytes.data(), bytes.size());
    if (count >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return base::ErrnoStatus(errno, "cannot write \"" + path_ + '"');
    }
  }
  return absl::OkStatus();
}

absl::Status ByteOutput::Close() {
  if (fd_ < 0) {
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition, '"' + path_ + "\" was closed");
  }
  if (failure_.ok()) failure_ = Flush(true);
  const int fd = std::exchange(fd_, -1);
  if (close(fd) != 0 && failure_.ok()) {
    failure_ = base::ErrnoStatus(errno, "cannot write \"" + path_ + '"');
  }
  return failure_;
}

}  // namespace nta::internal
