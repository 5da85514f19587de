#include "data_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/status.h"

namespace nta::server {

absl::StatusOr<DataLock> DataLock::Take(const std::string& directory) {
  const std::string path = directory + "/lock";
  DataLock lock(open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (lock.descriptor_ < 0) return base::ErrnoStatus(errno, "cannot open \"" + path + '"');
  if (flock(lock.descriptor_, LOCK_EX | LOCK_NB) == 0) return lock;
  if (errno != EWOULDBLOCK) return base::ErrnoStatus(errno, "cannot lock \"" + path + '"');
  return base::MakeStatus(absl::StatusCode::kUnavailable, "the data directory \"" + directory +
                                                              "\" is in use by another nta-server");
}

DataLock::~DataLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace nta::server
