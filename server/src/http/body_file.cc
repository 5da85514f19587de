#include "http/body_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/status.h"

namespace nta::server {

absl::StatusOr<BodyFile> BodyFile::Create(const std::string& directory) {
  const int descriptor = open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor >= 0) return BodyFile(descriptor, 0);
  // Not every file system has files without a name.
  std::string name = directory + "/.body-XXXXXX";
  const int named = mkostemp(name.data(), O_CLOEXEC);
  if (named < 0) return base::ErrnoStatus(errno, "cannot make a temporary file");
  unlink(name.c_str());
  return BodyFile(named, 0);
}

absl::StatusOr<BodyFile> BodyFile::Open(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0) return base::ErrnoStatus(errno, "cannot open the file");
  BodyFile file(descriptor, 0);
  struct stat status {};
  if (fstat(descriptor, &status) != 0) return base::ErrnoStatus(errno, "cannot look at the file");
  if (!S_ISREG(status.st_mode)) return base::InvalidArgument("this is not a regular file");
  file.size_ = static_cast<std::uint64_t>(status.st_size);
  return file;
}

BodyFile::BodyFile(BodyFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

BodyFile& BodyFile::operator=(BodyFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(size_, other.size_);
  return *this;
}

BodyFile::~BodyFile() {
  if (descriptor_ >= 0) close(descriptor_);
}

absl::Status BodyFile::Append(std::string_view data) {
  while (!data.empty()) {
    const ssize_t written =
        pwrite(descriptor_, data.data(), data.size(), static_cast<off_t>(size_));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return base::ErrnoStatus(errno, "cannot write the temporary file");
    size_ += static_cast<std::uint64_t>(written);
    data.remove_prefix(static_cast<std::size_t>(written));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> BodyFile::Read(std::uint64_t offset, std::size_t bytes) const {
  const std::uint64_t left = offset < size_ ? size_ - offset : 0;
  std::string data(static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes)), '\0');
  std::size_t done = 0;
  while (done < data.size()) {
    const ssize_t got = pread(descriptor_, data.data() + done, data.size() - done,
                              static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return base::ErrnoStatus(errno, "cannot read the file");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  data.resize(done);
  return data;
}

int BodyFile::Duplicate() const { return fcntl(descriptor_, F_DUPFD_CLOEXEC, 0); }

}  // namespace nta::server
