#include "capture/input_buffer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/status.h"

namespace nta::internal {

absl::StatusOr<InputBuffer> InputBuffer::Open(const std::string& path) {
  const std::string what = "cannot open \"" + path + '"';
  const bool is_standard_input = path == "-";
  const int fd = is_standard_input ? dup(STDIN_FILENO) : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return base::ErrnoStatus(errno, what);
  InputBuffer buffer(fd, path, 0);
  struct stat status;
  if (fstat(fd, &status) != 0) return base::ErrnoStatus(errno, what);
  if (S_ISDIR(status.st_mode)) return base::ErrnoStatus(EISDIR, what);
  if (S_ISREG(status.st_mode)) {
    buffer.total_ = static_cast<std::uint64_t>(status.st_size);
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  }
  return buffer;
}

InputBuffer::InputBuffer(int fd, std::string path, std::uint64_t total)
    : fd_(fd), path_(std::move(path)), total_(total), buffer_(kBlockBytes) {}

InputBuffer::InputBuffer(InputBuffer&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      total_(other.total_),
      buffer_(std::move(other.buffer_)),
      begin_(other.begin_),
      end_(other.end_),
      end_offset_(other.end_offset_) {}

InputBuffer::~InputBuffer() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<bool> InputBuffer::ReadMore() {
  while (true) {
    const ssize_t count = read(fd_, buffer_.data() + end_, buffer_.size() - end_);
    if (count > 0) {
      end_ += static_cast<std::size_t>(count);
      end_offset_ += static_cast<std::uint64_t>(count);
      return true;
    }
    if (count == 0) return false;
    if (errno != EINTR) return base::ErrnoStatus(errno, "cannot read \"" + path_ + '"');
  }
}

absl::StatusOr<bool> InputBuffer::Fill(std::size_t size) {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  // A regular file says at once that it has not that much; a pipe makes the buffer grow only as
  // bytes come.
  if (total_ > 0 && position() + size > total_ && size > buffer_.size()) return false;
  while (end_ < size) {
    if (end_ == buffer_.size())
      buffer_.resize(std::min(2 * buffer_.size(), kMaxRecordBytes + kBlockBytes));
    NTA_ASSIGN_OR_RETURN(const bool more, ReadMore());
    if (!more) return false;
  }
  return true;
}

absl::StatusOr<bool> InputBuffer::Skip(std::uint64_t size) {
  while (size > end_ - begin_) {
    size -= end_ - begin_;
    begin_ = end_ = 0;
    NTA_ASSIGN_OR_RETURN(const bool more, ReadMore());
    if (!more) return false;
  }
  begin_ += static_cast<std::size_t>(size);
  return true;
}

}  // namespace nta::internal
