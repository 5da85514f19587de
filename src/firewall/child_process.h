// RunProgram: a child process fed with text, without a shell.
#ifndef NTA_FIREWALL_CHILD_PROCESS_H_
#define NTA_FIREWALL_CHILD_PROCESS_H_

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace nta::firewall {

struct ProgramRun {
  std::string path{};                    // absolute
  std::vector<std::string> arguments{};  // without the program itself
  std::string input{};                   // what it reads
  std::chrono::milliseconds timeout{10'000};
  std::size_t max_output_bytes = std::size_t{256} << 20;
};

struct ProgramResult {
  int exit_code = 0;
  std::string output{};
  std::string errors{};  // the first 4 KiB
};

// Runs it with an empty environment (but for TZ and LC_ALL) and nothing open but its three streams.
// NotFound, PermissionDenied: it cannot be started; DeadlineExceeded, ResourceExhausted: it was
// killed for the time it took or for what it wrote.
absl::StatusOr<ProgramResult> RunProgram(const ProgramRun& run);

// `configured` if it is not empty, else the first of the system's directories that holds `name`.
// NotFound names them.
absl::StatusOr<std::string> FindProgram(const std::string& name, const std::string& configured);

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_CHILD_PROCESS_H_
