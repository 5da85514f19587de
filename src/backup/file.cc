#include "backup/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "backup/digest.h"
#include "base/random.h"
#include "base/status.h"

namespace nta::backup {
namespace {

constexpr std::string_view kScratchPrefix = ".work-";

std::string Quoted(std::string_view name) { return "\"" + std::string(name) + "\""; }

void RemoveTree(int parent, const std::string& name, int directory) {
  for (const std::string& file : NamesIn(directory)) unlinkat(directory, file.c_str(), 0);
  unlinkat(parent, name.c_str(), AT_REMOVEDIR);
}

}  // namespace

std::string RandomHex(std::size_t bytes) {
  std::vector<std::uint8_t> random(bytes);
  std::uint64_t seed = 0;
  for (std::size_t i = 0; i < bytes; ++i) {
    if (i % sizeof(seed) == 0) seed = base::RandomSeed();
    random[i] = static_cast<std::uint8_t>(seed >> (8 * (i % sizeof(seed))));
  }
  return ToHex(random);
}

absl::StatusOr<Descriptor> CreateFile(int directory, const std::string& name) {
  Descriptor file(openat(directory, name.c_str(),
                         O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!file.valid()) return base::ErrnoStatus(errno, "cannot create " + Quoted(name));
  return file;
}

absl::StatusOr<Descriptor> OpenFile(int directory, const std::string& name) {
  Descriptor file(
      openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) {
    if (errno == ELOOP) return base::InvalidArgument(Quoted(name) + " is a symbolic link");
    return base::ErrnoStatus(errno, "cannot open " + Quoted(name));
  }
  struct stat status {};
  if (fstat(file.get(), &status) != 0) {
    return base::ErrnoStatus(errno, "cannot open " + Quoted(name));
  }
  if (!S_ISREG(status.st_mode)) {
    return base::InvalidArgument(Quoted(name) + " is not a regular file");
  }
  return file;
}

absl::StatusOr<std::uint64_t> SizeOf(int file) {
  struct stat status {};
  if (fstat(file, &status) != 0) return base::ErrnoStatus(errno, "cannot tell a file's size");
  return static_cast<std::uint64_t>(status.st_size);
}

absl::Status WriteAll(int file, Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return base::ErrnoStatus(errno, "cannot write");
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::size_t> ReadUpTo(int file, std::span<std::uint8_t> bytes) {
  std::size_t total = 0;
  while (total < bytes.size()) {
    const ssize_t size = read(file, bytes.data() + total, bytes.size() - total);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return base::ErrnoStatus(errno, "cannot read");
    if (size == 0) break;
    total += static_cast<std::size_t>(size);
  }
  return total;
}

absl::StatusOr<std::string> ReadText(int directory, const std::string& name, std::size_t most) {
  NTA_ASSIGN_OR_RETURN(const Descriptor file, OpenFile(directory, name));
  std::vector<std::uint8_t> bytes(most + 1);
  NTA_ASSIGN_OR_RETURN(const std::size_t size, ReadUpTo(file.get(), bytes));
  if (size > most) return base::InvalidArgument(Quoted(name) + " is too large");
  return std::string(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
}

absl::Status ReplaceText(int directory, const std::string& name, std::string_view text) {
  const std::string temporary = std::string(kScratchPrefix) + RandomHex(8);
  absl::Status status;
  {
    NTA_ASSIGN_OR_RETURN(const Descriptor file, CreateFile(directory, temporary));
    status =
        WriteAll(file.get(), {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    if (status.ok()) status = Sync(file.get(), name);
  }
  if (status.ok() && renameat(directory, temporary.c_str(), directory, name.c_str()) != 0) {
    status = base::ErrnoStatus(errno, "cannot write " + Quoted(name));
  }
  if (!status.ok()) {
    unlinkat(directory, temporary.c_str(), 0);
    return status;
  }
  return Sync(directory, name);
}

// Hints: a file system that does not know them loses nothing.
void WriteOut::GrownTo(std::uint64_t bytes) {
  if (bytes < sent_ + kSliceBytes) return;
  const auto offset = [](std::uint64_t at) { return static_cast<off64_t>(at); };
  sync_file_range(file_, offset(sent_), offset(bytes - sent_), SYNC_FILE_RANGE_WRITE);
  if (sent_ > waited_) {
    sync_file_range(
        file_, offset(waited_), offset(sent_ - waited_),
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
  }
  waited_ = sent_;
  sent_ = bytes;
}

absl::Status Sync(int file, std::string_view what) {
  if (fsync(file) == 0) return absl::OkStatus();
  return base::ErrnoStatus(errno, "cannot bring " + Quoted(what) + " to the disk");
}

absl::StatusOr<Descriptor> OpenDirectory(const std::string& path) {
  Descriptor directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.valid()) return base::ErrnoStatus(errno, "cannot open " + Quoted(path));
  return directory;
}

std::vector<std::string> NamesIn(int directory) {
  std::vector<std::string> names;
  // fdopendir takes its descriptor over, and shares the place with a duplicate: so, a new one.
  const int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fdopendir(copy), closedir);
  if (stream == nullptr) return names;
  while (const dirent* entry = readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  return names;
}

bool Exists(int directory, const std::string& name) {
  struct stat status {};
  return fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
}

std::uint64_t FreeBytes(int directory) {
  struct statvfs status {};
  if (fstatvfs(directory, &status) != 0) return 0;
  return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
}

absl::StatusOr<ScratchDirectory> ScratchDirectory::Make(int parent,
                                                        const std::string& parent_path) {
  const std::string name = std::string(kScratchPrefix) + RandomHex(8);
  if (mkdirat(parent, name.c_str(), S_IRWXU) != 0) {
    return base::ErrnoStatus(errno, "cannot make a directory in " + Quoted(parent_path));
  }
  Descriptor directory(
      openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  // Whoever cleans up may have been between the two.
  if (!directory.valid() || flock(directory.get(), LOCK_EX | LOCK_NB) != 0 ||
      !Exists(parent, name)) {
    unlinkat(parent, name.c_str(), AT_REMOVEDIR);
    return base::MakeStatus(absl::StatusCode::kUnavailable,
                            "cannot work in " + Quoted(parent_path) + " at this moment");
  }
  return ScratchDirectory(parent, std::move(directory), name, parent_path + "/" + name);
}

ScratchDirectory::~ScratchDirectory() {
  if (directory_.valid()) RemoveTree(parent_, name_, directory_.get());
}

void ScratchDirectory::RemoveAbandoned(int parent) {
  for (const std::string& name : NamesIn(parent)) {
    if (!name.starts_with(kScratchPrefix)) continue;
    const Descriptor directory(
        openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (directory.valid()) {
      if (flock(directory.get(), LOCK_EX | LOCK_NB) == 0) {
        RemoveTree(parent, name, directory.get());
      }
    } else if (errno == ENOTDIR) {
      unlinkat(parent, name.c_str(), 0);  // of ReplaceText
    }
  }
}

}  // namespace nta::backup
