#include "firewall/watchdog.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <string_view>

#include "base/status.h"
#include "base/system_clock.h"
#include "base/utf8.h"
#include "firewall/child_process.h"
#include "firewall/nft_client.h"

namespace nta::firewall {
namespace {

using std::chrono::milliseconds;

constexpr char kProgram[] = "nta-firewall-guard";
constexpr std::string_view kReady = "ready\n";
constexpr milliseconds kRetry{200};
// For how long another process may take that has begun to take the change back itself.
constexpr std::chrono::seconds kPatience{5};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { Close(); }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string BesideThisProgram() {
  char path[4096];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof(path));
  if (size <= 0 || size == sizeof(path)) return "";
  const std::string_view self(path, static_cast<std::size_t>(size));
  const std::string program = std::string(self.substr(0, self.rfind('/') + 1)) + kProgram;
  return access(program.c_str(), X_OK) == 0 ? program : "";
}

// Its own session, nothing open but a null input and the pipe, and no environment.
absl::StatusOr<pid_t> Spawn(const std::string& program, std::string directory, int output) {
  std::string path = program, zone = "TZ=UTC0", locale = "LC_ALL=C";
  std::array<char*, 3> arguments{path.data(), directory.data(), nullptr};
  std::array<char*, 3> environment{zone.data(), locale.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_adddup2(&actions, output, 2);
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t child = -1;
  const int error = posix_spawn(&child, program.c_str(), &actions, &attributes, arguments.data(),
                                environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return base::ErrnoStatus(error, "cannot start " + program);
  return child;
}

// What it says until it is ready, is gone, or takes too long.
std::string Listen(int fd, milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::string said;
  while (!said.ends_with(kReady) && said.size() < 4096) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
    if (left.count() <= 0 || poll(&entry, 1, static_cast<int>(left.count())) == 0) break;
    char buffer[512];
    const ssize_t size = read(fd, buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    said.append(buffer, static_cast<std::size_t>(size));
  }
  return said;
}

// Becomes readable at that time after the machine's start, whatever the clock on the wall does.
absl::Status ArmTimer(int fd, std::chrono::nanoseconds since_boot) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(since_boot);
  itimerspec when{};
  when.it_value.tv_sec = whole.count();
  when.it_value.tv_nsec = std::max<std::int64_t>((since_boot - whole).count(), 1);
  if (timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, nullptr) != 0) {
    return base::ErrnoStatus(errno, "cannot set a timer");
  }
  return absl::OkStatus();
}

absl::Status PutBack(const ChangeFiles& files, FirewallBackend& backend) {
  if (!files.Exists(kRollingBackFile)) return absl::OkStatus();
  NTA_ASSIGN_OR_RETURN(const FileLock lock, FileLock::Take(files.Path(kChangeLock), kPatience));
  // Someone else may have done it in the meantime.
  if (!files.Exists(kRollingBackFile)) return absl::OkStatus();
  NTA_ASSIGN_OR_RETURN(const ChangeMarker marker, files.Read(kRollingBackFile));
  NTA_RETURN_IF_ERROR(backend.Replace(marker.change.before, base::SystemNow()));
  return files.Rename(kRollingBackFile, kRolledBackFile);
}

// There is nobody to tell, so it goes on until it succeeds.
void PutBackForSure(const ChangeFiles& files, FirewallBackend& backend) {
  while (!PutBack(files, backend).ok()) poll(nullptr, 0, kRetry.count());
}

// Waits until the change is due or no longer pending; true when it is due.
bool WaitUntilDue(const ChangeFiles& files, int timer, int watch) {
  while (files.Exists(kPendingFile)) {
    pollfd entries[2] = {{.fd = timer, .events = POLLIN, .revents = 0},
                         {.fd = watch, .events = POLLIN, .revents = 0}};
    // Should a notice get lost, the file is looked for anyway.
    poll(entries, 2, 1000);
    if (entries[0].revents != 0) return true;
    char notices[4096];
    while (read(watch, notices, sizeof(notices)) > 0) {
    }
  }
  return false;
}

}  // namespace

absl::Status StartWatchdog(const WatchdogOptions& options, const std::string& state_directory) {
  const std::string beside = options.program.empty() ? BesideThisProgram() : options.program;
  NTA_ASSIGN_OR_RETURN(const std::string program, FindProgram(kProgram, beside));
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) return base::ErrnoStatus(errno, "cannot make a pipe");
  Descriptor ours(fds[0]), theirs(fds[1]);
  NTA_ASSIGN_OR_RETURN(const pid_t child, Spawn(program, state_directory, theirs.get()));
  theirs.Close();
  const std::string said = Listen(ours.get(), options.start_timeout);
  // What was started only makes the real one and ends.
  const bool is_ready = said.ends_with(kReady);
  if (!is_ready) kill(child, SIGKILL);
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  if (is_ready) return absl::OkStatus();
  return base::MakeStatus(absl::StatusCode::kUnavailable,
                          "the watchdog " + program + " does not start: " +
                              (said.empty() ? "it says nothing" : base::PrintableUtf8(said, 300)));
}

bool WatchdogLives(const ChangeFiles& files) {
  const Descriptor lock(open(files.Path(kWatchdogLock).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  return lock.get() >= 0 && flock(lock.get(), LOCK_EX | LOCK_NB) != 0;
}

absl::Status WatchChange(const std::string& state_directory, void (*ready)()) {
  const ChangeFiles files(state_directory);
  NTA_RETURN_IF_ERROR(files.CheckDirectory());
  NTA_ASSIGN_OR_RETURN(const FileLock alive,
                       FileLock::Take(files.Path(kWatchdogLock), std::chrono::seconds(1)));
  NTA_ASSIGN_OR_RETURN(const ChangeMarker marker, files.Read(kPendingFile));
  NTA_ASSIGN_OR_RETURN(const auto backend, NftablesBackend::Open(marker.nftables));
  const Descriptor timer(timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  const Descriptor watch(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (timer.get() < 0 || watch.get() < 0)
    return base::ErrnoStatus(errno, "cannot wait for a change");
  NTA_RETURN_IF_ERROR(ArmTimer(timer.get(), marker.deadline_since_boot));
  if (inotify_add_watch(watch.get(), state_directory.c_str(), IN_MOVED_FROM | IN_DELETE) < 0) {
    return base::ErrnoStatus(errno, "cannot watch " + state_directory);
  }
  ready();
  if (WaitUntilDue(files, timer.get(), watch.get())) {
    files.Rename(kPendingFile, kRollingBackFile).IgnoreError();
  } else {
    // Taken back by someone else, who may die over it.
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (files.Exists(kRollingBackFile) && std::chrono::steady_clock::now() < deadline) {
      poll(nullptr, 0, 20);
    }
  }
  PutBackForSure(files, *backend);
  return absl::OkStatus();
}

}  // namespace nta::firewall
