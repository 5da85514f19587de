// Child: another program, run without a shell and waited for.
#ifndef NTA_BACKUP_CHILD_H_
#define NTA_BACKUP_CHILD_H_

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace nta::backup {

struct ChildOptions {
  std::string program{};  // an absolute path
  std::vector<std::string> arguments{};
  std::vector<std::string> environment{};  // "NAME=value"; all that it gets
  // What it writes to its standard output; absent: that is thrown away.
  std::function<void(std::string_view)> output{};
};

// Returns when the program has ended. Cancelled, with the program ended, when a stop is requested;
// FailedPrecondition with the last of what it told on standard error when it fails.
absl::Status RunChild(const ChildOptions& options, const std::stop_token& stop);

}  // namespace nta::backup

#endif  // NTA_BACKUP_CHILD_H_
