#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <thread>

#include "base/status.h"
#include "store/free_pages.h"

#ifdef __linux__
#include <sched.h>
#include <sys/syscall.h>
#endif

namespace nta::store {

#ifdef __linux__
namespace {

// POSIX ends the locks that a process has on a file as soon as it closes any descriptor of it,
// those of a database among them. Linux does so for each table of descriptors, and a thread can
// have one of its own.
bool LeaveDescriptorsToOthers() {
#ifdef SYS_close_range
  constexpr unsigned kUnshare = 1U << 1;
  if (syscall(SYS_close_range, 3U, ~0U, kUnshare) == 0) return true;
#endif
  return unshare(CLONE_FILES) == 0;
}

// 0, or the error.
int PunchOnOwnTable(const char* path, std::span<const FileRange> ranges) noexcept {
  if (!LeaveDescriptorsToOthers()) return EOPNOTSUPP;
  const int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return errno;
  int error = 0;
  for (const FileRange& range : ranges) {
    int result = 0;
    do {
      result = fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                         static_cast<off_t>(range.offset), static_cast<off_t>(range.size));
    } while (result != 0 && errno == EINTR);
    if (result != 0) error = errno;
    if (error != 0) break;
  }
  close(file);
  return error;
}

}  // namespace

absl::Status PunchHoles(const std::string& path, std::span<const FileRange> ranges) {
  int error = 0;
  try {
    std::thread([&] { error = PunchOnOwnTable(path.c_str(), ranges); }).join();
  } catch (const std::system_error& no_thread) {
    error = EAGAIN;
  }
  if (error == 0) return absl::OkStatus();
  if (error == EOPNOTSUPP || error == ENOSYS || error == EPERM || error == EAGAIN) {
    return base::MakeStatus(absl::StatusCode::kUnimplemented, "files cannot have holes here");
  }
  return base::ErrnoStatus(error, "store \"" + path + "\": cannot give space back");
}
#else
absl::Status PunchHoles(const std::string&, std::span<const FileRange>) {
  return base::MakeStatus(absl::StatusCode::kUnimplemented, "files cannot have holes here");
}
#endif

}  // namespace nta::store
