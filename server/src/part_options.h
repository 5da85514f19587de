// What the parts of the server are told, from the options of the whole.
#ifndef NTA_SERVER_PART_OPTIONS_H_
#define NTA_SERVER_PART_OPTIONS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app.h"
#include "logging/logs.h"
#include "options.h"
#include "traffic/capture_loop.h"

namespace nta::server {

CaptureLoopOptions MakeCaptureOptions(const ServerOptions& options);
AppLimits MakeLimits(const ServerOptions& options);
absl::StatusOr<LogsOptions> MakeLogOptions(const ServerOptions& options);
// What the identifiers of alerts begin with: another one for each start, so that no run overwrites
// the alerts of an earlier one.
std::string AlertPrefix();
// "eth0, eth1".
std::string InterfaceNames(const std::vector<std::string>& interfaces);

}  // namespace nta::server

#endif  // NTA_SERVER_PART_OPTIONS_H_
