#include "firewall/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "base/status.h"

namespace nta::firewall {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxErrorBytes = 4096;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { Reset(); }
  void Reset(int fd = -1) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
  }
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

absl::Status MakePipe(Descriptor& ours, Descriptor& theirs) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) != 0) {
    return base::ErrnoStatus(errno, "cannot make a pipe from a child process");
  }
  ours.Reset(fds[0]);
  theirs.Reset(fds[1]);
  fcntl(fds[0], F_SETFL, O_NONBLOCK);
  return absl::OkStatus();
}

// The input as a file in memory: nothing to feed, no SIGPIPE when the child does not want it, and
// nft, which opens /dev/stdin by name, finds it from its start.
absl::Status MakeInput(const std::string& text, Descriptor& input) {
  input.Reset(memfd_create("nta-input", MFD_CLOEXEC));
  if (input.get() < 0) return base::ErrnoStatus(errno, "cannot make a file in memory");
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = write(input.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return base::ErrnoStatus(errno, "cannot write a file in memory");
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  lseek(input.get(), 0, SEEK_SET);
  return absl::OkStatus();
}

absl::StatusOr<pid_t> Spawn(const ProgramRun& run, int input, int output, int errors) {
  std::vector<std::string> texts{run.path};
  texts.insert(texts.end(), run.arguments.begin(), run.arguments.end());
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  std::string zone = "TZ=UTC0", locale = "LC_ALL=C";
  std::array<char*, 3> environment{zone.data(), locale.data(), nullptr};

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, 0);
  posix_spawn_file_actions_adddup2(&actions, output, 1);
  posix_spawn_file_actions_adddup2(&actions, errors, 2);
  // What the embedder left open without close-on-exec is not for it.
  posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t child = -1;
  const int error = posix_spawn(&child, run.path.c_str(), &actions, &attributes, arguments.data(),
                                environment.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return base::ErrnoStatus(error, "cannot start " + run.path);
  return child;
}

// Reads what is there; false at the end of the stream.
bool ReadSome(int fd, std::string& into, std::size_t limit) {
  char buffer[65536];
  const ssize_t size = read(fd, buffer, sizeof(buffer));
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (size == 0) return false;
  into.append(buffer,
              std::min(static_cast<std::size_t>(size), limit - std::min(limit, into.size())));
  return true;
}

// Drains the child until it has closed its streams.
absl::Status Drain(const ProgramRun& run, Descriptor& output, Descriptor& errors,
                   ProgramResult& result) {
  const Clock::time_point deadline = Clock::now() + run.timeout;
  while (output.get() >= 0 || errors.get() >= 0) {
    pollfd entries[2] = {{.fd = output.get(), .events = POLLIN, .revents = 0},
                         {.fd = errors.get(), .events = POLLIN, .revents = 0}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) {
      return base::MakeStatus(absl::StatusCode::kDeadlineExceeded,
                              run.path + " took longer than " +
                                  std::to_string(run.timeout.count()) + " ms and was ended");
    }
    if (poll(entries, 2, static_cast<int>(left)) < 0 && errno != EINTR) {
      return base::ErrnoStatus(errno, "cannot wait for " + run.path);
    }
    if (entries[0].revents != 0 &&
        !ReadSome(output.get(), result.output, run.max_output_bytes + 1)) {
      output.Reset();
    }
    if (entries[1].revents != 0 && !ReadSome(errors.get(), result.errors, kMaxErrorBytes)) {
      errors.Reset();
    }
    if (result.output.size() > run.max_output_bytes) {
      return base::MakeStatus(absl::StatusCode::kResourceExhausted,
                              run.path + " wrote more than " +
                                  std::to_string(run.max_output_bytes) + " bytes and was ended");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ProgramResult> RunProgram(const ProgramRun& run) {
  Descriptor input, output, errors, their_output, their_errors;
  NTA_RETURN_IF_ERROR(MakeInput(run.input, input));
  NTA_RETURN_IF_ERROR(MakePipe(output, their_output));
  NTA_RETURN_IF_ERROR(MakePipe(errors, their_errors));
  NTA_ASSIGN_OR_RETURN(const pid_t child,
                       Spawn(run, input.get(), their_output.get(), their_errors.get()));
  their_output.Reset();
  their_errors.Reset();
  ProgramResult result;
  const absl::Status drained = Drain(run, output, errors, result);
  if (!drained.ok()) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  NTA_RETURN_IF_ERROR(drained);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

absl::StatusOr<std::string> FindProgram(const std::string& name, const std::string& configured) {
  if (!configured.empty()) {
    if (configured.front() != '/') {
      return base::InvalidArgument("\"" + configured + "\" is not an absolute path");
    }
    if (access(configured.c_str(), X_OK) == 0) return configured;
    return base::ErrnoStatus(errno, "cannot run " + configured);
  }
  for (const char* const directory :
       {"/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/", "/usr/local/sbin/", "/usr/local/bin/"}) {
    const std::string path = directory + name;
    if (access(path.c_str(), X_OK) == 0) return path;
  }
  return base::MakeStatus(absl::StatusCode::kNotFound,
                          "no program " + name +
                              " in /usr/sbin, /sbin, /usr/bin, /bin, /usr/local/sbin or "
                              "/usr/local/bin");
}

}  // namespace nta::firewall
