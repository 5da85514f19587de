#include "capture/byte_input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/status.h"

namespace nta::internal {

absl::StatusOr<std::unique_ptr<FileInput>> FileInput::Open(const std::string& path) {
  const std::string what = "cannot open \"" + path + '"';
  const bool is_standard_input = path == "-";
  const int fd = is_standard_input ? dup(STDIN_FILENO) : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return base::ErrnoStatus(errno, what);
  std::unique_ptr<FileInput> input(new FileInput(fd, path));
  struct stat status;
  if (fstat(fd, &status) != 0) return base::ErrnoStatus(errno, what);
  if (S_ISDIR(status.st_mode)) return base::ErrnoStatus(EISDIR, what);
  if (S_ISREG(status.st_mode)) {
    input->size_ = static_cast<std::uint64_t>(status.st_size);
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  NTA_RETURN_IF_ERROR(input->ReadHead());
  return input;
}

FileInput::~FileInput() { close(fd_); }

absl::Status FileInput::ReadHead() {
  while (head_size_ < kHeadBytes) {
    NTA_ASSIGN_OR_RETURN(const std::size_t count, ReadFile(std::span(head_).subspan(head_size_)));
    if (count == 0) break;
    head_size_ += count;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::size_t> FileInput::Read(std::span<std::uint8_t> buffer) {
  std::size_t count = 0;
  if (head_given_ < head_size_) {
    count = std::min(buffer.size(), head_size_ - head_given_);
    std::memcpy(buffer.data(), head_.data() + head_given_, count);
    head_given_ += count;
  } else {
    NTA_ASSIGN_OR_RETURN(count, ReadFile(buffer));
  }
  position_ += count;
  return count;
}

absl::StatusOr<std::size_t> FileInput::ReadFile(std::span<std::uint8_t> buffer) {
  while (true) {
    const ssize_t count = read(fd_, buffer.data(), buffer.size());
    if (count >= 0) return static_cast<std::size_t>(count);
    if (errno != EINTR) return base::ErrnoStatus(errno, "cannot read \"" + path_ + '"');
  }
}

}  // namespace nta::internal
