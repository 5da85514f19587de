// The rotation of the log files, as it is set in the dashboard and kept in the store.
#ifndef NTA_SERVER_LOGGING_LOG_SETTINGS_H_
#define NTA_SERVER_LOGGING_LOG_SETTINGS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "http/routes.h"
#include "nta/log/rotating_file_sink.h"

namespace nta::server {

inline constexpr std::string_view kLogRotationSetting = "server.log_rotation";

// `rotation` with what the body of `call` names changed. InvalidArgument names the field.
absl::StatusOr<LogRotation> ReadLogRotation(const Call& call, LogRotation rotation);
// Sets and keeps it.
absl::Status SetLogRotation(Services& services, const LogRotation& rotation);
// What is kept takes the place of the options, or they hold; when it cannot be read, that is
// logged.
void RestoreLogRotation(Services& services);

}  // namespace nta::server

#endif  // NTA_SERVER_LOGGING_LOG_SETTINGS_H_
