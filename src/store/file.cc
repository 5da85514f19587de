#include "store/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/status.h"

namespace nta::store {
namespace {

std::string Name(const std::string& path) { return "store \"" + path + "\""; }

absl::Status CannotCreate(const std::string& path, int error) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  if (error == ENOENT) {
    return base::ErrnoStatus(error, "cannot create " + Name(path) + " in \"" + directory + "\"");
  }
  return base::ErrnoStatus(error, "cannot create " + Name(path));
}

}  // namespace

absl::Status CreateOrCheckFile(const std::string& path) {
  if (path.empty()) return base::InvalidArgument("a store needs a path (or \":memory:\")");
  if (path.find('\0') != std::string::npos) {
    return base::InvalidArgument("the path of a store must not contain a zero byte");
  }
  const int file = open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0) {
    close(file);
    return absl::OkStatus();
  }
  if (errno != EEXIST) return CannotCreate(path, errno);
  struct stat status {};
  if (stat(path.c_str(), &status) != 0)
    return base::ErrnoStatus(errno, "cannot open " + Name(path));
  if (!S_ISREG(status.st_mode)) {
    return base::InvalidArgument("cannot open " + Name(path) + ": it is not a regular file");
  }
  if (access(path.c_str(), R_OK | W_OK) != 0) {
    return base::ErrnoStatus(errno, "cannot open " + Name(path) + " for reading and writing");
  }
  return absl::OkStatus();
}

std::string SqlitePath(const std::string& path) {
  // Names like "file:x?mode=memory" are URIs to SQLite.
  return path == ":memory:" || path.starts_with('/') ? path : "./" + path;
}

}  // namespace nta::store
