#include "backup/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "backup/file.h"
#include "base/status.h"

namespace nta::backup {
namespace {

constexpr std::size_t kMaxErrorBytes = 2048;
constexpr int kLookMilliseconds = 100;

struct Pipe {
  Descriptor from;
  Descriptor to;
};

absl::StatusOr<Pipe> MakePipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return base::ErrnoStatus(errno, "cannot make a pipe");
  return Pipe{Descriptor(ends[0]), Descriptor(ends[1])};
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

class SpawnActions {
 public:
  SpawnActions() { posix_spawn_file_actions_init(&actions_); }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

absl::StatusOr<pid_t> Spawn(const ChildOptions& options, int output, int error) {
  std::vector<std::string> arguments = options.arguments;
  arguments.insert(arguments.begin(), options.program);
  std::vector<std::string> environment = options.environment;
  SpawnActions actions;
  posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(actions.get(), output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(actions.get(), error, STDERR_FILENO);
  pid_t child = -1;
  const int failed = posix_spawn(&child, options.program.c_str(), actions.get(), nullptr,
                                 Pointers(arguments).data(), Pointers(environment).data());
  if (failed != 0) return base::ErrnoStatus(failed, "cannot start \"" + options.program + "\"");
  return child;
}

// What there is to read; false at the end.
bool Pump(Descriptor& from, const std::function<void(std::string_view)>& take) {
  std::array<char, 64 << 10> bytes;
  const ssize_t count = read(from.get(), bytes.data(), bytes.size());
  if (count < 0 && errno == EINTR) return true;
  if (count <= 0) return false;
  if (take) take({bytes.data(), static_cast<std::size_t>(count)});
  return true;
}

// Until both ends are closed; false when it was stopped before.
bool PumpAll(Descriptor output, Descriptor error, const ChildOptions& options, std::string& told,
             const std::stop_token& stop) {
  const auto keep = [&told](std::string_view text) {
    told.append(text);
    if (told.size() > kMaxErrorBytes) told.erase(0, told.size() - kMaxErrorBytes);
  };
  while (output.valid() || error.valid()) {
    if (stop.stop_requested()) return false;
    std::array<pollfd, 2> ends = {pollfd{output.get(), POLLIN, 0}, pollfd{error.get(), POLLIN, 0}};
    if (poll(ends.data(), ends.size(), kLookMilliseconds) <= 0) continue;
    if (ends[0].revents != 0 && !Pump(output, options.output)) output.Close();
    if (ends[1].revents != 0 && !Pump(error, keep)) error.Close();
  }
  return true;
}

int Await(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

absl::Status RunChild(const ChildOptions& options, const std::stop_token& stop) {
  NTA_ASSIGN_OR_RETURN(Pipe output, MakePipe());
  NTA_ASSIGN_OR_RETURN(Pipe error, MakePipe());
  NTA_ASSIGN_OR_RETURN(const pid_t child, Spawn(options, output.to.get(), error.to.get()));
  output.to.Close();
  error.to.Close();
  std::string told;
  if (!PumpAll(std::move(output.from), std::move(error.from), options, told, stop)) {
    kill(child, SIGKILL);
    Await(child);
    return base::MakeStatus(absl::StatusCode::kCancelled, "the work was cancelled");
  }
  const int status = Await(child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  const std::string name = options.program.substr(options.program.rfind('/') + 1);
  while (!told.empty() && told.back() == '\n') told.pop_back();
  return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                          name + ": " + (told.empty() ? "it failed without a word" : told));
}

}  // namespace nta::backup
