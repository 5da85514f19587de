#include "base/reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nta::base {

void Reserve::Take() {
  if (bytes_ == 0) return;
  struct stat status {};
  if (stat(path_.c_str(), &status) == 0 && static_cast<std::uint64_t>(status.st_size) >= bytes_) {
    return;
  }
  const int file = open(path_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return;
  // Half of it would take space that others need and be of no use.
  const bool taken = posix_fallocate(file, 0, static_cast<off_t>(bytes_)) == 0;
  close(file);
  if (!taken) unlink(path_.c_str());
}

void Reserve::Release() {
  if (bytes_ > 0) unlink(path_.c_str());
}

}  // namespace nta::base
