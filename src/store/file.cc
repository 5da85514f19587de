#include "store/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>

#include "base/status.h"

namespace nta::store {
namespace {

constexpr std::string_view kScratch = "-scratch-";

std::string Name(const std::string& path) { return "store \"" + path + "\""; }

absl::Status CannotCreate(const std::string& path, int error) {
  const std::string directory = std::filesystem::path(path).parent_path().string();
  if (error == ENOENT) {
    return base::ErrnoStatus(error, "cannot create " + Name(path) + " in \"" + directory + "\"");
  }
  return base::ErrnoStatus(error, "cannot create " + Name(path));
}

// A new file is not surely there after a power failure unless its directory is synced.
absl::Status SyncDirectoryOf(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const int directory =
      open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return CannotCreate(path, errno);
  const int error = fsync(directory) == 0 ? 0 : errno;
  close(directory);
  // Some file systems cannot sync a directory and say so.
  return error == 0 || error == EINVAL ? absl::OkStatus() : CannotCreate(path, error);
}

}  // namespace

absl::Status CreateOrCheckFile(const std::string& path, bool create) {
  if (path.empty()) return base::InvalidArgument("a store needs a path (or \":memory:\")");
  if (path.find('\0') != std::string::npos) {
    return base::InvalidArgument("the path of a store must not contain a zero byte");
  }
  if (create) {
    const int file = open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
    if (file >= 0) {
      close(file);
      return SyncDirectoryOf(path);
    }
    if (errno != EEXIST) return CannotCreate(path, errno);
  }
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

void RemoveTemporaryFiles(const std::string& path) {
  const std::filesystem::path file(path);
  const std::string prefix = file.filename().string() + std::string(kScratch);
  const std::string directory = file.has_parent_path() ? file.parent_path().string() : ".";
  // std::filesystem's iterator ends the process when it has no memory.
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(opendir(directory.c_str()), closedir);
  if (entries == nullptr) return;
  while (const dirent* entry = readdir(entries.get())) {
    if (!std::string_view(entry->d_name).starts_with(prefix)) continue;
    unlinkat(dirfd(entries.get()), entry->d_name, 0);
  }
}

absl::StatusOr<std::string> MakeTemporaryFile(const std::string& path) {
  std::string name = path + std::string(kScratch) + "XXXXXX";
  const int file = mkostemp(name.data(), O_CLOEXEC);
  if (file < 0) return CannotCreate(name, errno);
  close(file);
  return name;
}

void RemoveFile(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) unlink((path + suffix).c_str());
}

absl::Status RenameFile(const std::string& from, const std::string& to) {
  const int file = open(from.c_str(), O_RDONLY | O_CLOEXEC);
  const int error = file < 0 || fsync(file) != 0 ? errno : 0;
  if (file >= 0) close(file);
  if (error != 0) return base::ErrnoStatus(error, "cannot sync " + Name(from));
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    return base::ErrnoStatus(errno, "cannot rename " + Name(from) + " to \"" + to + "\"");
  }
  return SyncDirectoryOf(to);
}

bool IsPartOf(const std::string& store, const std::string& path) {
  std::error_code unknown;
  const auto real = std::filesystem::weakly_canonical(path, unknown);
  const auto real_store = std::filesystem::weakly_canonical(store, unknown);
  for (const char* suffix : {"", "-wal", "-shm", "-journal", "-reserve"}) {
    // A log need not be there now.
    if (real == real_store.string() + suffix || real == store + suffix) return true;
    // By inode, too: a hard link leads there as well.
    if (std::filesystem::equivalent(path, store + suffix, unknown) && !unknown) return true;
  }
  return false;
}

std::string SqlitePath(const std::string& path) {
  // Names like "file:x?mode=memory" are URIs to SQLite.
  return path == ":memory:" || path.starts_with('/') ? path : "./" + path;
}

}  // namespace nta::store
