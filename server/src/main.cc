// nta-server: see docs/server.md.
#include <signal.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <variant>

#include "logging/log.h"
#include "options.h"
#include "server.h"

namespace {

int Fail(const absl::Status& status) {
  std::cerr << "nta-server: " << std::string(status.message()) << '\n';
  return 1;
}

// Threads inherit the mask, so it must stand before the first of them starts.
sigset_t BlockEndSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

}  // namespace

int main(int argc, char** argv) {
  using nta::server::LogLevel;
  const auto read = nta::server::ReadOptions(argc, argv, std::cout, std::cerr);
  if (const auto* exit_now = std::get_if<nta::server::ExitNow>(&read)) return exit_now->status;
  // Whatever we create holds traffic, keys or password hashes.
  umask(S_IRWXG | S_IRWXO);
  const sigset_t signals = BlockEndSignals();
  auto server = nta::server::Server::Start(std::get<nta::server::ServerOptions>(read));
  if (!server.ok()) return Fail(server.status());
  std::cout << (*server)->description();
  if (const std::string token = (*server)->TakeBootstrapToken(); !token.empty()) {
    std::cout << "bootstrap token: " << token << '\n';
  }
  std::cout << "listening on " << (*server)->url() << std::endl;

  int signal_number = 0;
  while (sigwait(&signals, &signal_number) == 0 && signal_number == SIGHUP) {
    (*server)->ReopenLogs();
  }
  nta::server::Log(LogLevel::kInfo, "stopping");
  const absl::Status stopped = (*server)->Stop();
  if (absl::IsDeadlineExceeded(stopped)) {
    // A query is still running. All data is in the store; what is left is not worth waiting for.
    nta::server::Log(LogLevel::kWarning, "ended while a request was running");
    std::_Exit(0);
  }
  return stopped.ok() ? 0 : Fail(stopped);
}
