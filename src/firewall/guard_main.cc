// nta-firewall-guard DIRECTORY: takes back the change of the firewall that is pending there, unless
// it is confirmed in time. Started by nta::ChangeGuard; docs/firewall_linux.md tells of it.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "firewall/watchdog.h"

namespace {

void Say(const char* text, std::size_t size) {
  // Whoever started it may be gone already.
  [[maybe_unused]] const ssize_t written = write(STDOUT_FILENO, text, size);
}

void Ready() {
  Say("ready\n", 6);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) {
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
  }
}

// Under memory pressure others go first; without the privilege for it, all are equal.
void PreferToLive() {
  const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  [[maybe_unused]] const ssize_t written = write(fd, "-900", 4);
  close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || argv[1][0] != '/') {
    std::fprintf(stderr, "usage: nta-firewall-guard DIRECTORY\n");
    return EXIT_FAILURE;
  }
  // What ends the program that asked for the change must not end this one; only kill -9 does.
  for (const int signal_number : {SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2}) {
    signal(signal_number, SIG_IGN);
  }
  // No child of its starter, which is not to wait for it.
  const pid_t child = fork();
  if (child < 0) return EXIT_FAILURE;
  if (child > 0) _exit(EXIT_SUCCESS);
  PreferToLive();
  if (chdir("/") != 0) return EXIT_FAILURE;
  const absl::Status status = nta::firewall::WatchChange(argv[1], Ready);
  if (status.ok()) return EXIT_SUCCESS;
  const std::string message(status.message());
  Say(message.data(), message.size());
  return EXIT_FAILURE;
}
